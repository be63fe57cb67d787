"""Population based training (Jaderberg et al. 2017, arXiv 1711.09846).

Each trial is one stretch of the training of one member. A member among the worst that lately ended a
stretch goes on from the checkpoint of one among the best (exploit), with its numbers perturbed
(explore); the others go on from their own with their own answers. Only ordered decisions that open
nothing are perturbed: what changes the network would not fit the weights. All members therefore share the
answers to the rest, those of the first point.

`lineage(trial)` says what a trial continues; whoever runs it copies the checkpoint. `schedule(trial)` is the
way to a trial from the start: what to replay when the winner is trained again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nasdsl.language.decisions import (
    Answer,
    Decision,
    Domain,
    Integers,
    Reals,
    contains,
    draw,
    from_unit,
    to_unit,
)
from nasdsl.language.decisions import neighbours as beside
from nasdsl.language.moves import follow, is_open, is_ordered, trace
from nasdsl.language.point import Point
from searchers.duplicates import random_point
from searchers.history import History, Result, succeeded
from searchers.protocol import Lineage, Outcome
from searchers.view import Same, SearchSpace

_FACTOR = 0.2  # a number times 0.8 or 1.2


@dataclass(frozen=True, slots=True)
class Stretch:
    """One trial of a member: `number` stretches came before it."""

    member: int
    number: int
    parent: int | None


class PBT:
    """Exploit and explore over a population that trains.

    Args:
        population: members; 10 and more work well, fewer do not (Jaderberg et al. 2017).
        interval: the budget (epochs) of one stretch.
        quantile: share of the latest results that counts as worst, and as best.
        resample: chance that a number is drawn anew instead of perturbed.
        start: the answers that all members share, and the first of the first member; random by default.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        population: int = 10,
        interval: float = 1,
        quantile: float = 0.2,
        resample: float = 0.25,
        start: Point | None = None,
        same: Same = Point.key,
    ) -> None:
        self._space = space
        self._seed = seed
        self._population = population
        self._interval = interval
        self._quantile = quantile
        self._resample = resample
        self._first = start or random_point(space, random.Random(f"{seed}/start"))
        self._history = History(same)
        self._stretches: dict[int, Stretch] = {}

    def ask(self, trial: int) -> Point | None:
        """The next stretch of the member that is furthest behind; None while all of them train."""
        return self._history.proposed(trial, lambda: self._proposal(trial))

    def _proposal(self, trial: int) -> Point | None:
        rng = random.Random(f"{self._seed}/{trial}")
        last = {stretch.member: number for number, stretch in sorted(self._stretches.items())}
        idle = [m for m in range(self._population) if last.get(m) not in self._history.pending]
        if not idle:
            return None
        member = min(idle, key=lambda m: (self._stretches[last[m]].number if m in last else -1, m))
        if member not in last:
            self._stretches[trial] = Stretch(member, 0, None)
            return self._first if member == 0 else self._explored(self._first, rng, resample=1.0)
        before = last[member]
        source = self._exploited(before, last, rng)
        self._stretches[trial] = Stretch(member, self._stretches[before].number + 1, source)
        point = self._result(source).point
        return point if source == before else self._explored(point, rng, self._resample)

    def _exploited(self, before: int, last: Mapping[int, int], rng: random.Random) -> int:
        """The trial to go on from: the member's own, or one of the best where it is among the worst.

        A failed stretch is among the worst; while nothing has succeeded, everyone tries again.
        """
        latest = [self._latest_told(member, last[member]) for member in sorted(last)]
        ranked = sorted(
            (r for r in latest if r is not None and succeeded(r.outcome)), key=lambda r: (r.score, -r.trial)
        )
        failed = not succeeded(self._result(before).outcome)
        n = max(1, int(self._quantile * len(ranked)))
        if len(ranked) <= n or not (failed or before in {r.trial for r in ranked[:n]}):
            return before
        return rng.choice(ranked[-n:]).trial

    def _latest_told(self, member: int, trial: int | None) -> Result | None:
        told = [
            t for t, s in self._stretches.items() if s.member == member and t not in self._history.pending
        ]
        return self._result(max(told)) if told else None

    def _result(self, trial: int) -> Result:
        return self._history.of(trial)

    def _explored(self, point: Point, rng: random.Random, resample: float) -> Point:
        wanted: dict[str, Answer] = dict(point)
        for decision in perturbable(trace(self._space, point)):
            anew = rng.random() < resample
            domain = decision.domain
            wanted[decision.path] = (
                draw(domain, rng) if anew else perturbed(domain, point[decision.path], rng)
            )
        return follow(self._space, wanted, lambda decision: draw(decision.domain, rng))

    def lineage(self, trial: int) -> Lineage:
        """What the trial continues, and how far it is trained in all."""
        stretch = self._stretches[trial]
        return Lineage(stretch.parent, self._interval * (1 + len(self._line(trial))), stretch.member)

    def _line(self, trial: int) -> list[int]:
        """The trials that this one continues, the first one first."""
        line: list[int] = []
        parent = self._stretches[trial].parent
        while parent is not None:
            line.insert(0, parent)
            parent = self._stretches[parent].parent
        return line

    def schedule(self, trial: int) -> list[tuple[float, Point]]:
        """(budget of the stretch, point) from the start to this trial, to be replayed."""
        return [(self._interval, self._history.of(t).point) for t in [*self._line(trial), trial]]

    def inherit(self, trial: int, lineage: Lineage) -> None:
        """Note what a trial of a resumed run continues, before it is `given`."""
        self._adopt(trial, lineage.measures())

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: the first stretch of a member without one."""
        self._adopt(trial, {})
        self._history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Note how far a member came. The measures `parent` and `member` restore a lineage."""
        self._adopt(trial, outcome.measures)
        self._history.tell(trial, point, outcome)

    def _adopt(self, trial: int, measures: Mapping[str, float]) -> None:
        if trial in self._stretches:
            return
        taken = {stretch.member for stretch in self._stretches.values()}
        free = next((m for m in range(self._population) if m not in taken), trial % self._population)
        member = int(measures.get("member", free))
        parent = int(measures["parent"]) if "parent" in measures else None
        before = [s.number for s in self._stretches.values() if s.member == member]
        self._stretches[trial] = Stretch(member, max(before, default=-1) + 1, parent)


def perturbable(decisions: Sequence[Decision]) -> list[Decision]:
    """The training decisions that are numbers; in a space without a network all numbers that open nothing."""
    training = [d for d in decisions if d.path.startswith("train/")] or list(decisions)
    opening = {p[:end] for p in (d.path for d in decisions) for end, letter in enumerate(p) if letter in "/["}
    return [
        d
        for d in training
        if is_ordered(d.domain) and is_open(d.domain) and d.kind != "count" and d.path not in opening
    ]


def perturbed(domain: Domain, answer: Answer, rng: random.Random) -> Answer:
    """Times 0.8 or 1.2, kept inside; the value beside it where the answers are a list or a step is too short."""
    up = rng.random() < 0.5
    near = beside(domain, answer) if contains(domain, answer) else ()
    if isinstance(domain, Integers | Reals) and isinstance(answer, int | float):
        moved = answer * (1 + _FACTOR if up else 1 - _FACTOR)
        value = from_unit(domain, to_unit(domain, max(domain.low, min(domain.high, moved))))
        if value != answer:
            return value
    return rng.choice(near) if near else answer
