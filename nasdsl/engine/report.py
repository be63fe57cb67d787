"""`RUN/report.html`: what came of a run, on one page that needs no other file. Reads only the store."""

from __future__ import annotations

import os
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from itertools import islice
from pathlib import Path

from compiler.draw import draw_svg
from compiler.plan import plan
from compiler.wording import call_text, shape_text, short_count, value_text
from nasdsl.engine import chosen, html
from nasdsl.engine.chart import chart
from nasdsl.engine.errors import RunError
from nasdsl.engine.overrides import overridden
from nasdsl.engine.records import Record
from nasdsl.engine.result import HYPERVOLUME, confirmed_text, part_of
from nasdsl.engine.run import Run
from nasdsl.engine.show import INSERTED
from nasdsl.engine.tables import cost_of, costs_shown, goal_value, reported, sketch, trial_or_best
from nasdsl.engine.wording import answer_text, number

REPORT_NAME = "report.html"
_TOP = 10  # trials in the table
_SAID = 12  # kinds of failures


def write_report(run: Run) -> Path:
    """Write the report of a run as it stands, all at once. Raises RunError where the folder is not writable."""
    path = run.folder / REPORT_NAME
    partial = path.with_name(f".{REPORT_NAME}.{os.getpid()}.partial")
    try:
        partial.write_text(report_html(run), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error
    return path


def report_html(run: Run) -> str:
    """The whole page."""
    winner = None if run.best is None else trial_or_best(run, None)
    name = str(run.meta["space_name"])
    parts = [f"<h1>{escape(name)}</h1>", _doc(run), _summary(run, winner), _figures(run, winner)]
    parts.append(_scores(run))
    if winner is not None:
        parts += [
            _best_trials(run),
            _front(run),
            _confirmed(run),
            _baselines(run),
            _network(run, winner),
            _answers(run, winner),
        ]
    parts += [_failures(run), _data(run), _how_made(run), _next_steps(run, winner)]
    return html.page(f"nasdsl: {name}", [part for part in parts if part])


def _doc(run: Run) -> str:
    return f'<p class="doc">{escape(run.space.doc)}</p>' if run.space.doc else ""


def _summary(run: Run, winner: Record | None) -> str:
    meta, ended = run.meta, run.meta.get("ended")
    failed = sum(record.score is None for record in run.records)
    text = f"{len(run.records)} trials by {meta['searcher']}, {failed} of them failed"
    if ended is not None:
        text += f"; {ended['why']}"
    elif run.pending:
        text += f"; still running or cut off, {len(run.pending)} trials without an outcome"
    return html.note(text + ("." if winner is not None else ". No trial succeeded."))


def _figures(run: Run, winner: Record | None) -> str:
    if winner is None:
        return ""
    measure = run.goals[0].measure
    rows = [(f"validation {measure} of trial {winner.trial}", number(goal_value(winner, run.goals)))]
    test = run.meta.get("test")
    if test:
        shown = [measure] if measure in test["measures"] else sorted(test["measures"])
        rows += [(f"test {name}, measured once", number(test["measures"][name])) for name in shown]
    rows += [(f"validation {name}", number(value)) for name, value in reported(winner).items()]
    if winner.params is not None:
        rows.append(("parameters", f"{winner.params:,}"))
    if winner.macs is not None:
        rows.append(("MACs per sample", short_count(winner.macs)))
    rows.append(("seconds of training", f"{winner.seconds:.1f}"))
    return html.figures(rows)


def _scores(run: Run) -> str:
    goal = run.goals[0]
    values = [goal_value(record, run.goals) if record.score is not None else None for record in run.records]
    picture = chart(values, goal.maximize, f"{goal.measure} of each trial")
    if not picture:
        return ""
    about = "A dot is a trial, a red cross a failure, the line the best so far; very bad values stand at the edge."
    return html.section(f"{goal.measure} over trials", picture, html.note(about))


def _best_trials(run: Run) -> str:
    return html.section("Best trials", _trials(run, run.top(_TOP)))


def _front(run: Run) -> str:
    """The Pareto set, where there are several goals."""
    if len(run.goals) < 2:
        return ""
    about = "No other trial is at least as good in every objective and better in one."
    covered = run.hypervolume()
    if covered is not None:
        about += f" Hypervolume {number(covered)} {HYPERVOLUME}."
    return html.section("Best trade-offs", _trials(run, run.front), html.note(about))


def _trials(run: Run, records: Sequence[Record]) -> str:
    costs = costs_shown(run) if run.space.has_network else ()
    heads = ["trial", *(goal.measure for goal in run.goals), *costs]
    heads += ["seconds", "network" if run.space.has_network else "point"]
    rows = []
    for record in records:
        values = [number(goal_value(record, run.goals, index)) for index in range(len(run.goals))]
        sizes = [f"{cost_of(record, name):,}" for name in costs]
        text = sketch(run.space, record.point)
        rows.append([str(record.trial), *values, *sizes, f"{record.seconds:.1f}", text])
    return html.table(heads, rows, range(len(heads) - 1))


def _confirmed(run: Run) -> str:
    goal = run.goals[0]
    lines = [confirmed_text(entry, goal.measure, goal.maximize) for entry in run.meta.get("confirmed", [])]
    about = "Trained again with seeds that the search had not seen; mean and sample standard deviation."
    return html.section("Confirmed", *([html.pre("\n".join(lines)), html.note(about)] if lines else []))


def _baselines(run: Run) -> str:
    models: Mapping[str, Mapping[str, float]] = run.meta.get("baselines") or {}
    if not models:
        return ""
    measures = sorted({name for values in models.values() for name in values})
    rows = [[model, *(number(values.get(name)) for name in measures)] for model, values in models.items()]
    return html.section(
        "Baselines on the same split",
        html.table(["model", *map(part_of, measures)], rows, range(1, len(measures) + 1)),
    )


def _network(run: Run, winner: Record) -> str:
    if not run.space.has_network:
        return ""
    planned = plan(run.space, winner.point)
    rows = [
        [
            node.name,
            (f"{INSERTED} " if node.inserted else "") + call_text(node),
            shape_text(node.shape),
            f"{node.params:,}" if node.params else "",
            f"{node.macs:,}" if node.macs else "",
        ]
        for node in planned.nodes
    ]
    rows.append(["total", "", "", f"{planned.params:,}", f"{planned.macs:,}"])
    layers = html.table(["layer", "operation", "output", "params", "MACs"], rows, (2, 3, 4))
    picture = html.folded("Picture", f'<div class="picture">{draw_svg(planned)}</div>', is_open=True)
    return html.section(f"The network of trial {winner.trial}", layers, picture)


def _answers(run: Run, winner: Record) -> str:
    rows = [(path, answer_text(answer)) for path, answer in winner.point.items()]
    parts = [html.pairs(rows)]
    settings = overridden(run.space.decided(winner.point).settings, run.meta.get("settings") or {})
    if settings:
        told = [(name, value_text(value)) for name, value in settings.items()]
        parts += ["<h3>Training</h3>", html.pairs(told)]
    parts.append(html.folded("As JSON", html.pre(winner.point.to_json())))
    return html.section(f"The point of trial {winner.trial}", *parts)


def _failures(run: Run) -> str:
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in run.records:
        if record.error is not None:
            first = record.error.strip().split("\n")[0]
            groups[record.reason, re.sub(r"\d+(\.\d+)?", "…", first)].append(record)
    rows = [
        [
            str(len(group)),
            reason,
            (group[0].error or "").strip()[:300],
            ", ".join(str(record.trial) for record in group[:8]),
        ]
        for (reason, _), group in sorted(groups.items(), key=lambda item: -len(item[1]))[:_SAID]
    ]
    return html.section(
        "Failures", html.table(["trials", "how", "for example", "numbers"], rows, (0,)) if rows else ""
    )


def _data(run: Run) -> str:
    data = run.meta.get("data")
    if not data:
        return ""
    about = "Everything was selected by validation; the test part was looked at once, for the winner."
    return html.section("Data", f"<p>{escape(str(data['statement']))}</p>", html.note(about))


def _how_made(run: Run) -> str:
    meta = run.meta
    rows = [
        ("begun", meta["created"]),
        ("searcher", meta["searcher"]),
        ("seed", meta["seed"]),
        ("budget", meta["budget"]),
    ]
    rows += [("workers", meta["workers"])] if "workers" in meta else []
    rows += [(name, value) for name, value in (meta.get("slots") or {}).items() if value]
    rows += [("trained together", text) for text in islice(chosen.sentences(meta), _SAID)]
    rows += [("settings fixed", meta["settings"])] if meta.get("settings") else []
    rows += [("evaluate", meta["evaluate"])] if meta.get("evaluate") else []
    rows += [("space", f"hash {meta['space_hash'][:16]}")]
    rows += [("versions", ", ".join(f"{name} {version}" for name, version in meta["versions"].items()))]
    rows += [("hardware", ", ".join(f"{name} {value}" for name, value in meta["hardware"].items()))]
    told = [(name, "none" if value is None else str(value)) for name, value in rows]
    space = html.folded("The space", html.pre(str(meta["space_text"])))
    return html.section("How it was made", html.pairs(told), space)


def _next_steps(run: Run, winner: Record | None) -> str:
    folder = shlex.quote(str(run.folder))
    lines = [f"nasdsl search SPACE.space --run {folder} --resume --budget N   # go on"]
    lines.append(f"nasdsl best {folder}")
    if winner is not None:
        lines.append(f"nasdsl show {folder} --trial {winner.trial}")
        if run.weights(winner.trial) is not None:
            lines.append(f"nasdsl export {folder} --to python network.py")
    return html.section("Next", html.pre("\n".join(lines)))
