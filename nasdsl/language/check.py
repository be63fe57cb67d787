"""From a syntax tree to a Space: names, kinds, ranges, recursion and shapes. Collects every problem."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nasdsl.language import syntax as s
from nasdsl.language.answers import task_quantities
from nasdsl.language.configuration import LimitError, Wire
from nasdsl.language.deep import DeepWire, Sounding
from nasdsl.language.depth import deep_recursion
from nasdsl.language.errors import NOWHERE, Diagnostic, SpaceError, Span
from nasdsl.language.estimates import Wires
from nasdsl.language.facts import Facts
from nasdsl.language.footprint import footprint
from nasdsl.language.formulas import lets_of
from nasdsl.language.importing import resolve
from nasdsl.language.lacking import warn_of_lacks
from nasdsl.language.machine import Machine
from nasdsl.language.network import Goal, Task
from nasdsl.language.printer import print_value
from nasdsl.language.proofs import prove_a_network, prove_requirements
from nasdsl.language.quantities import QUANTITIES
from nasdsl.language.recursion import DEPTH, carries_depth, refuse_unbounded
from nasdsl.language.requires import Requirement, requirements_of
from nasdsl.language.scope import Binding, Checker, FrameBuilder, NamedWire, Problems, Scope
from nasdsl.language.shapes import INFINITE, LAYOUTS_BY_AXES, Shape, interval, vector
from nasdsl.language.signatures.table import SIGNATURES
from nasdsl.language.statements import body, let
from nasdsl.language.steps import STEPS
from nasdsl.language.surroundings import Surroundings
from nasdsl.language.survey import survey
from nasdsl.language.tasks import Bound, goals_of, task_of
from nasdsl.language.terms import mark, mark_bent
from nasdsl.language.training_rules import refuse_misfits
from nasdsl.language.tree import (
    Cell,
    Constant,
    Definition,
    Enter,
    Finish,
    Inputs,
    Open,
    Sequence,
    Statement,
)
from nasdsl.language.trusting import bring, folder_of, is_trusted, trusts_everything
from nasdsl.language.vocabulary import Vocabulary, vocabulary

_NOTHING = Surroundings()


@dataclass(frozen=True)
class Program:
    """A checked file: everything that a Space is made of."""

    file: s.File
    statement: Statement
    frame_size: int
    task: Task | None
    goals: tuple[Goal, ...]
    requirements: tuple[Requirement, ...]
    start: tuple[s.Setting, ...]
    has_network: bool
    can_fail: bool
    warnings: tuple[Diagnostic, ...]
    trust: bool = False  # whether its author is trusted


@dataclass(frozen=True)
class Examination:
    """What a check finds: `program` is None where there are errors; `was_resolved` says whether what
    the file imports could be had."""

    program: Program | None
    problems: tuple[Diagnostic, ...]
    facts: Facts
    was_resolved: bool = True


def check(file: s.File, bound: Bound | None = None, trust: bool = False) -> Program:
    """Check one file and what it imports. Raises SpaceError with every problem, ordered by place.

    With `trust` it may name files outside its folder.
    """
    found = examine(file, bound, trust)
    if found.program is None:
        raise SpaceError(found.problems)
    return found.program


@deep_recursion()
def examine(file: s.File, bound: Bound | None = None, trust: bool = False) -> Examination:
    """Check one file, and keep what was learnt of it also where there are errors."""
    trust = trust or trusts_everything()
    try:
        file = resolve(file, trust)
    except SpaceError as error:
        return Examination(None, error.diagnostics, Facts(), was_resolved=False)
    problems = Problems(file.source, file.imported)
    try:
        return _examined(problems, file, bound, trust)
    except SpaceError as error:  # a limit, at which the check stops
        return Examination(None, error.diagnostics, problems.facts)


def _examined(problems: Problems, file: s.File, bound: Bound | None, trust: bool) -> Examination:
    """The check of a file that has all that it imports."""
    has_network = any(isinstance(item, s.Network) for item in file.items)
    c = Checker(problems, has_network, print_value, tuple(QUANTITIES), trust=trust)
    _use_modules(c, file)
    _refuse_second(c, file)
    _refuse_nothing(c, file)
    frame = FrameBuilder()
    top = Scope(frame, references=problems.facts.references)
    _definitions(c, file, top)
    opened = _top_lets(c, file, top)
    parts = _parts(c, file, top)
    _spread_roles(c)
    task = task_of(c, file, bound)
    if task is not None:
        refuse_misfits(c, Sequence((0, 0), tuple(parts)), task)
    program = Sequence((0, 0), (*([] if has_network else opened), *parts))
    _warn_unused(c, top)
    can_fail = False
    if task is not None:
        _match_inputs(c, file, task)
    if task is not None and bound is None:  # who binds other data knows what they have
        warn_of_lacks(c, program, task)
    if not problems.errors and has_network:
        assert task is not None
        can_fail = survey(problems, program, _surveyed(task), task_quantities(task))
    lines = [item for item in file.items if isinstance(item, s.Require)]
    words = vocabulary(program) if lines else Vocabulary()
    apart = ("params", "trainable_params") if c.shares_vectors else ()
    requirements = requirements_of(problems, lines, words, lets_of(file) if lines else {}, apart)
    if not problems.errors:
        _prove(c, file, task, program, frame.size, requirements, can_fail)
    goals = goals_of(c, file, task)
    if problems.errors:
        return Examination(None, tuple(problems.report()), problems.facts)
    start_settings = [item for item in file.items if isinstance(item, s.Start)]
    checked = Program(
        file,
        program,
        frame.size,
        task,
        goals,
        requirements,
        start_settings[0].settings if start_settings else (),
        has_network,
        can_fail,
        tuple(problems.report()),
        trust,
    )
    return Examination(checked, checked.warnings, problems.facts)


def _match_inputs(c: Checker, file: s.File, task: Task) -> None:
    """The names of a network's inputs are those of the data, unless there is but one of each."""
    for item in file.items:
        if not isinstance(item, s.Network) or len(item.inputs) <= 1 == len(task.inputs):
            continue
        if set(item.inputs) != set(task.inputs):
            there = (
                f"the input{'s' * (len(task.inputs) > 1)} {', '.join(f'`{name}`' for name in task.inputs)}"
            )
            names = ", ".join(f"`{name}`" for name in item.inputs) or "none by name"
            message = f"the data have {there}, and the network takes {names}"
            help = (
                f"write `network({', '.join(task.inputs)}) {{ … }}`"
                if len(task.inputs) > 1
                else f'several inputs come as arrays of a file, `npz("data.npz", inputs = "{",".join(item.inputs)}", …)`, '
                "or from Python, as a dictionary of arrays"
            )
            c.problems.error("wrong-data", message, item.head, help)


