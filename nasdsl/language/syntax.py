"""The syntax tree: one frozen dataclass per grammar rule.

A Span takes no part in equality, so that `parse(print(tree)) == tree` can be asked.
"""

from __future__ import annotations

from typing import ClassVar

from nasdsl.language.errors import NOWHERE, Source, Span
from nasdsl.language.node import Node, keyword


class Syntax(Node):
    """The base of all nodes: where a node stands in its source."""

    _apart: ClassVar[tuple[str, ...]] = ("span", "doc", "source", "imported")  # take no part in equality

    span: Span = keyword(default=NOWHERE, kw_only=True)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._key()))

    def _key(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self._fields if name not in self._apart)


# --- values ---------------------------------------------------------------------------------


class Number(Syntax):
    """`64`, `1e-3`, `500k`, `20%`. `value` is int where the literal has no `.`, `e` or `%`."""

    value: int | float
    unit: str = ""  # "", "k", "M", "G" or "%"; `value` is already multiplied out


class String(Syntax):
    value: str


class Name(Syntax):
    id: str


class Attribute(Syntax):
    """`conv.width`, `output.cls`."""

    owner: Value
    name: str


class Argument(Syntax):
    """One argument of a call; `name` is None where it is given by position.

    `unused`: as in `cell(output = concat unused)`.
    """

    name: str | None
    value: Value
    unused: bool = False


class Call(Syntax):
    """`conv2d(32, kernel = 3)`, `residual { … }`, `relu(0.1)`; a bare `relu` is a Name."""

    name: str
    arguments: tuple[Argument, ...] = ()
    body: Block | None = None


class Unary(Syntax):
    operator: str  # "-", "+" or "not"
    operand: Value


class Binary(Syntax):
    operator: str  # + - * / // ^ == != < <= > >= and or
    left: Value
    right: Value


class Range(Syntax):
    """`lo..hi`, with `log` or `step 16`, `@ centre` and `online`."""

    low: Value
    high: Value
    log: bool = False
    step: Value | None = None
    centre: Value | None = None
    online: bool = False


class Alternative(Syntax):
    value: Value
    weight: Value | None = None  # `3 @ 2`: twice as likely a priori


class Choice(Syntax):
    """`A | B | C`; at least two alternatives, or one that carries a weight."""

    alternatives: tuple[Alternative, ...]


class Optional(Syntax):
    """`X?`: X or nothing."""

    value: Value


class Labelled(Syntax):
    """`act: relu | gelu`: names the decision."""

    label: str
    value: Value | Repeat | Pick | Permute


class Block(Syntax):
    """`{ statement; statement }`."""

    statements: tuple[Statement, ...]


Value = (
    Number | String | Name | Attribute | Call | Unary | Binary | Range | Choice | Optional | Labelled | Block
)


# --- statements -----------------------------------------------------------------------------


class Let(Syntax):
    name: str
    value: Value


class If(Syntax):
    """`if c { } else { }`; `else if` is an `otherwise` of one If statement."""

    condition: Value
    then: Block
    otherwise: Block | None = None


class Repeat(Syntax):
    """`repeat [i in] count [tied | shared [except a, b]] { }`."""

    count: Value
    body: Block
    index: str | None = None
    sharing: str = ""  # "", "tied" or "shared"
    apart: tuple[str, ...] = ()  # `shared except layer_norm`


class Permute(Syntax):
    body: Block


class Pick(Syntax):
    """`pick 2 of { a; b; c }`."""

    count: Value
    body: Block


class Wire(Syntax):
    """In a dag: `a = conv2d(32) from input, b`. `sources` is empty where no `from` stands.

    `output = concat unused` has `sources == (Name("unused"),)`.
    """

    target: tuple[str, ...]  # ("a",), or ("output", "cls")
    value: Value
    sources: tuple[Value, ...] = ()


class Do(Syntax):
    """A value standing as a statement: an operation, a block's use, a choice of them."""

    value: Value


# `x = value` without `from` is a Wire in a dag and a setting in `train { }` and `start { }`.
Statement = Let | If | Repeat | Permute | Pick | Wire | Do


# --- the file -------------------------------------------------------------------------------


class Import(Syntax):
    path: str


class Use(Syntax):
    module: str


class Parameter(Syntax):
    """Of a block: `width`, `width = 32`, `a: wire`, `depth: wire`."""

    name: str
    default: Value | None = None
    kind: str | None = None


class BlockDefinition(Syntax):
    name: str
    parameters: tuple[Parameter, ...]
    body: Block
    doc: str = ""


class Network(Syntax):
    inputs: tuple[str, ...]
    body: Block

    @property
    def head(self) -> Span:
        """The word `network` alone, so that a caret does not run over the whole body."""
        at, width = self.span, len("network")
        return at._replace(end=at.start + width, end_line=at.line, end_column=at.column + width)


class Train(Syntax):
    body: Block


class Task(Syntax):
    """`task classification on csv("wine.csv", target = "quality")`."""

    kind: str
    data: Value | None


class Require(Syntax):
    condition: Value


class Objective(Syntax):
    maximize: bool
    value: Value


class Setting(Syntax):
    """In `start { }`: a path written as in points, and the answer it gets."""

    path: str
    value: Value


class Start(Syntax):
    settings: tuple[Setting, ...]


Item = Import | Use | Let | BlockDefinition | Network | Train | Task | Require | Objective | Start


class File(Syntax):
    """One parsed file. `imported`: the files whose items have been put into it, each with what has
    been added to its offsets (importing.py)."""

    name: str | None
    items: tuple[Item, ...]
    doc: str = ""
    source: Source = Source("<none>", "")
    imported: tuple[tuple[int, Source], ...] = ()
