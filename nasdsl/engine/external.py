"""A run whose trials someone else evaluates: `ask` for a point, `tell` what came of it.

For shells, schedulers and other languages: every call opens the run, does one thing and closes it, so
calls may come from many processes at once; each waits for its turn.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from nasdsl.engine.errors import RunError
from nasdsl.engine.fidelity import rule_of
from nasdsl.engine.lineage import lineage_of
from nasdsl.engine.meta import check_same_space, fresh_meta
from nasdsl.engine.proposing import check_name, replay, searcher_of
from nasdsl.engine.records import Ask, Record, seed_of
from nasdsl.engine.spaces import rebuild
from nasdsl.engine.store import Store, has_run
from nasdsl.language.point import Point

if TYPE_CHECKING:
    from nasdsl.language.space import Space

_PATIENCE_S = 30.0


def begin(run: str | Path, space: Space, searcher: str = "random", seed: int = 0) -> None:
    """Make a run that `ask` and `tell` use; one of the same space that exists already is left as it is.

    Raises RunError for a run of another space, EngineError for an unknown searcher.
    """
    check_name(searcher)
    with Store(Path(run), _PATIENCE_S) as store:
        meta = store.meta()
        if meta:
            check_same_space(store.folder, meta, space)
            return
        options = {"searcher": searcher, "seed": seed, "budget": None, "evaluate": "ask and tell"}
        store.set_meta(fresh_meta(space, options))


def ask(run: str | Path) -> tuple[int, Point] | None:
    """The next trial number and its point; None when nothing is left to try. Raises EngineError."""
    with _open(run) as store:
        meta, trial = store.meta(), store.next_trial()
        space = rebuild(meta)
        searcher = searcher_of(meta, space)
        replay(searcher, store.records(), store, rule_of(meta.get("fidelity", "none")))
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
        points = {pending.trial: pending.point for pending in store.pending()}
        if trial not in points:
            known = trial < store.next_trial()
            raise RunError(
                f"trial {trial} of {run} {'has an outcome already' if known else 'was never asked for'}"
            )
        record = Record(
            trial=trial,
            point=points[trial],
            score=score,
            error=error or None,
            reason="failed" if score is None else "complete",
            seed=seed_of(store.meta()["seed"], trial),
        )
        store.finish([record])
        return record


def _open(run: str | Path) -> Store:
    if not has_run(Path(run)):
        raise RunError(f"{run} is not a run folder")
    return Store(Path(run), _PATIENCE_S)
