"""The meaning of a checked space, as a machine that moves one step at a time.

A step takes one configuration to the next, asks a decision, fails (`Dead`), or is the end. Nothing else
knows what a term means: deciding, counting, ranking and planning all drive this one machine, so they
cannot disagree.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from nasdsl.language.ahead import Known
from nasdsl.language.configuration import (
    TOP,
    YES_OR_NO,
    Ask,
    Closure,
    Configuration,
    Dead,
    Frames,
    Label,
    LimitError,
    Pending,
    Rest,
    Step,
    Wire,
    join,
    set_cell,
)
from nasdsl.language.decisions import Answer
from nasdsl.language.kinds import as_kind, refusal, suits
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Argument, ShapeError, Signature
from nasdsl.language.signatures.structure import EDGES
from nasdsl.language.tree import (
    CONTROL,
    SHAPES,
    Cell,
    ChoiceHole,
    Constant,
    Loop,
    Make,
    Operation,
    OptionalHole,
    Outer,
    Quantity,
    RangeHole,
    Statement,
    ValueTerm,
    Whether,
)

MAX_STEPS = 250_000


class OutOfSteps(LimitError):
    """A machine has taken all the steps that it was given."""


class Recorder:
    """Receives what a walk decides; this one forgets it. `layer` gives the wire of the output; `shares`
    is the place of the layer whose weights it uses, if those are not its own."""

    def layer(
        self,
        place: str,
        op: str,
        arguments: Mapping[str, Value],
        inputs: tuple[Wire, ...],
        shape: Shape,
        inserted: bool = False,
        shares: str = "",
    ) -> Wire:
        return Wire(shape)

    def open_body(self, scope: str, shape: Shape) -> Wire:
        """The body of an operation begins, on a wire of its own; `scope` is the place around it."""
        return Wire(shape)

    def close_body(
        self,
        place: str,
        op: str,
        arguments: Mapping[str, Value],
        wires: tuple[Wire, ...],
        shape: Shape,
        shares: str,
    ) -> Wire:
        """The body has ended: the operation that has it, on its input, and what the body gives."""
        return Wire(shape)

    def edges(self, n: int) -> None:
        """A node of a graph reads so many wires."""

    def output(self, name: str, wire: Wire) -> None:
        """The network ends with this wire, or one of its outputs does."""

    def setting(self, name: str, value: Value) -> None:
        """A setting of `train { }` has its value."""

    def let(self, name: str, value: Value) -> None:
        """A top-level `let` of a space without a network has its value."""


OnLayer: TypeAlias = Callable[[Signature, Mapping[str, Value], Shape, Shape], None]


class Machine:
    """The machine of one space. `program` is the whole space as one statement; `quantities` gives
    what the task asks for (`outputs`), `inputs` are those of the network by name. `on_layer`, if set, sees every operation applied. A `blind`
    machine works out no shapes: enough for deciding and counting where every network fits. One that `weaves`
    moves the copies of a tied repeat side by side; see weaving.py."""

    def __init__(
        self,
        program: Statement,
        frame_size: int,
        start: Wire,
        quantities: Mapping[str, Value],
        signatures: Mapping[str, Signature],
        steps: Mapping[type, Callable[[Machine, Any, Rest, Wire, Frames], Step]],
        blind: bool = False,
        inputs: Mapping[str, Wire] | None = None,
        weaves: bool = False,
    ) -> None:
        self.inputs = inputs or {}
        self.weaves = weaves
        self._program = program
        self._frame_size = frame_size
        self._start = start
        self.quantities = quantities
        self.signatures = signatures
        self._steps = steps
        self.blind = blind
        self.shapes: dict[tuple[Value | Shape, ...], Shape | ShapeError] = {}  # of operations met before
        self._interned: dict[tuple[int, int, Any, int], Rest] = {}
        self.openings: Known = {}  # what terms decide, where copies go side by side
        self.steps_left = sys.maxsize  # of all walks together; folds measure by it what they cost
        self.recorder = Recorder()
        self.on_layer: OnLayer | None = None
        self._values: dict[type, Callable[[Any, Frames, int], Any]] = {
            Cell: self._cell,
            Outer: lambda term, frames, depth: self.evaluate(term.inner, frames, TOP),
            Quantity: lambda term, frames, depth: self.quantities[term.name],
            Operation: self._operation,
            Whether: self._whether,
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
        steps, most = 0, min(MAX_STEPS, self.steps_left)
        try:
            while steps < most:
                steps += 1
                rest, wire, frames = configuration
                if rest is None:
                    return configuration, None
                after = self.step(rest.term, rest, wire, frames)
                if type(after) is Ask:
                    return configuration, after
                configuration = after  # type: ignore[assignment]
        finally:
            self.steps_left -= steps
        if self.steps_left <= 0:
            raise OutOfSteps("this takes more steps than it is given")
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

    def record(
        self,
        place: str,
        op: str,
        arguments: Mapping[str, Value],
        inputs: tuple[Wire, ...],
        shape: Shape,
        inserted: bool = False,
        shares: str = "",
    ) -> Wire:
        """Tell the recorder of a layer; its wire. It remembers the last cell that its inputs do."""
        wire = self.recorder.layer(place, op, arguments, inputs, shape, inserted, shares)
        for one in inputs:
            if one.before is not None:
                return wire.after(one.before)
        return wire.after(None)

    def read(self, n: int, wire: Wire, label: Label) -> None:
        """Tell of a node of a graph that reads `n` wires. Copies that decide once have the edges of one."""
        if self.blind or label.is_again:
            return
        self.recorder.edges(n)
        if self.on_layer is not None:
            self.on_layer(EDGES, {"edges": n}, wire.shape, wire.shape)

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

    def _whether(self, term: Whether, frames: Frames, depth: int) -> Any:
        value = self.evaluate(term.value, frames, depth)
        return value if type(value) is Pending else type(value) is Spec and value.name == term.name

    def _make(self, term: Make, frames: Frames, depth: int) -> Any:
        arguments: dict[str, Value] = {}
        for name, argument in term.arguments:
            value = self.evaluate(argument, frames, depth)
            if type(value) is Pending:
                return value
            arguments[name] = value
        self.suit(arguments, term.checks)
        return Spec(term.signature.name, arguments)

    def suit(self, arguments: dict[str, Any], checks: tuple[Argument, ...]) -> None:
        """Bring what was worked out to the kinds of its arguments; one that is left out has its default. Raises Dead
        where a value does not suit; not where the machine is blind, which takes whatever can fail for fitting."""
        for argument in checks:
            name, kind = argument.name, argument.kind
            value = arguments[name]
            if value is None and not argument.required:
                arguments[name] = argument.default
            elif suits(value, kind):
                arguments[name] = as_kind(value, kind)
            elif not self.blind:
                message, help = refusal(name, value, kind)
                raise Dead(f"{message}: {help}" if help else message)

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

        if isinstance(rest.term, Loop) and rest.term.count is hole:
            kind = "count"
        label: Label = frames[depth][hole.label]
        bends = hole.role == CONTROL or (type(hole) is RangeHole and hole.bends)
        ask = Ask(label, hole.key, hole.site, kind, domain, self.matters(hole.role), resume, bends)
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
        if type(high) is Pending:
            return high
        try:
            return hole.build(low, high)
        except ValueError as error:
            raise Dead(str(error)) from None

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
