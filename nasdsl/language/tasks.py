"""`task … on …`, and `maximize` / `minimize`: what is learned, and what counts as good."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from nasdsl.language import syntax as s
from nasdsl.language.errors import Span
from nasdsl.language.network import Goal, Spec, Task, Value
from nasdsl.language.quantities import QUANTITIES
from nasdsl.language.scope import Checker, FrameBuilder, Scope
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures import table
from nasdsl.language.signatures.data import task_shapes
from nasdsl.language.signatures.measures import KINDS, MEASURES, USUAL, measures_of
from nasdsl.language.signatures.signature import ShapeError
from nasdsl.language.tree import Constant
from nasdsl.language.values import bind, refuse_later

_TO_TARGET = "time_to_target"
_EXAMPLE_OF_SHAPES = "for example `shapes(image = shape(3, 32, 32), table = shape(12), classes = 10)`"
_EXAMPLE_OF_TARGET = "for example `minimize time_to_target(accuracy = 0.9)`"


@dataclass(frozen=True)
class Bound:
    """What the user's data turned out to be: shapes of the inputs, and `outputs`."""

    inputs: Mapping[str, Shape]
    outputs: int


def task_of(c: Checker, file: s.File, bound: Bound | None) -> Task | None:
    """The task of a file; a network without one is an error."""
    items = [item for item in file.items if isinstance(item, s.Task)]
    if not items:
        if c.has_network:
            network = next(item for item in file.items if isinstance(item, s.Network))
            message = "a network needs a task, which says what comes in and how many outputs there are"
            help = "for example `task classification on digits`"
            c.problems.error("missing-task", message, network.span, help)
        return None
    item = items[0]
    if not _known_kind(c, item):
        return None
    spec = _data(c, item)
    if bound is not None:
        return Task(item.kind, spec, bound.inputs, bound.outputs)
    if spec is None:
        return None
    try:
        inputs, outputs = task_shapes(item.kind, spec)
    except ShapeError as error:
        c.problems.error("wrong-data", str(error), item.span, error.help)
        return None
    return Task(item.kind, spec, inputs, outputs)


def _known_kind(c: Checker, item: s.Task) -> bool:
    if item.kind in KINDS:
        return True
    c.problems.unknown("unknown-task", f"no task is called `{item.kind}`", item.span, item.kind, KINDS)
    return False


def _data(c: Checker, item: s.Task) -> Spec | None:
    """The data set as a Spec; all its arguments stand fixed."""
    node = item.data
    if node is None:
        help = "for example `task classification on digits`, or `on shape(3, 32, 32, classes = 10)`"
        c.problems.error("missing-data", "a task says on which data", item.span, help)
        return None
    if isinstance(node, s.Name):
        node = s.Call(node.id, span=node.span)
    if not isinstance(node, s.Call):
        help = 'for example `on digits`, or `on csv("wine.csv", target = "quality")`'
        c.problems.error("unknown-data", "after `on` stands a data set", item.span, help)
        return None
    row = table.find(node.name, ("data",))
    if row is None:
        known = table.names(("data",))
        message = f"no data set is called `{node.name}`"
        help = "a file is `csv(…)` or `npz(…)`, shapes alone are `shape(…)`; built in are " + ", ".join(
            f"`{name}`" for name in known if not table.SIGNATURES[name].arguments
        )
        c.problems.unknown("unknown-data", message, node.span, node.name, known, help)
        return None
    if refuse_later(c, row, node.span):
        return None
    if row.name == "shapes":
        return _shapes(c, node)
    before = len(c.problems.errors)
    arguments = bind(c, row, node, Scope(FrameBuilder()))
    for name, term in arguments:
        if not isinstance(term, Constant):
            message = f"`{name}` of a data set stands fixed: data are no decision"
            help = "write one value; what is searched stands in `network { }` and `train { }`"
            c.problems.error("wrong-kind", message, node.span, help)
    if len(c.problems.errors) > before:
        return None
    if row.name == "python" and not c.trust:
        message = "`python` runs code of the author of this file"
        help = "read it, and if you trust it say `--trust`"
        c.problems.error("untrusted", message, node.span, help)
        return None
    _look_for_file(c, node, {name: term.value for name, term in arguments if isinstance(term, Constant)})
    return Spec(row.name, {name: term.value for name, term in arguments if isinstance(term, Constant)})


def _shapes(c: Checker, node: s.Call) -> Spec | None:
    """`shapes(image = shape(3, 32, 32), table = shape(12), classes = 10)`: inputs by name."""
    known: dict[str, Value] = {}
    for argument in node.arguments:
        inner = argument.value
        if argument.name is None or argument.name in known:
            message = "each input of `shapes` has a name of its own"
            c.problems.error("wrong-kind", message, argument.span, _EXAMPLE_OF_SHAPES)
            return None
        if argument.name == "classes" and isinstance(inner, s.Number) and isinstance(inner.value, int):
            known["classes"] = inner.value
            continue
        if not (isinstance(inner, s.Call) and inner.name == "shape"):
            message = f"the input `{argument.name}` takes a shape"
            c.problems.error("wrong-kind", message, argument.span, _EXAMPLE_OF_SHAPES)
            return None
        terms = bind(c, table.SIGNATURES["shape"], inner, Scope(FrameBuilder()))
        known[argument.name] = Spec("shape", {name: t.value for name, t in terms if isinstance(t, Constant)})
    if len(known) - ("classes" in known) < 1:
        c.problems.error("wrong-kind", "`shapes` has no input", node.span, _EXAMPLE_OF_SHAPES)
        return None
    return Spec("shapes", known)


