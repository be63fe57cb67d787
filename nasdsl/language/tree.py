"""The checked space as a tree of terms: what the syntax means once every name is resolved.

Value terms have a value once the holes in them are answered; `Statement` terms move the wire on.
Every use of a block, and the network, the training part and the top level, has a *frame* of cells.
A cell holds the answer to a hole, a loop's index, what a block's parameter stands for, or the
path of the scope around it. Lets need no cell: a use of a let *is* the term of the let, and the
holes in it keep their answers in the frame that declared them: decided once, at first use.

Terms compare by identity: two places in a file are never the same term.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from nasdsl.language.decisions import Answer, Domain
from nasdsl.language.errors import NOWHERE, Span
from nasdsl.language.network import Value
from nasdsl.language.node import Node, keyword
from nasdsl.language.signatures.signature import Argument, Signature

PLAIN, SHAPES, CONTROL = range(3)


class Term(Node):
    """The base of all terms."""

    span: Span = keyword(default=NOWHERE, kw_only=True)


# --- values ---------------------------------------------------------------------------------


class Constant(Term):
    value: Value


class Cell(Term):
    """A loop's index or a block's parameter: read from the frame of the term that names it.

    `role` is what its uses make of it, for the decisions in the arguments that it stands for.
    """

    slot: int
    name: str
    role: int = PLAIN
    is_index: bool = False
    bends: bool = False  # as that of the ranges that it may stand for


class Outer(Term):
    """A top-level let, used inside another frame."""

    inner: ValueTerm


class Quantity(Term):
    """What the task asks for: `outputs`."""

    name: str


class Operation(Term):
    """`a + b`, `max(a, b)`, `not a`: `function` takes the operands' values."""

    name: str
    function: Callable[..., Value]
    operands: tuple[ValueTerm, ...]


class Whether(Term):
    """Whether a value is a call of that name."""

    value: ValueTerm
    name: str


class Make(Term):
    """A call that is a value: becomes a Spec."""

    signature: Signature
    arguments: tuple[tuple[str, ValueTerm], ...]
    checks: tuple[Argument, ...] = ()  # arguments whose value is not known before


class Hole(Term):
    """The base of the three value decisions.

    `slot` is where the answer is kept, `label` the cell that holds the path of the scope, `key`
    the rest of the path, `site` the same with the alternatives it stands in (`optimizer=adamw/lr`).
    `role` says what the answer can change beyond itself: nothing (PLAIN), shapes and whether they
    fit (SHAPES), which decisions open (CONTROL). It grows while a file is checked, as uses appear.
    """

    slot: int
    label: int
    key: str
    site: str
    role: int


class RangeHole(Hole):
    """`domain` where the ends are constants; else they are worked out when it opens. `bends`: what is worked out of
    it may fall where it rises, so that the ends do not bound what lies between."""

    domain: Domain | None
    low: ValueTerm | None = None
    high: ValueTerm | None = None
    build: Callable[[Value, Value], Domain] | None = None
    bends: bool = False


class ChoiceHole(Hole):
    """One of several values."""

    domain: Domain
    options: dict[Answer, ValueTerm]


class OptionalHole(Hole):
    """The inner value, or None."""

    inner: ValueTerm


ValueTerm: TypeAlias = Constant | Cell | Outer | Quantity | Operation | Whether | Make | Hole


# --- statements -----------------------------------------------------------------------------

Slots: TypeAlias = tuple[int, int]  # cells first..last (exclusive) that die where a term ends


class Statement(Term):
    """The base of all statements. `slots` are the cells that are empty again once it is done."""

    slots: Slots


class Apply(Statement):
    """One operation of the network; `checks` are arguments whose value is not known before."""

    signature: Signature
    arguments: tuple[tuple[str, ValueTerm], ...]
    constant: dict[str, Value] | None  # all arguments, where none is open
    checks: tuple[Argument, ...]
    label: int
    key: str


class ApplyValue(Statement):
    """A let that stands for an operation, used as a statement."""

    value: ValueTerm
    label: int
    key: str


class Sequence(Statement):
    items: tuple[Statement, ...]


class Fork(Statement):
    """A choice between statements; None does nothing (`X?` has the answers False and True)."""

    hole: ChoiceHole
    bodies: dict[Answer, Statement | None]


class Branch(Statement):
    condition: ValueTerm
    then: Statement
    otherwise: Statement | None


class Loop(Statement):
    """`inner` are the cells of one copy: decided afresh by each, replayed where they are tied."""

    count: ValueTerm
    body: Statement
    label: int  # the scope around the loop
    key: str
    copy_label: int  # the cell that holds the path of the current copy
    index: int | None  # the cell of the loop's index
    index_term: Cell | None
    inner: Slots
    tied: bool
    shared: bool
    apart: frozenset[str]

    @property
    def is_settled(self) -> bool:
        """Whether the first copy decides all: tied, and no decision opens by the index."""
        return self.tied and (self.index_term is None or self.index_term.role < CONTROL)