def _surveyed(task: Task) -> dict[str, Wires]:
    """All shapes that an input can have; arrays in a file may be of any layout until they are read."""
    if task.data is None or task.data.name != "npz" or task.kind == "segmentation":
        return {name: {shape.layout: shape} for name, shape in task.inputs.items()}
    unknown = interval(1, INFINITE)
    any_of = {layout: Shape((unknown,) * axes, layout) for axes, layout in enumerate(LAYOUTS_BY_AXES, 1)}
    return {name: {shape.layout: shape} if shape.concrete else any_of for name, shape in task.inputs.items()}


def _prove(
    c: Checker,
    file: s.File,
    task: Task | None,
    program: Statement,
    frame_size: int,
    requirements: tuple[Requirement, ...],
    can_fail: bool,
) -> None:
    """What needs the shapes of the data only where they are known."""
    concrete = task is None or all(shape.concrete for shape in task.inputs.values())
    network = next((item for item in file.items if isinstance(item, s.Network)), None)
    head = network.head if network is not None else file.items[0].span if file.items else NOWHERE
    try:
        blind = network is None or not (concrete and can_fail)
        prove_a_network(c.problems, machine_of(program, frame_size, task, blind=blind), head)
        if requirements and not c.problems.errors:

            def machine(blind: bool, deep: bool) -> Machine:
                return machine_of(program, frame_size, task, blind=blind, deep=deep)

            has_costs = concrete and network is not None
            fits = not (concrete and can_fail)
            memory = footprint(program) if any(line.memory for line in requirements) else None
            prove_requirements(c.problems, machine, requirements, has_costs, fits, memory)
    except LimitError as error:
        help = "repeat fewer times, or let blocks use one another less often"
        c.problems.error("limit", str(error), head, help)


def machine_of(
    statement: Statement,
    frame_size: int,
    task: Task | None,
    blind: bool = False,
    deep: bool = False,
    weaves: bool = False,
) -> Machine:
    """The machine that runs a checked program on the data of its task; its wires may know their depth, and
    the copies of its tied repeats go side by side."""
    inputs = task.inputs if task else {"input": vector(1)}
    wires = tuple((DeepWire if deep else Wire)(shape, name) for name, shape in inputs.items())
    given = task_quantities(task)
    named = {wire.name: wire for wire in wires}
    machine = Machine(statement, frame_size, wires[0], given, SIGNATURES, STEPS, blind, named, weaves)
    machine.recorder = Sounding() if deep else machine.recorder
    return machine


def _use_modules(c: Checker, file: s.File) -> None:
    for item in file.items:
        if isinstance(item, s.Use):
            _bring(c, file, item)


