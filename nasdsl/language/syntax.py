"""The syntax tree: one frozen dataclass per grammar rule.

A Span takes no part in equality, so that `parse(print(tree)) == tree` can be asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nasdsl.language.errors import NOWHERE, Source, Span


@dataclass(frozen=True, slots=True)
class Syntax:
    """The base of all nodes: where a node stands in its source."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# --- values ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Syntax):
    """`64`, `1e-3`, `500k`, `20%`. `value` is int where the literal has no `.`, `e` or `%`."""

    value: int | float
    unit: str = ""  # "", "k", "M", "G" or "%"; `value` is already multiplied out


@dataclass(frozen=True, slots=True)
class String(Syntax):
    value: str


@dataclass(frozen=True, slots=True)
class Name(Syntax):
    id: str


@dataclass(frozen=True, slots=True)
class Attribute(Syntax):
    """`conv.width`, `output.cls`."""

    owner: Value
    name: str


@dataclass(frozen=True, slots=True)
class Argument(Syntax):
    """One argument of a call; `name` is None where it is given by position."""

    name: str | None
    value: Value


@dataclass(frozen=True, slots=True)
class Call(Syntax):
    """`conv2d(32, kernel = 3)`, `residual { … }`, `relu(0.1)`; a bare `relu` is a Name."""

    name: str
    arguments: tuple[Argument, ...] = ()
    body: Block | None = None


@dataclass(frozen=True, slots=True)
class Unary(Syntax):
    operator: str  # "-", "+" or "not"
    operand: Value


@dataclass(frozen=True, slots=True)
class Binary(Syntax):
    operator: str  # + - * / // ^ == != < <= > >= and or
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Range(Syntax):
    """`lo..hi`, with `log` or `step 16`, `@ centre` and `online`."""

    low: Value
    high: Value
    log: bool = False
    step: Value | None = None
    centre: Value | None = None
    online: bool = False


@dataclass(frozen=True, slots=True)
class Alternative(Syntax):
    value: Value
    weight: Value | None = None  # `3 @ 2`: twice as likely a priori


@dataclass(frozen=True, slots=True)
class Choice(Syntax):
    """`A | B | C`; at least two alternatives, or one that carries a weight."""

    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Optional(Syntax):
    """`X?`: X or nothing."""

    value: Value


@dataclass(frozen=True, slots=True)
class Labelled(Syntax):
    """`act: relu | gelu`: names the decision."""

    label: str
    value: Value | Repeat | Pick | Permute


@dataclass(frozen=True, slots=True)
class Block(Syntax):
    """`{ statement; statement }`."""

    statements: tuple[Statement, ...]


Value = (
    Number | String | Name | Attribute | Call | Unary | Binary | Range | Choice | Optional | Labelled | Block
)


# --- statements -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Let(Syntax):
    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class If(Syntax):
    """`if c { } else { }`; `else if` is an `otherwise` of one If statement."""

    condition: Value
    then: Block
    otherwise: Block | None = None


@dataclass(frozen=True, slots=True)
class Repeat(Syntax):
    """`repeat [i in] count [tied | shared [except a, b]] { }`."""

    count: Value
    body: Block
    index: str | None = None
    sharing: str = ""  # "", "tied" or "shared"
    apart: tuple[str, ...] = ()  # `shared except layer_norm`


@dataclass(frozen=True, slots=True)
class Permute(Syntax):
    body: Block


@dataclass(frozen=True, slots=True)
class Pick(Syntax):
    """`pick 2 of { a; b; c }`."""

    count: Value
    body: Block


@dataclass(frozen=True, slots=True)
class Wire(Syntax):
    """In a dag: `a = conv2d(32) from input, b`. `sources` is empty where no `from` stands.

    `output = concat unused` has `sources == (Name("unused"),)`.
    """

    target: tuple[str, ...]  # ("a",), or ("output", "cls")
    value: Value
    sources: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Do(Syntax):
    """A value standing as a statement: an operation, a block's use, a choice of them."""

    value: Value


# `x = value` without `from` is a Wire in a dag and a setting in `train { }` and `start { }`.
Statement = Let | If | Repeat | Permute | Pick | Wire | Do


# --- the file -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import(Syntax):
    path: str


@dataclass(frozen=True, slots=True)
class Use(Syntax):
    module: str


@dataclass(frozen=True, slots=True)
class Parameter(Syntax):
    """Of a block: `width`, `width = 32`, `a: wire`, `depth: wire`."""

    name: str
    default: Value | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class BlockDefinition(Syntax):
    name: str
    parameters: tuple[Parameter, ...]
    body: Block
    doc: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Network(Syntax):
    inputs: tuple[str, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class Train(Syntax):
    body: Block


@dataclass(frozen=True, slots=True)
class Task(Syntax):
    """`task classification on csv("wine.csv", target = "quality")`."""

    kind: str
    data: Value | None


@dataclass(frozen=True, slots=True)
class Require(Syntax):
    condition: Value


@dataclass(frozen=True, slots=True)
class Objective(Syntax):
    maximize: bool
    value: Value


@dataclass(frozen=True, slots=True)
class Setting(Syntax):
    """In `start { }`: a path written as in points, and the answer it gets."""

    path: str
    value: Value


@dataclass(frozen=True, slots=True)
class Start(Syntax):
    settings: tuple[Setting, ...]


Item = Import | Use | Let | BlockDefinition | Network | Train | Task | Require | Objective | Start


@dataclass(frozen=True, slots=True)
class File(Syntax):
    """One parsed file. `comments` (offset, text) serve the printer and take no part in equality."""

    name: str | None
    items: tuple[Item, ...]
    doc: str = field(default="", compare=False)
    source: Source = field(default=Source("<none>", ""), compare=False, repr=False)
