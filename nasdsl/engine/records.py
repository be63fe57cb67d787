"""A Record is one trial as stored; an Ask is a trial given out that has no outcome yet."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from nasdsl.language.network import Goal
from nasdsl.language.point import Point
from searchers.protocol import Lineage, Outcome

# complete    trained to the end, has a score
# stopped     ended early on request; has the score it reached
# failed      raised, gave no number, ran over a limit, or took its process down
# infeasible  breaks a `require` that only shows when the network is planned or measured
# lost        its worker was killed from outside, twice; the point may be blameless
Reason: TypeAlias = Literal["complete", "stopped", "failed", "infeasible", "lost"]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Ask:
    """A numbered point that was given out, and what it continues."""

    trial: int
    point: Point
    lineage: Lineage = Lineage()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Record:
    """One trial with its outcome.

    `score` is maximised: the first objective, negated if minimised; None unless the trial is
    complete or stopped. `error` is a non-empty sentence or None, `traceback` what stood behind it.
    `seconds` is wall time in the worker. `curve` has one mapping for each epoch or report, with
    `step` among its keys. `params` and `macs` are None where no network was planned.
    """

    trial: int
    point: Point
    score: float | None = None
    error: str | None = None
    reason: Reason = "complete"
    seconds: float = 0.0
    seed: int = 0
    params: int | None = None
    macs: int | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[Mapping[str, float], ...] = ()
    traceback: str | None = None

    def __post_init__(self) -> None:
        assert (self.score is None) != (self.error is None), self
        assert self.score is None or math.isfinite(self.score), self
        assert self.reason in REASONS, self

    @property
    def outcome(self) -> Outcome:
        """What a searcher is told; the measures include what the network costs."""
        infeasible = self.reason == "infeasible"
        return Outcome(self.score, self.error, measures=self.known, infeasible=infeasible)

    @property
    def known(self) -> Mapping[str, float]:
        """All numbers known of the trial, by name: costs, and what was measured."""
        costs = {"params": self.params, "macs": self.macs, "seconds": self.seconds}
        return {**{name: float(n) for name, n in costs.items() if n is not None}, **self.measures}


def seed_of(run_seed: int, trial: int) -> int:
    """The seed of a trial, in 0 .. 2^31-1: the same on every machine, unlike for each trial."""
    return int.from_bytes(hashlib.sha256(f"{run_seed}/{trial}".encode()).digest()[:4], "big") >> 1


def best_of(records: Iterable[Record]) -> Record | None:
    """The highest score; of equal ones the earliest trial. None where nothing succeeded."""
    scored = (record for record in records if record.score is not None)
    return min(scored, key=lambda record: (-_score(record), record.trial), default=None)


def ranked(records: Iterable[Record]) -> list[Record]:
    """All records with a score, best first; of equal ones the earliest trial first."""
    scored = [record for record in records if record.score is not None]
    return sorted(scored, key=lambda record: (-_score(record), record.trial))


def value_of(record: Record, goal: Goal) -> float | None:
    """What the trial reached for one goal, as measured (not negated); None where unknown."""
    return record.known.get(goal.measure)


def pareto_front(records: Iterable[Record], goals: Sequence[Goal]) -> list[Record]:
    """The records no other is at least as good as in every goal and better in one, best score first.

    The first goal is the score itself. Records that lack the value of a goal take no part.
    """
    costs = [(_costs(record, goals), record) for record in ranked(records)]
    known = sorted(((c, r) for c, r in costs if c is not None), key=lambda pair: (pair[0], pair[1].trial))
    front: list[tuple[tuple[float, ...], Record]] = []
    for cost, record in known:  # what dominates comes before what it dominates
        if not any(_dominates(other, cost) for other, _ in front):
            front.append((cost, record))
    return [record for _, record in front]


def _costs(record: Record, goals: Sequence[Goal]) -> tuple[float, ...] | None:
    costs = [-_score(record)]
    for goal in goals[1:]:
        value = value_of(record, goal)
        if value is None or math.isnan(value):
            return None
        costs.append(-value if goal.maximize else value)
    return tuple(costs)


def _dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


def _score(record: Record) -> float:
    assert record.score is not None
    return record.score