def _bring(c: Checker, file: s.File, item: s.Use) -> None:
    """The operations of a module, where the author of the file is trusted."""
    if not c.trust and not is_trusted(file, item.module):
        message = (
            f'`use "{item.module}"` runs Python of the author of this file, whom you have not said you trust'
        )
        help = "read that module, then pass `--trust`, or say so for good: `nasdsl trust FILE`"
        c.problems.error("untrusted", message, item.span, help)
        return
    try:
        bring(item.module, folder_of(file, item.module))
    except Exception as error:
        message = f"`{item.module}` cannot be used: {type(error).__name__}: {error}"
        script = item.module.endswith(".py")
        alone = f"python {item.module}" if script else f"python -c 'import {item.module}'"
        help = f"mend the module first; `{alone}` shows where it stops"
        c.problems.error("bad-module", message.splitlines()[0][:300], item.span, help)


_SMALLEST = """the smallest space is
    task classification on digits
    network { flatten; linear(16 | 32); linear(outputs) }"""


def _refuse_nothing(c: Checker, file: s.File) -> None:
    """A file without anything to decide, build or import is none that anybody meant to write."""
    kinds = (s.Let, s.BlockDefinition, s.Import, s.Network, s.Train)
    if not any(isinstance(item, kinds) for item in file.items) and not file.imported:
        at = file.items[0].span if file.items else NOWHERE
        message = "this file says nothing of a space: no `network { }`, no `let`, no `block`"
        c.problems.error("empty-space", message, at, _SMALLEST)


def _refuse_second(c: Checker, file: s.File) -> None:
    """At most one network, train, task and start."""
    first: dict[type, s.Item] = {}
    for item in file.items:
        if not isinstance(item, s.Network | s.Train | s.Task | s.Start):
            continue
        if type(item) in first:
            word = type(item).__name__.lower()
            line = first[type(item)].span.line
            message = f"a file has one `{word}`; the first stands on line {line}"
            c.problems.error("duplicate-part", message, item.span, "put both into one, or into two files")
        first.setdefault(type(item), item)


def _definitions(c: Checker, file: s.File, top: Scope) -> None:
    """All blocks by name first, since they may use one another; then their bodies."""
    found: list[tuple[s.BlockDefinition, Definition]] = []
    for item in file.items:
        if not isinstance(item, s.BlockDefinition):
            continue
        if item.name in c.blocks:
            where = c.problems.where(c.blocks[item.name].span)
            message = f"block `{item.name}` is already defined, {where}"
            c.problems.error(
                "duplicate-name", message, item.span, f"call this one `{item.name}_2`, or leave it out"
            )
            continue
        c.blocks[item.name] = item
        wires = frozenset(p.name for p in item.parameters if p.kind == "wire")
        bounds_itself = carries_depth(item)
        c.bounded |= {item.name} if bounds_itself else set()
        own = (*(p.name for p in item.parameters), *((DEPTH,) if bounds_itself else ()))
        definition = Definition(item.name, own, wires)
        top.definitions[item.name] = definition
        found.append((item, definition))
    c.define = lambda item, definition, around: _define(c, item, definition, top, around)
    _top_names(c, file, top)
    for item, definition in found:
        _define(c, item, definition, top)
    refuse_unbounded(c, [item for item, _ in found])


def _top_names(c: Checker, file: s.File, top: Scope) -> None:
    for item in file.items:
        if isinstance(item, s.Let):
            let(c, item, top)


def _define(
    c: Checker, item: s.BlockDefinition, definition: Definition, top: Scope, around: Surroundings = _NOTHING
) -> None:
    """The body of a block. The parameters that come after its own are the free names of what is around it."""
    frame = FrameBuilder()
    scope = Scope(frame, parent=top, definitions=top.definitions, references=top.references)
    cells: list[Cell] = []
    for parameter in item.parameters:
        _check_kind(c, parameter)
        if parameter.name in scope.names or parameter.name in scope.wires:
            message = f"`{parameter.name}` is a parameter twice"
            c.problems.error(
                "duplicate-name", message, parameter.span, "each parameter has a name of its own"
            )
        cell = Cell(frame.cell(), parameter.name)
        binding = Binding(cell, parameter.span, "parameter")
        cells.append(cell)
        if parameter.name in definition.wires:
            scope.wires[parameter.name] = NamedWire(cell.slot, parameter.span, binding=binding)
        else:
            scope.names[parameter.name] = binding
    _note_dag(c, item.body)
    inner = scope.inner()
    if around:
        hidden, there = definition.parameters[len(item.parameters) :], replace(scope, names={}, parent=top)
        for name in hidden[: -1 if item.name in c.bounded else None]:
            cell = Cell(frame.cell(), name)
            there.names[name] = Binding(cell, item.span, "parameter", used=True)
            cells.append(cell)
        inner = replace(inner, surroundings=around.seen_from(there))
    outside = c.within
    c.within = None
    if item.name in c.bounded:
        cells.append(Cell(frame.cell(), DEPTH))
        c.within = item.name, cells[-1]
    c.cells[id(definition)] = tuple(cells)
    if len(definition.wires) == 1:  # it is the one that flows
        scope.wires[next(iter(definition.wires))].flow()
    definition.complete(body(c, item.body, inner), frame.size)
    c.within = outside
    named = {name: wire.binding for name, wire in scope.wires.items() if wire.binding is not None}
    for name, binding in (scope.names | named).items():
        if not binding.used:
            message = f"block `{item.name}` never uses its parameter `{name}`"
            help = "leave it out, here and where the block is used, or use it in the body"
            c.problems.warn("unused-parameter", message, binding.span, help)