class Definition(Node):
    """A block as a template: filled in after its body is resolved, since it may use itself."""

    name: str
    parameters: tuple[str, ...]
    wires: frozenset[str] = frozenset()  # those parameters that take wires
    body: Statement | None = None
    frame_size: int = 0

    def complete(self, body: Statement, frame_size: int) -> None:
        """Set once, when the body has been resolved."""
        self.__dict__.update(body=body, frame_size=frame_size)


class Leave(Statement):
    """The end of a block's use: its frame closes; `slots` are cells of the frame below."""


class Use(Statement):
    """A block's use. Cell 0 of its frame is its path, cells 1… its parameters."""

    definition: Definition
    arguments: tuple[ValueTerm, ...]
    label: int
    key: str
    inner_label: int  # the cell that keeps the block's path for the holes in the arguments
    leave: Leave


class Merge(Statement):
    """The end of a residual: the wire in cell `skip` is added to what the body gave."""

    skip: int
    shortcut: ValueTerm  # "project", "pad" or "error"; asked where the shapes differ
    marks: dict[str, Value]  # arguments of the shortcut that come from what is around it
    label: int
    key: str


class Residual(Statement):
    """`residual(shortcut) { body }`; `skip` is the cell that keeps its input."""

    skip: int
    body: Statement
    merge: Merge


class Close(Statement):
    """The end of `Around`: an operation on its input, in cell `skip`, and what the body gave."""

    signature: Signature
    arguments: tuple[tuple[str, ValueTerm], ...]
    checks: tuple[Argument, ...]
    skip: int
    label: int
    key: str


class Around(Statement):
    """`widen(…) { body }`, `gate { body }`, `adapter { body }`: `skip` is the cell that keeps its input."""

    body: Statement
    close: Close


class Refuse(Statement):
    """No network goes on here."""

    message: str


class Keep(Statement):
    """The wire goes into a cell, under a name of its own."""

    cell: int


class Part(Node):
    """One input of a join: the wire in cell `source`, through `body`, into cell `out`.

    That it is read is noted in cell `read`, where anybody asks; `spare`: it takes part only where
    nobody has read it before (`unused`); `decides`: what has been read bears on what may be chosen.
    """

    source: int
    body: Statement | None
    out: int
    read: int | None = None
    spare: bool = False
    decides: bool = False


class Subset(Node):
    """The decision which of some parts take part."""

    hole: ChoiceHole
    chosen: dict[Answer, tuple[int, ...]]


class Choosing(Node):
    """`any(k, …)`: the one decision, or those by the `count` of parts, which is decided before."""

    count: ValueTerm | None
    subsets: dict[int, Subset]


class Sources(Node):
    """What a wire is made from: all `sure` parts, and of the others those that are chosen."""

    parts: tuple[Part, ...]
    sure: tuple[int, ...]
    choosings: tuple[Choosing, ...] = ()


class Join(Statement):
    """Several wires become one: branches, the edges into a node, the sources of a wire.

    The joined wire goes on; a single one as it is. `is_graph`: its parts are edges of a graph, not branches or outputs.
    """

    sources: Sources
    merge: Signature
    arguments: dict[str, Value]
    label: int
    key: str
    is_graph: bool = False


class Feed(Statement):
    """The wires that go into a block of several: the chosen parts, into the cells `into`, in order.
    The first of them goes on."""

    sources: Sources
    into: tuple[int, ...]
    label: int


class Previous(Statement):
    """Into a cell goes the input of the cell before this one, brought to the shape of its own; its
    own where there is no cell before."""

    cell: int
    shortcut: ValueTerm  # "project", "pad" or "error"; asked where the shapes differ
    label: int
    key: str


class Remember(Statement):
    """The end of a cell: the wire in cell `given` was its input, which a later cell may ask for."""

    given: int


class Permute(Statement):
    """Members in an order to be found: first which `optional` ones are there, then a tree of
    picks, then what each decides itself. Members go by name."""

    members: dict[str, Statement]
    optional: tuple[str, ...]
    label: int
    key: str


class Pick(Statement):
    """A subset of the members, in the order written; `count` says how many."""

    members: dict[str, Statement]
    count: ValueTerm
    label: int
    key: str


class Assign(Statement):
    """In `train { }`: a setting gets a value."""

    name: str
    value: ValueTerm
    checked: Argument | None = None  # what is asked of a value that is not known before


class Inputs(Statement):
    """The beginning of a network whose inputs have names: they go into `cells`, the first one on.

    One alone is called in the network as it pleases; several have the names that the data give them.
    """

    cells: dict[str, int]


class Finish(Statement):
    """The end of the network: what the task asks for must have come out. `outputs`: the cells of
    outputs by name, where the network names several."""

    outputs: dict[str, int]


class Open(Statement):
    """Opens a top-level let, in a space without a network."""

    name: str
    value: ValueTerm


class Enter(Statement):
    """A top-level part begins: its path goes into cell `label`."""

    label: int
    key: str
