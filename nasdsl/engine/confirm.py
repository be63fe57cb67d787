"""After the search: confirm the best, test the winner once, and stand baselines beside it.

What this adds to the meta of a run:

    confirmed   [{`trial`, `seeds`, `scores`, `errors`, `mean`, `spread`}, …], best mean first;
                `spread` is the sample standard deviation over seeds
    winner      the trial number: of the best mean where confirmed, else of the best score
    test        {`trial`, `measures`}: the winner on the test split, which nothing was selected by
    baselines   {name: {measure: value, …}, …}: scikit-learn's models on the same split, for tables
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from nasdsl.engine.chosen import remember
from nasdsl.engine.ending import interrupted
from nasdsl.engine.events import Ended, Event, Notice, Phase, PhaseStarted, PhaseStep
from nasdsl.engine.interrupts import Interrupts
from nasdsl.engine.messages import Chose, Done, Group, Job, Result
from nasdsl.engine.pool import Pool
from nasdsl.engine.records import Record, ranked, seed_of
from nasdsl.engine.run import weights_path
from nasdsl.engine.store import Json, Store

# Numbers of jobs that are no trials of the search; far beyond any budget.
_FIRST_EXTRA = 1_000_000_000


class _Interrupted(Exception):
    """Ctrl-C during this phase; nothing of it is kept, a resume does it again."""


def after_search(
    store: Store,
    pool: Pool,
    ended: Ended,
    confirm: int,
    interrupts: Interrupts,
    on_event: Callable[[Event], None],
) -> Ended:
    """Do what is not yet in the meta. Returns `ended`, or that it was interrupted."""
    phases = _Phases(store, pool, interrupts, on_event)
    try:
        phases.run(confirm)
    except _Interrupted:
        return replace(ended, by="interrupted", why=interrupted(len(store.records())))
    return ended


class _Phases:
    def __init__(
        self, store: Store, pool: Pool, interrupts: Interrupts, on_event: Callable[[Event], None]
    ) -> None:
        self._store = store
        self._pool = pool
        self._interrupts = interrupts
        self._on_event = on_event

    def run(self, confirm: int) -> None:
        meta = self._store.meta()
        best = ranked(self._store.records())
        if not best:
            return
        confirmed = meta.get("confirmed", [])
        if confirm and {entry["trial"] for entry in confirmed} != {record.trial for record in best[:confirm]}:
            confirmed = self._confirm(best[:confirm], confirm, meta["seed"])
            self._store.set_meta({"confirmed": confirmed})
        winner = _winner(best, confirmed)
        self._store.set_meta({"winner": winner.trial})
        if meta["evaluate"] is not None:
            return  # the data are the function's affair
        if meta.get("test", {}).get("trial") != winner.trial:
            self._test(winner)
        if "baselines" not in meta:
            self._baselines(winner)

    def _confirm(self, best: list[Record], n_seeds: int, run_seed: int) -> list[dict[str, Json]]:
        """Each of the best trained again with `n_seeds` seeds, none of them seen in the search."""
        seeds = [seed_of(run_seed, _FIRST_EXTRA + index) for index in range(n_seeds)]
        pairs = [(record, seed) for record in best for seed in seeds]
        jobs = [
            Job(_FIRST_EXTRA + index, record.point.to_json(), seed)
            for index, (record, seed) in enumerate(pairs)
        ]
        together = n_seeds if self._store.meta()["evaluate"] is None else 1
        by_record = [tuple(jobs[i : i + together]) for i in range(0, len(jobs), together)]
        results = self._run("confirm", by_record)
        entries = [
            _summary(record, seeds, [results[index] for index, pair in enumerate(pairs) if pair[0] is record])
            for record in best
        ]
        return sorted(entries, key=lambda entry: -_mean_or_worst(entry))

    def _test(self, winner: Record) -> None:
        weights = weights_path(self._store.folder, winner.trial)
        if not weights.is_file():
            return
        job = Job(_FIRST_EXTRA, winner.point.to_json(), winner.seed, task="test", weights=weights)
        (result,) = self._run("test", [(job,)])
        if result.error is None:
            self._store.set_meta({"test": {"trial": winner.trial, "measures": dict(result.measures)}})
        else:
            self._on_event(Notice(f"no test figure: {result.error}"))

    def _baselines(self, winner: Record) -> None:
        job = Job(_FIRST_EXTRA, winner.point.to_json(), winner.seed, task="baselines")
        (result,) = self._run("baselines", [(job,)])
        if result.error is None:
            self._store.set_meta({"baselines": _by_model(result.measures)})
        else:
            self._on_event(Notice(f"no baselines: {result.error}"))

    def _run(self, phase: Phase, groups: list[Group]) -> list[Result]:
        """All jobs over the pool, those of a group as one program if that pays; results in their order."""
        jobs = [job for group in groups for job in group]
        self._on_event(PhaseStarted(phase, len(jobs)))
        waiting, results = list(reversed(groups)), dict[int, Result]()
        while len(results) < len(jobs):
            while waiting and self._pool.free:
                self._pool.submit(*waiting.pop())
            for item in self._pool.wait():
                if isinstance(item, Chose) and (notice := remember(self._store, item)):
                    self._on_event(notice)
                if isinstance(item, Done):
                    results[item.trial] = item.result
                    self._on_event(PhaseStep(phase, len(results)))
            if self._interrupts.count:
                raise _Interrupted
        return [results[job.trial] for job in jobs]


def _summary(record: Record, seeds: list[int], results: Iterable[Result]) -> dict[str, Json]:
    results = list(results)
    scores = [result.score for result in results]
    known = [score for score in scores if score is not None]
    return {
        "trial": record.trial,
        "seeds": seeds,
        "scores": scores,
        "errors": [result.error for result in results],
        "mean": statistics.fmean(known) if known else None,
        "spread": statistics.stdev(known) if len(known) > 1 else None,
    }


def _mean_or_worst(entry: Mapping[str, Any]) -> float:
    return float("-inf") if entry["mean"] is None else float(entry["mean"])


def _winner(best: list[Record], confirmed: list[dict[str, Json]]) -> Record:
    trials = [entry["trial"] for entry in confirmed if entry["mean"] is not None]
    return next((record for record in best if record.trial == (trials or [None])[0]), best[0])


def _by_model(measures: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """`{"linear/accuracy": 0.9}` as `{"linear": {"accuracy": 0.9}}`."""
    models: dict[str, dict[str, float]] = {}
    for name, value in measures.items():
        model, _, measure = name.rpartition("/")
        models.setdefault(model, {})[measure] = value
    return models