def _check_kind(c: Checker, parameter: s.Parameter) -> None:
    if parameter.kind not in (None, "wire"):
        message = f"a parameter is a value or a `wire`, not `{parameter.kind}`"
        help = f"a value needs no kind: write `{parameter.name}` alone"
        c.problems.unknown("unknown-name", message, parameter.span, str(parameter.kind), ["wire"], help)
    elif parameter.kind == "wire" and parameter.default is not None:
        message = f"the wire `{parameter.name}` cannot have a default"
        help = f"write `{parameter.name}: wire`; what it is comes after `from`, where the block is used"
        c.problems.error("wrong-kind", message, parameter.span, help)


def _note_dag(c: Checker, block: s.Block) -> None:
    """A dag that begins a body has the wires of the body as its own."""
    first = block.statements[0] if block.statements else None
    if isinstance(first, s.Do):
        c.whole_bodies.add(id(first.value))


def _spread_roles(c: Checker) -> None:
    """What a block makes of its parameters holds for the decisions in the arguments of its uses."""
    news = True
    while news:
        news = False
        for definition, arguments in c.uses:
            for cell, argument in zip(c.cells[id(definition)], arguments, strict=True):
                news = mark(argument, cell.role) or news
                news = (cell.bends and mark_bent(argument)) or news


def _top_lets(c: Checker, file: s.File, top: Scope) -> list[Statement]:
    """In a space without a network every let opens, in order."""
    return [Open((0, 0), name, binding.term, span=binding.span) for name, binding in top.names.items()]


def _parts(c: Checker, file: s.File, top: Scope) -> list[Statement]:
    """The network, then the training; each under its name."""
    parts: list[Statement] = []
    for kind, key in ((s.Network, "network"), (s.Train, "train")):
        for item in file.items:
            if not isinstance(item, kind):
                continue
            label = top.frame.cell()
            scope = top.labelled(label)
            scope.in_train = kind is s.Train
            parts.append(Enter((0, 0), label, key))
            if isinstance(item, s.Network):
                parts += _network(c, item, scope)
            else:
                parts.append(body(c, item.body, scope))
    return parts


def _network(c: Checker, item: s.Network, scope: Scope) -> list[Statement]:
    """The inputs that have names, the body, and what the task asks for."""
    begin: list[Statement] = []
    for name in item.inputs:
        if name in scope.wires:
            help = "each input stands once, by the name that the data give it"
            c.problems.error("duplicate-name", f"`{name}` is an input twice", item.span, help)
        scope.wires[name] = NamedWire(
            scope.frame.cell(), item.span, binding=Binding(Constant(None), item.span, "input")
        )
    if item.inputs:
        begin.append(Inputs((0, 0), {name: wire.cell for name, wire in scope.wires.items()}))
        scope.wires[item.inputs[0]].flow()
    _note_dag(c, item.body)
    last = item.body.statements[-1] if item.body.statements else None
    c.last_statements = {id(last.value)} if isinstance(last, s.Do) else set()
    c.outputs = {}
    inner = body(c, item.body, scope)
    for name, wire in scope.wires.items():
        if wire.binding is not None and not wire.binding.used:
            help = f"begin a wire of a `dag` with `from {name}`, or leave the input out here and in the task"
            c.problems.warn("unused-wire", f"nothing reads the input `{name}`", item.span, help)
    return [*begin, inner, Finish((0, 0), c.outputs, span=_last_span(item.body))]


def _last_span(block: s.Block) -> Span:
    return block.statements[-1].span if block.statements else block.span


def _warn_unused(c: Checker, top: Scope) -> None:
    if not c.has_network:
        return
    for name, binding in top.names.items():
        if not binding.used and c.problems.place(binding.span)[0] is c.problems.source:
            message = f"`{name}` is never used, and decides nothing"
            c.problems.warn("unused-let", message, binding.span, "use its name, or leave the line out")