def _look_for_file(c: Checker, node: s.Call, arguments: Mapping[str, object]) -> None:
    """A file named in a space is relative to it and stays below its folder; that it is missing is no
    mistake of the space, only a warning."""
    path = arguments.get("path")
    name = c.problems.source.name
    if not isinstance(path, str) or not os.path.isfile(name):
        return
    folder = os.path.realpath(os.path.dirname(name))
    found = os.path.realpath(os.path.join(folder, path))
    if not c.trust and os.path.commonpath([folder, found]) != folder:
        message = f'"{path}" lies outside the folder of this file'
        help = "put the data beside the space, or give them with `--data FILE`"
        c.problems.error("file-outside", message, node.span, help)
    elif not os.path.exists(found):
        message = f'there is no file "{path}" beside this space'
        c.problems.warn("missing-file", message, node.span, "`search` will need it, or `--data FILE`")


def goals_of(c: Checker, file: s.File, task: Task | None) -> tuple[Goal, ...]:
    """The objectives, the first of them the score; without a line, the usual measure of the task."""
    goals: dict[str, Goal] = {}
    items = [item for item in file.items if isinstance(item, s.Objective)]
    for item in items:
        goal = _goal(c, item, task)
        if goal is not None and goal.measure in goals:
            message = f"`{goal.measure}` is an objective already"
            c.problems.error("duplicate-objective", message, item.span, "each measure has one line")
        elif goal is not None:
            goals[goal.measure] = goal
    if items:
        return tuple(goals.values())
    if task is None:
        return (Goal("score", True),)
    return (Goal(USUAL[task.kind], bool(MEASURES[USUAL[task.kind]].larger)),)


def _goal(c: Checker, item: s.Objective, task: Task | None) -> Goal | None:
    if isinstance(item.value, s.Call) and item.value.name == _TO_TARGET:
        return _to_target(c, item, item.value, task)
    if not isinstance(item.value, s.Name):
        message = "an objective is the name of a measure"
        help = "for example `maximize accuracy`; several goals have a line each"
        c.problems.error("bad-objective", message, item.value.span, help)
        return None
    name = item.value.id
    if name == _TO_TARGET and task is not None:
        c.problems.error("bad-objective", f"`{name}` needs its target", item.value.span, _EXAMPLE_OF_TARGET)
        return None
    if task is None and not c.has_network:
        return Goal(name, item.maximize)
    known = (*measures_of(task.kind), *QUANTITIES) if task else QUANTITIES
    if task is not None and name not in known:
        message = f"`{name}` is no measure of a {task.kind} task"
        c.problems.unknown("unknown-measure", message, item.value.span, name, known)
        return None
    _warn_direction(c, item, name, item.value.span)
    return Goal(name, item.maximize)


def _to_target(c: Checker, item: s.Objective, node: s.Call, task: Task | None) -> Goal | None:
    """`time_to_target(accuracy = 0.9)`: a measure of a trained network, and the value it must reach."""
    names = [name for name in measures_of(task.kind) if MEASURES[name].of == "outputs"] if task else []
    given = [(one.name, one.value) for one in node.arguments]
    name, value = given[0] if len(given) == 1 else (None, None)
    target = _number(value)
    if name is None or target is None:
        message = f"`{_TO_TARGET}` takes one measure and the number it must reach"
        c.problems.error("bad-objective", message, node.span, _EXAMPLE_OF_TARGET)
        return None
    if name not in names:
        message = f"`{name}` is not measured after each epoch of such a task"
        c.problems.unknown("unknown-measure", message, node.arguments[0].span, name, names)
        return None
    _warn_direction(c, item, _TO_TARGET, node.span)
    return Goal(_TO_TARGET, item.maximize, (name, target))


def _number(value: s.Value | None) -> float | None:
    """A number as it is written, with its sign."""
    if isinstance(value, s.Unary) and value.operator == "-":
        found = _number(value.operand)
        return None if found is None else -found
    return float(value.value) if isinstance(value, s.Number) else None


def _warn_direction(c: Checker, item: s.Objective, name: str, span: Span) -> None:
    larger = MEASURES[name].larger if name in MEASURES else None if name == "aspect" else False
    if larger is None:
        return
    smaller_is_better = not larger
    if item.maximize == smaller_is_better:
        word = "minimize" if smaller_is_better else "maximize"
        message = f"`{name}` is usually to be {word}d"
        c.problems.warn("odd-objective", message, span, f"write `{word} {name}`")
