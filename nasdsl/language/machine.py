"""The meaning of a checked space, as a machine that moves one step at a time.

A configuration is (rest, wire, frames): what is still to do, the wire that the network has reached,
and the cells of all open frames. A step moves on, asks a decision, fails (`Dead`), or is the end.
Nothing else knows what a term means: deciding, counting, ranking and planning all drive this one
machine, so they cannot disagree.

Configurations are values: immutable, hashable, and equal when everything that can still happen is
equal. The paths of decisions ride along in `Label`s that compare equal to one another, so that a
count worked out for one copy of a repeat serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from nasdsl.language.decisions import Answer, Decision, Domain, Options
from nasdsl.language.errors import NasdslError
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.tree import (
    CONTROL,
    SHAPES,
    Cell,
    ChoiceHole,
    Constant,
    Hole,
    Loop,
    Make,
    Operation,
    OptionalHole,
    Outer,
    Quantity,
    RangeHole,
    Slots,
    Statement,
    ValueTerm,
)


class Dead(Exception):
    """This configuration leads to no network: a shape does not fit, or a value is out of range."""


class LimitError(NasdslError):
    """A space asks for more than the stated limits allow."""


@dataclass(frozen=True, slots=True, eq=False)
class Wire:
    """The value flowing through the network at one place. Equal shapes make equal wires."""

    shape: Shape
    name: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Wire) and self.shape == other.shape

    def __hash__(self) -> int:
        return hash(self.shape)


class Label:
    """The path of a scope. All labels are equal.

    `path` names decisions; `place` names layers (copies told apart even where they are tied);
    `site` is the path without copy numbers; `copy` is the number of the copy.
    """

    __slots__ = ("copy", "path", "place", "site")

    def __init__(self, path: str, place: str, site: str, copy: int = 0) -> None:
        self.path = path
        self.place = place
        self.site = site
        self.copy = copy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Label)

    def __hash__(self) -> int:
        return 7

    def inner(self, key: str) -> Label:
        """The label of a scope inside this one."""
        return Label(join(self.path, key), join(self.place, key), join(self.site, key))


class Closure(NamedTuple):
    """A block's argument that is not decided yet: a term and the frame that it reads."""

    term: ValueTerm
    depth: int


class Tape(NamedTuple):
    """What the copies of a tied repeat have decided so far, for those that follow to replay.

    It holds the decisions of the frame at `depth` in `slots`, and those of all deeper frames, by
    their paths below `base`, the path of the repeat.
    """

    depth: int
    slots: Slots
    base: Label
    answers: tuple[tuple[str, Answer], ...] = ()

    def holds(self, depth: int, slot: int) -> bool:
        """Whether the decision in a cell is one that the copies share."""
        return depth > self.depth or (depth == self.depth and self.slots[0] <= slot < self.slots[1])

    def find(self, path: str) -> Answer | None:
        """The answer that an earlier copy gave at a path."""
        below = path[len(self.base.path) :]
        return next((answer for key, answer in self.answers if key == below), None)

    def noting(self, path: str, answer: Answer) -> Tape:
        """The tape with one more answer."""
        return self._replace(answers=(*self.answers, (path[len(self.base.path) :], answer)))


class Rest:
    """A linked list of what is still to do; interned, so identity is equality."""

    __slots__ = ("data", "depth", "parent", "term")

    def __init__(self, term: Statement, depth: int, data: Any, parent: Rest | None) -> None:
        self.term = term
        self.depth = depth
        self.data = data
        self.parent = parent


# Frame 0 holds the tapes of the tied repeats now open, frame 1 belongs to the top level.
Frames: TypeAlias = tuple[tuple[Any, ...], ...]
Configuration: TypeAlias = tuple[Rest | None, Wire, Frames]
TOP = 1
MAX_STEPS = 300_000


class Ask(NamedTuple):
    """The machine needs an answer. `resume(answer)` is the configuration that follows.

    `structural` is false where no answer can change what comes after it.
    """

    label: Label
    key: str
    site: str
    kind: str
    domain: Domain
    structural: bool
    resume: Callable[[Answer], Configuration]

    def first(self) -> Answer:
        """The first option, the lowest number."""
        return self.domain.values[0] if isinstance(self.domain, Options) else self.domain.low

    def decision(self, domain: Domain) -> Decision:
        """The question as `choose` sees it, with what is left of the domain."""
        path, site = join(self.label.path, self.key), join(self.label.site, self.site)
        return Decision(path, domain, site, self.kind)


Step: TypeAlias = Configuration | Ask


class Pending(NamedTuple):
    """A value that waits for a hole of the frame at `depth`."""

    hole: Hole
    depth: int


