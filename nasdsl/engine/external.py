"""A run whose trials someone else evaluates: `ask` for a point, `tell` what came of it.

For shells, schedulers and other languages: every call opens the run, does one thing and closes it, so
calls may come from many processes at once; each waits for its turn. A score on the way (`report`) is answered by
whether the trial is to stop; until the trial ends, it is kept under `reports` among the meta values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nasdsl.engine.errors import RunError
from nasdsl.engine.fidelity import Rule, rule_of
from nasdsl.engine.lineage import lineage_of
from nasdsl.engine.messages import Report
from nasdsl.engine.meta import check_same_space, fresh_meta
from nasdsl.engine.proposing import check_name, replay, searcher_of
from nasdsl.engine.records import Ask, Reason, Record, seed_of
from nasdsl.engine.spaces import rebuild
from nasdsl.engine.store import Store, has_run
from nasdsl.language.point import Point

if TYPE_CHECKING:
    from nasdsl.language.space import Space

_PATIENCE_S = 30.0


def begin(
    run: str | Path,
    space: Space,
    searcher: str = "random",
    seed: int = 0,
    fidelity: Literal["none", "asha"] = "none",
) -> None:
    """Make a run that `ask` and `tell` use; one of the same space that exists already is left as it is. With
    "asha" trials that fall behind at a rung of what they `report` are stopped.

    Raises RunError for a run of another space, EngineError for an unknown searcher.
    """
    check_name(searcher)
    with Store(Path(run), _PATIENCE_S) as store:
        meta = store.meta()
        if meta:
            check_same_space(store.folder, meta, space)
            return
        options = {"searcher": searcher, "seed": seed, "budget": None, "evaluate": "ask and tell"}
        options["fidelity"] = fidelity
        store.set_meta(fresh_meta(space, options))


def ask(run: str | Path) -> tuple[int, Point] | None:
    """The next trial number and its point; None when nothing is left to try. Raises EngineError."""
    with _open(run) as store:
        meta, trial = store.meta(), store.next_trial()
        space = rebuild(meta)
        searcher = searcher_of(meta, space)
        replay(searcher, store.records(), store, _rule(meta))
        start = space.start() if trial == 0 else None
        point = searcher.ask(trial) if start is None else start
        if point is None:
            return None
        store.ask([Ask(trial, point, lineage_of(searcher, trial))])
        return trial, point


def tell(run: str | Path, trial: int, score: float | None = None, error: str | None = None) -> Record:
    """Store the outcome of a trial that was asked for; a NaN score is an error.

    Raises RunError for a trial never asked for or told before, ValueError for both or neither of
    `score` and `error`.
    """
    if (score is None) == (not error):
        raise ValueError("tell either a score or an error")
    if score is not None and not math.isfinite(score):
        score, error = None, f"the score is {score}"
    with _open(run) as store:
        return _end(store, trial, score, error)


def report(run: str | Path, trial: int, step: float, score: float) -> bool:
    """Store a score on the way, after `step` epochs or whatever else is spent; whether the trial is to stop.

    A trial that is to stop, or whose score is not finite, has ended with that: nothing more is to be told of it.
    Raises RunError for a trial never asked for or told before, ValueError for a step that is not above 0.
    """
    if not 0 < step < math.inf:
        raise ValueError(f"the step is {step}; it must be above 0")
    with _open(run) as store:
        _pending(store, trial)
        if not math.isfinite(score):
            _end(store, trial, None, f"the score is {score} at step {step:g}")
            return True
        meta = store.meta()
        told = _reports(meta)
        told = {"first": told["first"] or step, "ways": [*told["ways"], [trial, step, score]]}
        store.set_meta({"reports": told})
        stop = _falls_behind(store, {**meta, "reports": told})
        if stop:
            _end(store, trial, score, None, "stopped")
        return stop


def _reports(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """`first`: the first step ever reported; `ways`: [trial, step, score] of trials without an outcome, as they came."""
    found: Mapping[str, Any] = meta.get("reports", {"first": None, "ways": []})
    return found


def _rule(meta: Mapping[str, Any]) -> Rule:
    return rule_of(meta.get("fidelity", "none"), first=_reports(meta)["first"])


def _falls_behind(store: Store, meta: Mapping[str, Any]) -> bool:
    """What the rule says to the latest report, after all that was told before it."""
    rule = _rule(meta)
    for record in store.records():
        rule.learn(record)
    *_, stop = [rule.should_stop(Report(*told)) for told in _reports(meta)["ways"]]
    return stop


def _pending(store: Store, trial: int) -> Point:
    points = {pending.trial: pending.point for pending in store.pending()}
    if trial not in points:
        known = trial < store.next_trial()
        raise RunError(
            f"trial {trial} of {store.folder} {'has an outcome already' if known else 'was never asked for'}"
        )
    return points[trial]


def _end(
    store: Store, trial: int, score: float | None, error: str | None, reason: Reason = "complete"
) -> Record:
    """Store the outcome of a trial, with what was reported of it on the way."""
    point, meta = _pending(store, trial), store.meta()
    told = _reports(meta)
    record = Record(
        trial=trial,
        point=point,
        score=score,
        error=error or None,
        reason="failed" if score is None else reason,
        seed=seed_of(meta["seed"], trial),
        curve=tuple({"step": step, "score": way} for number, step, way in told["ways"] if number == trial),
    )
    store.finish([record])
    if record.curve:
        store.set_meta({"reports": {**told, "ways": [way for way in told["ways"] if way[0] != trial]}})
    return record


def _open(run: str | Path) -> Store:
    if not has_run(Path(run)):
        raise RunError(f"{run} is not a run folder")
    return Store(Path(run), _PATIENCE_S)
