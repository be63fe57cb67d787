"""What earlier runs know (`--warm`): told to the searcher before the first trial; their best are tried first.

Two cases. A run of the same space, data, settings and `evaluate` measured the very same thing: its outcomes count
in full, and its points are not proposed again. Of any other run the points are carried over as far as
their answers stand, and their scores are hearsay: told at budget 0 with a doubt, to searchers that can weigh
it. Either way the best are evaluated again first, so that a run holds what it builds on, and hearsay can be
compared with what is measured here.

All of it is stored with the run when it begins, so a resume does not depend on the earlier runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasdsl.engine.errors import EngineError
from nasdsl.engine.records import Record
from nasdsl.engine.run import Run, open_run
from nasdsl.engine.store import Json
from nasdsl.language.carrying import Carrier
from nasdsl.language.errors import Infeasible
from nasdsl.language.point import Point
from searchers.protocol import Outcome, Searcher

if TYPE_CHECKING:
    from nasdsl.language.space import Space

BEST, LATEST = 150, 150  # trials told of one run: more would only slow proposals down
TRIED_AGAIN = 3
LEAST_KEPT = 0.5  # share of its answers that a carried point must have from the earlier run
_ALIKE = ("space_hash", "data", "settings", "evaluate")


def gather(folders: Sequence[str | Path], space: Space, meta: Mapping[str, Any]) -> dict[str, Json]:
    """What the run of `meta` stores of earlier ones: `told` and the points to be tried again.

    Raises RunError for a folder without a run, EngineError for one with another first goal.
    """
    told: list[dict[str, Json]] = []
    for folder in folders:
        run = open_run(folder)
        _check_goal(run, meta)
        alike = all(run.meta.get(key) == meta.get(key) for key in _ALIKE)
        told += _exact(run) if alike else _hearsay(run, space)
    ranked = sorted((one for one in told if one["score"] is not None), key=lambda one: -one["score"])
    points = dict.fromkeys(Point(one["point"]) for one in ranked)
    again = [dict(point) for point in list(points)[:TRIED_AGAIN]]
    return {"runs": [str(folder) for folder in folders], "told": told, "again": again}


def _check_goal(run: Run, meta: Mapping[str, Any]) -> None:
    before, now = (_aims(goals) for goals in (run.meta["goals"], meta["goals"]))
    if before != now:
        raise EngineError(f"{run.folder} was searched for {before}, this search is for {now}: give no --warm")


def _aims(goals: Sequence[Sequence[Any]]) -> str:
    """The first goal is what scores mean."""
    return "".join(f"{'more' if maximize else 'less'} {measure}" for measure, maximize in goals[:1])


def _chosen(run: Run) -> list[Record]:
    """The best and the latest of the trials that had their full budget, in the order of finishing."""
    best = {record.trial for record in run.top(BEST)}
    latest = {record.trial for record in run.records[-LATEST:]}
    full = (
        record for record in run.records if "budget" not in record.measures and record.reason != "stopped"
    )
    return [record for record in full if record.trial in best | latest]


def _exact(run: Run) -> list[dict[str, Json]]:
    """Outcomes that count here as they counted there, failures too."""
    return [_entry(record, record.point, doubt=None) for record in _chosen(run)]


def _hearsay(run: Run, space: Space) -> list[dict[str, Json]]:
    """Complete trials as points of `space`, each with the share of its answers that is new."""
    carrier, told = Carrier(run.space, space), []
    for record in _chosen(run):
        if record.reason != "complete":
            continue
        try:
            carried = carrier.carry(record.point)
        except Infeasible:
            continue
        kept = len(carried.kept) / max(1, len(carried.kept) + len(carried.fresh) + len(carried.dropped))
        if kept >= LEAST_KEPT:
            told.append(_entry(record, carried.point, doubt=1.0 - kept))
    return told


def _entry(record: Record, point: Point, doubt: float | None) -> dict[str, Json]:
    """`doubt` is None where the outcome holds as it is."""
    return {
        "point": dict(point),
        "score": record.score,
        "error": record.error,
        "measures": dict(record.known),
        "doubt": doubt,
    }


def recall(searcher: Searcher, earlier: Mapping[str, Any]) -> None:
    """Tell a fresh searcher what is known, as trials before the first.

    A population trains: it takes over no outcomes. Hearsay is told to those alone that weigh it.
    """
    told = earlier.get("told", ())
    if hasattr(searcher, "lineage"):
        return
    weighs = getattr(searcher, "weighs_hearsay", False)
    for trial, entry in enumerate(told, -len(told)):
        if entry["doubt"] is None or weighs:
            searcher.tell(trial, Point(entry["point"]), _outcome(entry))


def _outcome(entry: Mapping[str, Any]) -> Outcome:
    hearsay = entry["doubt"] is not None
    return Outcome(
        entry["score"],
        entry["error"],
        0.0 if hearsay else None,
        entry["measures"],
        entry["doubt"] if hearsay else 0.0,
    )


def tried_again(earlier: Mapping[str, Any], space: Space) -> Iterator[Point]:
    """The best points of earlier runs, as far as they are points of `space`, the best first."""
    for answers in earlier.get("again", ()):
        point = Point(answers)
        if not hasattr(space, "contains") or space.contains(point):
            yield point


def said(earlier: Mapping[str, Any]) -> str:
    """For the user: what came of it."""
    told, runs = earlier["told"], " and ".join(earlier["runs"])
    exact = sum(entry["doubt"] is None for entry in told)
    if not told:
        return f"warm start: no trial of {runs} can be carried over"
    parts = [f"{exact} count in full"] if exact else []
    parts += [f"{len(told) - exact} as hearsay"] if exact < len(told) else []
    again = len(earlier["again"])
    return (
        f"warm start: {len(told)} trials of {runs}, {', '.join(parts)}; the best {again} are evaluated again"
    )