class Recorder:
    """Receives what a walk decides; this one forgets it. `layer` gives the wire of the output."""

    def layer(
        self,
        place: str,
        op: str,
        arguments: Mapping[str, Value],
        inputs: tuple[Wire, ...],
        shape: Shape,
        inserted: bool = False,
    ) -> Wire:
        return Wire(shape)

    def copy(self, loop: Loop, label: Label, begins: bool) -> None:
        """A copy of a `shared` repeat begins, or its last one has ended."""

    def setting(self, name: str, value: Value) -> None:
        """A setting of `train { }` has its value."""

    def let(self, name: str, value: Value) -> None:
        """A top-level `let` of a space without a network has its value."""


OnLayer: TypeAlias = Callable[[Signature, Mapping[str, Value], Shape, Shape], None]
YES_OR_NO = Options((False, True), (1.0, 1.0))


def join(scope: str, key: str) -> str:
    """A path from the path of a scope and a key in it."""
    return f"{scope}/{key}" if scope and key else scope or key


class Machine:
    """The machine of one space. `program` is the whole space as one statement; `quantities` gives
    what the task asks for (`outputs`). `on_layer`, if set, sees every operation applied. A `blind`
    machine works out no shapes: enough for deciding and counting where every network fits."""

    def __init__(
        self,
        program: Statement,
        frame_size: int,
        start: Wire,
        quantities: Mapping[str, Value],
        signatures: Mapping[str, Signature],
        steps: Mapping[type, Callable[[Machine, Any, Rest, Wire, Frames], Step]],
        blind: bool = False,
    ) -> None:
        self._program = program
        self._frame_size = frame_size
        self._start = start
        self.quantities = quantities
        self.signatures = signatures
        self._steps = steps
        self.blind = blind
        self.shapes: dict[tuple[Value | Shape, ...], Shape | str] = {}  # of operations met before
        self._interned: dict[tuple[int, int, Any, int], Rest] = {}
        self.recorder = Recorder()
        self.on_layer: OnLayer | None = None
        self._values: dict[type, Callable[[Any, Frames, int], Any]] = {
            Cell: self._cell,
            Outer: lambda term, frames, depth: self.evaluate(term.inner, frames, TOP),
            Quantity: lambda term, frames, depth: self.quantities[term.name],
            Operation: self._operation,
            Make: self._make,
            RangeHole: self._range_hole,
            ChoiceHole: self._choice_hole,
            OptionalHole: self._optional_hole,
        }

    # --- driving ------------------------------------------------------------------------------

    def start(self) -> Configuration:
        """Where every walk begins. Cell 0 of a frame is the path of its scope."""
        frame = (Label("", "", ""),) + (None,) * (self._frame_size - 1)
        return self.rest(self._program, TOP, None, None), self._start, ((), frame)

    def run(self, configuration: Configuration) -> tuple[Configuration, Ask | None]:
        """Step until something is asked, or to the end (None). Raises Dead and LimitError."""
        for _ in range(MAX_STEPS):
            rest, wire, frames = configuration
            if rest is None:
                return configuration, None
            after = self.step(rest.term, rest, wire, frames)
            if type(after) is Ask:
                return configuration, after
            configuration = after  # type: ignore[assignment]
        raise LimitError(f"more than {MAX_STEPS:,} statements between two decisions, which is the limit")

    def step(self, term: Statement, rest: Rest, wire: Wire, frames: Frames) -> Step:
        """What `term`, at the head of `rest`, does next."""
        return self._steps[type(term)](self, term, rest, wire, frames)

    def rest(self, term: Statement, depth: int, data: Any, parent: Rest | None) -> Rest:
        """Put `term` before `parent`. Equal arguments give the same object."""
        key = (id(term), depth, data, id(parent))
        found = self._interned.get(key)
        if found is None:
            found = self._interned[key] = Rest(term, depth, data, parent)
        return found

    # --- values -------------------------------------------------------------------------------

    def evaluate(self, term: ValueTerm, frames: Frames, depth: int) -> Any:
        """The value of a term, or `Pending` where a hole is not answered yet. Raises Dead."""
        if type(term) is Constant:
            return term.value
        return self._values[type(term)](term, frames, depth)

    def _cell(self, term: Cell, frames: Frames, depth: int) -> Any:
        value = frames[depth][term.slot]
        if type(value) is Closure:
            return self.evaluate(value.term, frames, value.depth)
        return value

    def _operation(self, term: Operation, frames: Frames, depth: int) -> Any:
        operands = []
        for operand in term.operands:
            value = self.evaluate(operand, frames, depth)
            if type(value) is Pending:
                return value
            operands.append(value)
            if _decided_early(term.name, value):
                return value
        try:
            return term.function(*operands)
        except (ArithmeticError, ValueError, TypeError) as error:
            raise Dead(f"`{term.name}` cannot be worked out: {error}") from None

    def _make(self, term: Make, frames: Frames, depth: int) -> Any:
        arguments: dict[str, Value] = {}
        for name, argument in term.arguments:
            value = self.evaluate(argument, frames, depth)
            if type(value) is Pending:
                return value
            arguments[name] = value
        return Spec(term.signature.name, arguments)

    def _range_hole(self, term: RangeHole, frames: Frames, depth: int) -> Any:
        answer = frames[depth][term.slot]
        return Pending(term, depth) if answer is None else answer

    def _choice_hole(self, term: ChoiceHole, frames: Frames, depth: int) -> Any:
        answer = frames[depth][term.slot]
        if answer is None:
            return Pending(term, depth)
        return self.evaluate(term.options[answer], frames, depth)

    def _optional_hole(self, term: OptionalHole, frames: Frames, depth: int) -> Any:
        answer = frames[depth][term.slot]
        if answer is None:
            return Pending(term, depth)
        return self.evaluate(term.inner, frames, depth) if answer else None

    # --- asking -------------------------------------------------------------------------------

    def ask(self, pending: Pending, rest: Rest, wire: Wire, frames: Frames) -> Step:
        """Ask the hole that a value waits for; `rest` is tried again with the answer in its cell."""
        hole, depth = pending
        if type(hole) is ChoiceHole:
            domain, kind = hole.domain, "choice"
        elif type(hole) is OptionalHole:
            domain, kind = YES_OR_NO, "optional"
        else:
            assert type(hole) is RangeHole
            found = self._range_domain(hole, frames, depth)
            if type(found) is Pending:
                return self.ask(found, rest, wire, frames)
            domain, kind = found, "number"

        def resume(answer: Answer) -> Configuration:
            return rest, wire, set_cell(frames, depth, hole.slot, answer)

        label: Label = frames[depth][hole.label]
        ask = Ask(label, hole.key, hole.site, kind, domain, self.matters(hole.role), resume)
        return self.offer(ask, depth, hole.slot, frames)

    def matters(self, role: int) -> bool:
        """Whether an answer of this role can change what comes after it. Where every network fits,
        shapes change nothing."""
        return role == CONTROL or (role == SHAPES and not self.blind)

    def _range_domain(self, hole: RangeHole, frames: Frames, depth: int) -> Any:
        if hole.domain is not None:
            return hole.domain
        assert hole.low is not None and hole.high is not None and hole.build is not None
        low = self.evaluate(hole.low, frames, depth)
        high = self.evaluate(hole.high, frames, depth)
        if type(low) is Pending:
            return low
        return high if type(high) is Pending else hole.build(low, high)

    def offer(self, ask: Ask, depth: int, slot: int, frames: Frames) -> Step:
        """Ask, unless an earlier copy of a tied repeat has decided it: then go on with its answer."""
        within = [i for i, tape in enumerate(frames[0]) if tape.holds(depth, slot)]
        if not within:
            return ask
        path = join(ask.label.path, ask.key)
        for i in within:
            answer = frames[0][i].find(path)
            if answer is not None:
                return _taped(ask.resume(answer), within, path, answer)
        plain = ask.resume
        return ask._replace(resume=lambda answer: _taped(plain(answer), within, path, answer))


def _taped(configuration: Configuration, within: list[int], path: str, answer: Answer) -> Configuration:
    """Note an answer on the tapes that do not have it."""
    rest, wire, frames = configuration
    tapes = list(frames[0])
    for i in within:
        if tapes[i].find(path) is None:
            tapes[i] = tapes[i].noting(path, answer)
    return rest, wire, (tuple(tapes), *frames[1:])


def _decided_early(name: str, value: Any) -> bool:
    """`and` and `or` open no decision that they do not need."""
    return (name == "and" and not value) or (name == "or" and bool(value))


def wipe(frames: Frames, depth: int, slots: Slots) -> Frames:
    """The frames with some cells empty again."""
    first, last = slots
    if first == last:
        return frames
    frame = frames[depth]
    wiped = frame[:first] + (None,) * (last - first) + frame[last:]
    return (*frames[:depth], wiped, *frames[depth + 1 :])


def set_cell(frames: Frames, depth: int, slot: int, value: Any) -> Frames:
    """The frames with one cell changed."""
    frame = frames[depth]
    return (*frames[:depth], (*frame[:slot], value, *frame[slot + 1 :]), *frames[depth + 1 :])
