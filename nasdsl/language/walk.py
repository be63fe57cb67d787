"""The one walk: `decide` puts every open decision to `choose` and gives the point.

What is offered has been pruned: an answer that no completion can follow is left out. Where bounds
cannot tell, a dead end withdraws the last answer and asks again without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from nasdsl.language.decisions import (
    Answer,
    Decision,
    Domain,
    Integers,
    Options,
    Reals,
    contains,
    size,
)
from nasdsl.language.errors import AnswerError, Infeasible
from nasdsl.language.fold import Fold, answers
from nasdsl.language.machine import Ask, Configuration, Dead, Machine
from nasdsl.language.network import Value
from nasdsl.language.point import Point
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Signature

Choose: TypeAlias = Callable[[Decision], Answer]
Cost: TypeAlias = Callable[[Signature, dict[str, Value], Shape, Shape], int]

MAX_WITHDRAWN = 2_000  # answers taken back in one walk before the space counts as infeasible
MAX_DECISIONS = 100_000
_FILTERED = 4_096  # ranges up to this size are pruned value by value


@dataclass(frozen=True)
class Bound:
    """A proved limit on an additive cost: the least (or most) that may still come, and the limit."""

    cost: Cost
    limit: float
    fold: Fold
    upper: bool  # cost <= limit, else cost >= limit

    def allows(self, total: int) -> bool:
        """Whether the best that can still be reached holds the limit."""
        return total <= self.limit if self.upper else total >= self.limit


@dataclass
class Feasibility:
    """What prunes a walk. `exists` is None where nothing in the space can fail.

    `fixed`: wherever one of these paths opens, its answer is all that is offered.
    """

    exists: Fold | None = None
    bounds: tuple[Bound, ...] = ()
    accepts: Callable[[Point], bool] = lambda point: True
    fixed: Mapping[str, Answer] = field(default_factory=dict)
    pruned: dict[Configuration, Domain] = field(default_factory=dict)


@dataclass
class _Asked:
    """One decision of the trail, to come back to."""

    node: Configuration
    ask: Ask
    spent: tuple[int, ...]
    path: str
    withdrawn: list[Answer] = field(default_factory=list)


def decide(machine: Machine, choose: Choose, feasibility: Feasibility) -> Point:
    """Walk the space. Raises AnswerError for an answer that is not offered, Infeasible where no
    point was found."""
    walk = _Walk(machine, choose, feasibility)
    configuration, spent = machine.start(), (0,) * len(feasibility.bounds)
    while True:
        try:
            node, ask = machine.run(configuration)
        except Dead:
            configuration, spent = walk.withdraw()
            continue
        if ask is None:
            point = Point(walk.answers)
            if feasibility.accepts(point):
                return point
            configuration, spent = walk.withdraw()
            continue
        asked = _Asked(node, ask, spent, ask.decision(ask.domain).path)
        configuration, spent = walk.put(asked) or walk.withdraw()


class _Walk:
    """The answers so far, and the trail that leads back."""

    def __init__(self, machine: Machine, choose: Choose, feasibility: Feasibility) -> None:
        self._machine = machine
        self._choose = choose
        self._feasibility = feasibility
        self._trail: list[_Asked] = []
        self._withdrawn = 0
        self.answers: dict[str, Answer] = {}

    def put(self, asked: _Asked) -> tuple[Configuration, tuple[int, ...]] | None:
        """Ask, and go on where the answer leads; None where nothing is left to offer."""
        domain = self._offered(asked)
        if domain is None:
            return None
        decision = asked.ask.decision(domain)
        answer = self._choose(decision)
        if not contains(domain, answer):
            raise AnswerError(f"`{decision.path}` does not offer {answer!r}: {domain}")
        if type(answer) is int and isinstance(domain, Reals):
            answer = float(answer)
        if len(self._trail) >= MAX_DECISIONS:
            raise Infeasible(f"a point has more than {MAX_DECISIONS:,} decisions, which is the limit")
        self.answers[decision.path] = answer
        self._trail.append(asked)
        following = asked.ask.resume(answer)
        return following, self._paid(asked.spent, following)

    def withdraw(self) -> tuple[Configuration, tuple[int, ...]]:
        """Take the last answer back and ask again without it; where none is left, one further back."""
        while self._trail and self._withdrawn < MAX_WITHDRAWN:
            self._withdrawn += 1
            asked = self._trail.pop()
            asked.withdrawn.append(self.answers.pop(asked.path))
            again = self.put(asked)
            if again is not None:
                return again
        raise Infeasible("no point was found that holds every `require`")

    def _paid(self, spent: tuple[int, ...], following: Configuration) -> tuple[int, ...]:
        bounds = self._feasibility.bounds
        return tuple(s + b.fold.after(following)[0] for s, b in zip(spent, bounds, strict=True))

    def _offered(self, asked: _Asked) -> Domain | None:
        """What is left of a domain: what can be completed, without what was withdrawn."""
        domain: Domain | None = self._viable(asked)
        if domain is not None and asked.path in self._feasibility.fixed:
            domain = _only(domain, self._feasibility.fixed[asked.path])
        if domain is not None and self._feasibility.bounds:
            domain = _filtered(domain, lambda answer: self._affordable(asked, answer))
        if domain is not None and asked.withdrawn:
            domain = _without(domain, asked.withdrawn)
        return domain

    def _viable(self, asked: _Asked) -> Domain | None:
        exists = self._feasibility.exists
        if exists is None or not asked.ask.structural:
            return asked.ask.domain
        known = self._feasibility.pruned.get(asked.node)
        if known is None:
            fold, ask = exists, asked.ask
            known = _filtered(ask.domain, lambda answer: fold.after(ask.resume(answer))[1] is not None)
            if known is None:
                return None
            self._feasibility.pruned[asked.node] = known
        return known

    def _affordable(self, asked: _Asked, answer: Answer) -> bool:
        following = asked.ask.resume(answer)
        for spent, bound in zip(asked.spent, self._feasibility.bounds, strict=True):
            cost, still = bound.fold.after(following)
            if still is None or not bound.allows(spent + cost + still):
                return False
        return True


def _filtered(domain: Domain, keep: Callable[[Answer], bool]) -> Domain | None:
    """The part of a domain that `keep` lets through, in the simplest form; None if nothing."""
    if isinstance(domain, Reals) or size(domain) > _FILTERED:
        return domain
    kept = [answer for answer in answers(domain) if keep(answer)]
    if len(kept) == size(domain):
        return domain
    return _listed(domain, kept)


def _only(domain: Domain, answer: Answer) -> Domain | None:
    """The one answer, if the domain offers it."""
    if not contains(domain, answer):
        return None
    real = isinstance(domain, Reals)
    return Options((float(answer) if real else answer,), (1.0,), ordered=not isinstance(answer, str))


def _listed(domain: Domain, kept: list[Answer]) -> Domain | None:
    if not kept:
        return None
    if isinstance(domain, Options):
        weights = dict(zip(domain.values, domain.weights, strict=True))
        return Options(tuple(kept), tuple(weights[answer] for answer in kept), domain.ordered)
    if isinstance(domain, Integers):
        low, high = kept[0], kept[-1]
        assert isinstance(low, int) and isinstance(high, int)
        if len(kept) == (high - low) // domain.step + 1:
            centre = domain.centre if domain.centre and low <= domain.centre <= high else None
            return Integers(low, high, domain.step, domain.log, centre)
    return Options(tuple(kept), (1.0,) * len(kept), ordered=True)


def _without(domain: Domain, withdrawn: list[Answer]) -> Domain | None:
    if isinstance(domain, Reals) or size(domain) > _FILTERED:
        return None  # its answer was not what failed, or trying all of them would take for ever
    return _listed(domain, [answer for answer in answers(domain) if answer not in withdrawn])


def replay(machine: Machine, point: Mapping[str, Answer]) -> None:
    """Walk along a point, for the sake of `machine.recorder`. Raises AnswerError where an answer
    is missing, superfluous or not offered, and Dead where the network does not fit."""
    configuration = machine.start()
    used = 0
    while True:
        _, ask = machine.run(configuration)
        if ask is None:
            break
        path = ask.decision(ask.domain).path
        if path not in point:
            raise AnswerError(f"the point has no answer for `{path}`")
        if not contains(ask.domain, point[path]):
            raise AnswerError(f"`{path}` does not offer {point[path]!r}")
        used += 1
        configuration = ask.resume(point[path])
    if used != len(point):
        raise AnswerError("the point answers decisions that do not open")
