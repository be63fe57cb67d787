"""What people read of plans, records and runs on a terminal, alike in every command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from compiler.plan import Plan, plan
from compiler.wording import short_count
from nasdsl.engine.errors import RunError
from nasdsl.engine.records import Record, value_of
from nasdsl.engine.show import plan_table, plan_text, summary
from nasdsl.engine.wording import answer_text, number
from nasdsl.language.network import Goal
from nasdsl.language.point import Point
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.layers import LAYER_SIGNATURES
from nasdsl.language.signatures.measures import OF_LAYERS

if TYPE_CHECKING:
    from nasdsl.engine.run import Run
    from nasdsl.language.space import Space

PIPE_WIDTH = 120  # columns of tables where no terminal says how wide it is
_WEIGHTED = frozenset(row.name for row in LAYER_SIGNATURES if row.weighted)
_WIDEST = 10_000  # columns, where it is asked how wide a table wants to be
_LONGEST_SKETCH = 60  # letters


def console_for(stream: TextIO) -> Console:
    """A console that colours and measures a terminal, and leaves a pipe plain and reproducible."""
    if stream.isatty():
        return Console(file=stream, highlight=False)
    return Console(file=stream, highlight=False, width=PIPE_WIDTH, no_color=True, force_terminal=False)


def print_table(table: Table, stream: TextIO) -> None:
    """On a pipe without the blanks that fill each line; what is too wide as a list of its rows."""
    console = console_for(stream)
    narrowest = Measurement.get(console, console.options.update(max_width=_WIDEST), table).minimum
    if narrowest > console.width:
        stream.write(_as_list(table))
        return
    if stream.isatty():
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    stream.write("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")


def _as_list(table: Table) -> str:
    """Each row under its first cell, a line for each of the others."""
    first, *others = ([f"{cell}" for cell in column.cells] for column in table.columns)
    heading, *names = (f"{column.header}" for column in table.columns)
    width = max(map(len, names), default=0)
    text = []
    for title, *cells in zip(first, *others, strict=True):
        text.append(f"{heading} {title}")
        text += [f"  {name:<{width}}  {cell}".rstrip() for name, cell in zip(names, cells, strict=True)]
    return "\n".join(text) + "\n"


def print_plan(planned: Plan, stream: TextIO) -> None:
    if stream.isatty():
        console_for(stream).print(plan_table(planned))
        stream.write(summary(planned) + "\n")
    else:
        stream.write(plan_text(planned, PIPE_WIDTH))


def texts_text(inputs: Mapping[str, Shape]) -> str:
    """The columns of texts of the tables among the inputs, and how many texts each has; "" where there are none."""
    columns = [f"  {name}  {size}" for shape in inputs.values() for name, size in shape.texts]
    return "\n".join(["columns of texts, and how many each has", *columns]) if columns else ""


def settings_text(settings: Mapping[str, str]) -> str:
    """How the network is trained, a setting per line."""
    width = max((len(name) for name in settings), default=0)
    return "\n".join(["training", *(f"  {name:<{width}}  {value}" for name, value in settings.items())])


def best_table(run: Run, k: int) -> Table:
    """A row per trial, best first: number, value of each goal, costs, and the network in short."""
    return records_table(run, run.top(k))


def front_table(run: Run) -> Table | None:
    """The same of the trials that no other beats in every goal; None where there is one goal."""
    return records_table(run, run.front) if len(run.goals) > 1 else None


def records_table(run: Run, records: Sequence[Record]) -> Table:
    """A row per record: number, value of each goal, costs that are no goals, the network in short."""
    costs = any(record.params is not None for record in records)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("trial", *(goal.measure for goal in run.goals)):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = costs_shown(run) if costs else ()
    for heading in shown:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("network" if costs else "point", overflow="fold")
    for record in records:
        values = [number(goal_value(record, run.goals, i)) for i in range(len(run.goals))]
        sizes = [short_count(cost_of(record, heading)) for heading in shown]
        table.add_row(
            str(record.trial), *values, *sizes, f"{record.seconds:.1f}", sketch(run.space, record.point)
        )
    return table


def costs_shown(run: Run) -> tuple[str, ...]:
    """The costs that tables show beside the goals."""
    goals = {goal.measure for goal in run.goals}
    return tuple(name for name in ("params", "MACs") if name.lower() not in goals)


def cost_of(record: Record, heading: str) -> int:
    """The figure under a heading of `costs_shown`."""
    return (record.params if heading == "params" else record.macs) or 0


def goal_value(record: Record, goals: Sequence[Goal], index: int = 0) -> float | None:
    """What a trial reached for a goal as measured; the score itself where it has no measure of that name."""
    value = value_of(record, goals[index])
    if value is None and index == 0 and record.score is not None:
        return record.score if goals[0].maximize else -record.score
    return value


def sketch(space: Space, point: Point) -> str:
    """A point in a few words: the weighted layers in order, or the answers where there is no network."""
    if not space.has_network:
        text = ", ".join(f"{path} = {answer_text(answer)}" for path, answer in point.items())
    else:
        weighted = [node.op for node in plan(space, point).nodes if node.op in _WEIGHTED]
        runs = [(op, len(list(same))) for op, same in groupby(weighted)]
        text = ", ".join(op if n == 1 else f"{n} {op}" for op, n in runs)
    return text if len(text) <= _LONGEST_SKETCH else text[: _LONGEST_SKETCH - 1] + "…"


def record_line(record: Record, goals: Sequence[Goal]) -> str:
    """One trial in a line: what it reached and what its layers report, or why it failed."""
    if record.error is not None:
        return f"trial {record.trial}: {record.reason}, {record.error}"
    reached = {goals[0].measure: goal_value(record, goals), **reported(record)}
    figures = ", ".join(f"{name} {number(value)}" for name, value in reached.items())
    return f"trial {record.trial}: {figures}, {record.seconds:.1f} s"


def reported(record: Record) -> dict[str, float]:
    """What layers of the network said of themselves, such as the share of channels that gates left open."""
    return {name: record.measures[name] for name in OF_LAYERS if name in record.measures}


def trial_or_best(run: Run, trial: int | None) -> Record:
    """The trial asked for, else the winner. Raises RunError where there is none."""
    if trial is not None:
        return run.record(trial)
    winner = run.meta.get("winner")
    if winner is not None:
        return run.record(int(winner))
    if run.best is None:
        raise RunError(f"no trial of the run {run.folder} has succeeded")
    return run.best
