"""From a syntax tree to a Space: names, kinds, ranges, recursion and shapes. Collects every problem."""

from __future__ import annotations

from dataclasses import dataclass

from nasdsl.language import syntax as s
from nasdsl.language.answers import task_quantities
from nasdsl.language.configuration import LimitError, Wire
from nasdsl.language.deep import DeepWire, Sounding
from nasdsl.language.depth import deep_recursion
from nasdsl.language.errors import Diagnostic, SpaceError, Span
from nasdsl.language.facts import Facts
from nasdsl.language.formulas import lets_of
from nasdsl.language.importing import resolve
from nasdsl.language.machine import Machine
from nasdsl.language.network import Goal, Task
from nasdsl.language.printer import print_value
from nasdsl.language.proofs import prove_a_network, prove_requirements
from nasdsl.language.quantities import QUANTITIES
from nasdsl.language.recursion import refuse_unbounded
from nasdsl.language.requires import Requirement, requirements_of
from nasdsl.language.scope import Binding, Checker, FrameBuilder, Problems, Scope
from nasdsl.language.shapes import vector
from nasdsl.language.signatures.table import SIGNATURES
from nasdsl.language.statements import body, let
from nasdsl.language.steps import STEPS
from nasdsl.language.survey import survey
from nasdsl.language.tasks import Bound, goals_of, task_of
from nasdsl.language.terms import mark
from nasdsl.language.tree import Cell, Definition, Enter, Finish, Open, Sequence, Statement
from nasdsl.language.vocabulary import Vocabulary, vocabulary


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
    try:
        file = resolve(file, trust)
    except SpaceError as error:
        return Examination(None, error.diagnostics, Facts(), was_resolved=False)
    problems = Problems(file.source, file.imported)
    has_network = any(isinstance(item, s.Network) for item in file.items)
    c = Checker(problems, has_network, print_value, QUANTITIES, trust=trust)
    _refuse_later_items(c, file)
    _refuse_second(c, file)
    frame = FrameBuilder()
    top = Scope(frame, references=problems.facts.references)
    _definitions(c, file, top)
    opened = _top_lets(c, file, top)
    parts = _parts(c, file, top)
    _spread_roles(c)
    task = task_of(c, file, bound)
    program = Sequence((0, 0), (*([] if has_network else opened), *parts))
    _warn_unused(c, top)
    can_fail = False
    if not problems.errors and has_network:
        assert task is not None
        start = next(iter(task.inputs.values()))
        can_fail = survey(problems, program, start, task_quantities(task))
    lines = [item for item in file.items if isinstance(item, s.Require)]
    words = vocabulary(program) if lines else Vocabulary()
    apart = ("params", "trainable_params") if c.shares_vectors else ()
    requirements = requirements_of(problems, lines, words, lets_of(file) if lines else {}, apart)
    if not problems.errors and (requirements or (can_fail and has_network)):
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
    )
    return Examination(checked, checked.warnings, problems.facts)


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
    head = requirements[0].condition.span if network is None else Span(*_head(network))
    try:
        if network is not None and concrete and can_fail:
            prove_a_network(c.problems, machine_of(program, frame_size, task), head)
        if requirements and not c.problems.errors:

            def machine(deep: bool) -> Machine:
                return machine_of(program, frame_size, task, blind=not concrete, deep=deep)

            prove_requirements(c.problems, machine, requirements, concrete and network is not None)
    except LimitError as error:
        c.problems.error("limit", str(error), head)


def _head(node: s.Network) -> tuple[int, int, int, int, int, int]:
    """The word `network` alone, so that a caret does not run over the whole body."""
    at = node.span
    width = len("network")
    return at.start, at.start + width, at.line, at.column, at.line, at.column + width


def machine_of(
    statement: Statement, frame_size: int, task: Task | None, blind: bool = False, deep: bool = False
) -> Machine:
    """The machine that runs a checked program on the data of its task; its wires may know their depth."""
    shape = next(iter(task.inputs.values())) if task else vector(1)
    wire = DeepWire(shape) if deep else Wire(shape)
    machine = Machine(statement, frame_size, wire, task_quantities(task), SIGNATURES, STEPS, blind)
    machine.recorder = Sounding() if deep else machine.recorder
    return machine


def _refuse_later_items(c: Checker, file: s.File) -> None:
    for item in file.items:
        match item:
            case s.Use():
                c.problems.error("not-yet", "`use` is not part of this version", item.span)
            case s.Network(inputs=inputs) if len(inputs) > 1:
                message = "networks of several inputs are not part of this version"
                c.problems.error("not-yet", message, item.span)
            case _:
                pass


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
            c.problems.error("duplicate-part", message, item.span)
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
            c.problems.error("duplicate-name", message, item.span)
            continue
        c.blocks[item.name] = item
        definition = Definition(item.name, tuple(p.name for p in item.parameters))
        top.definitions[item.name] = definition
        found.append((item, definition))
    _top_names(c, file, top)
    for item, definition in found:
        _define(c, item, definition, top)
    refuse_unbounded(c, [item for item, _ in found])


def _top_names(c: Checker, file: s.File, top: Scope) -> None:
    for item in file.items:
        if isinstance(item, s.Let):
            let(c, item, top)


def _define(c: Checker, item: s.BlockDefinition, definition: Definition, top: Scope) -> None:
    frame = FrameBuilder()
    scope = Scope(frame, parent=top, definitions=top.definitions, references=top.references)
    cells: list[Cell] = []
    for parameter in item.parameters:
        if parameter.kind is not None:
            c.problems.error("not-yet", "wires as parameters are not part of this version", parameter.span)
        if parameter.name in scope.names:
            message = f"`{parameter.name}` is a parameter twice"
            c.problems.error("duplicate-name", message, parameter.span)
        cell = Cell(frame.cell(), parameter.name)
        scope.names[parameter.name] = Binding(cell, parameter.span, "parameter")
        cells.append(cell)
    c.cells[item.name] = tuple(cells)
    inner = scope.inner()
    definition.complete(body(c, item.body, inner), frame.size)
    for name, binding in scope.names.items():
        if not binding.used:
            message = f"block `{item.name}` never uses its parameter `{name}`"
            c.problems.warn("unused-parameter", message, binding.span)


def _spread_roles(c: Checker) -> None:
    """What a block makes of its parameters holds for the decisions in the arguments of its uses."""
    news = True
    while news:
        news = False
        for definition, arguments in c.uses:
            for cell, argument in zip(c.cells[definition.name], arguments, strict=True):
                news = mark(argument, cell.role) or news


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
            parts.append(body(c, item.body, scope))
            if kind is s.Network:
                parts.append(Finish((0, 0), span=_last_span(item.body)))
    return parts


def _last_span(block: s.Block) -> Span:
    return block.statements[-1].span if block.statements else block.span


def _warn_unused(c: Checker, top: Scope) -> None:
    if not c.has_network:
        return
    for name, binding in top.names.items():
        if not binding.used and c.problems.place(binding.span)[0] is c.problems.source:
            message = f"`{name}` is never used, and decides nothing"
            c.problems.warn("unused-let", message, binding.span)
