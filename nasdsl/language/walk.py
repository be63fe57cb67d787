"""The one walk: `decide` puts every open decision to `choose` and gives the point.

What is offered has been pruned: an answer that no completion can follow is left out. Where bounds
cannot tell, a dead end withdraws the last answer and asks again without it.

A searcher walks the same space thousands of times, so the way to each decision is kept: a tree of
junctions. Answers that change nothing after them share one way on, which keeps the tree small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from nasdsl.language.configuration import Ask, Configuration, Dead
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
from nasdsl.language.machine import Machine
from nasdsl.language.point import Point
from nasdsl.language.requires import Limit
from nasdsl.language.rules import Rules
from nasdsl.language.watch import State

Choose: TypeAlias = Callable[[Decision], Answer]

MAX_WITHDRAWN = 2_000  # answers taken back in one walk before the space counts as infeasible
MAX_DECISIONS = 100_000
_FILTERED = 4_096  # ranges up to this size are pruned value by value
_MOST_JUNCTIONS = 50_000  # kept; beyond, the tree is begun anew


@dataclass(frozen=True)
class CostBound:
    """A proved limit on an additive cost: the least (or most) that may still come, and the limit.
    `follows`: the fold goes by the rules too."""

    fold: Fold
    limit: Limit
    follows: bool = False

    def after(self, configuration: Configuration, state: State) -> tuple[int, int | None]:
        """The cost up to the next decision, and the least (or most) from there."""
        return self.fold.after(configuration, state if self.follows else ())


@dataclass(frozen=True)
class Feasibility:
    """What prunes a walk. `exists` is None where every walk ends well.

    `rules` are followed answer by answer. `fixed`: wherever one of these paths opens, its answer is
    all that is offered.
    """

    exists: Fold | None = None
    bounds: tuple[CostBound, ...] = ()
    rules: Rules | None = None
    accepts: Callable[[Point], bool] | None = None
    fixed: Mapping[str, Answer] = field(default_factory=dict)


class Junction:
    """One decision on the way, as it is put; `following` are the junctions its answers lead to."""

    __slots__ = ("ask", "decision", "following", "forks", "spent", "state")

    def __init__(
        self, ask: Ask, decision: Decision, spent: tuple[int, ...], state: State, forks: bool
    ) -> None:
        self.ask = ask
        self.decision = decision
        self.spent = spent
        self.state = state
        self.forks = forks
        self.following: dict[Answer | None, Junction | bool] = {}


# What an answer leads to: another junction, the end (True), or nothing at all (False).
Way: TypeAlias = Junction | bool


@dataclass
class _Taken:
    """One answer of the walk, to come back to."""

    junction: Junction
    answer: Answer
    withdrawn: list[Answer] = field(default_factory=list)


class Walks:
    """All walks of one space."""

    def __init__(self, machine: Machine, feasibility: Feasibility) -> None:
        self._machine = machine
        self._feasibility = feasibility
        self._root: Way | None = None
        self._kept = 0

    def decide(self, choose: Choose) -> Point:
        """One walk. Raises AnswerError for an answer that is not offered, Infeasible where no
        point was found."""
        way = self.begin()
        taken: list[_Taken] = []
        withdrawals = 0
        while True:
            if isinstance(way, Junction):
                if len(taken) >= MAX_DECISIONS:
                    raise Infeasible(f"a point has more than {MAX_DECISIONS:,} decisions, the limit")
                answer = _answer(way.decision, choose)
                taken.append(_Taken(way, answer))
                way = self.follow(way, answer)
                continue
            if way:
                point = Point({one.junction.decision.path: one.answer for one in taken})
                if self.accepts(point):
                    return point
            withdrawals += 1
            if withdrawals > MAX_WITHDRAWN:
                raise Infeasible(f"no point was found in {MAX_WITHDRAWN:,} attempts to hold every `require`")
            way = self._again(taken, choose)

    def accepts(self, point: Point) -> bool:
        """Whether a walk that has ended well is a point, as far as walks can tell."""
        return self._feasibility.accepts is None or self._feasibility.accepts(point)

    def begin(self) -> Way:
        """Where every walk begins."""
        if self._root is None or self._kept > _MOST_JUNCTIONS:
            self._kept = 0
            start, rules = self._machine.start(), self._feasibility.rules
            state = rules.start if rules else ()
            self._root = self._arrive(start, self._paid((), start, state), state)
        return self._root

    def _again(self, taken: list[_Taken], choose: Choose) -> Way:
        """The last answer is withdrawn and asked for anew; where none is left, one further back."""
        while taken:
            last = taken.pop()
            last.withdrawn.append(last.answer)
            domain = _without(last.junction.decision.domain, last.withdrawn)
            if domain is None:
                continue
            decision = last.junction.ask.decision(domain)
            answer = _answer(decision, choose)
            taken.append(_Taken(last.junction, answer, last.withdrawn))
            return self.follow(last.junction, answer)
        raise Infeasible("no point holds every `require`")

    def follow(self, junction: Junction, answer: Answer) -> Way:
        """What an answer that is offered leads to."""
        key = answer if junction.forks else None
        known = junction.following.get(key)
        if known is None:
            known = junction.following[key] = self._beyond(junction, answer)
        return known

    def _beyond(self, junction: Junction, answer: Answer) -> Way:
        state = self._state_after(junction.ask, junction.state, answer)
        if state is None:
            return False
        following = junction.ask.resume(answer)
        return self._arrive(following, self._paid(junction.spent, following, state), state)

    def _arrive(self, configuration: Configuration, spent: tuple[int, ...], state: State) -> Way:
        """Run on to the next decision, and prune what it offers."""
        try:
            node, ask = self._machine.run(configuration)
        except Dead:
            return False
        if ask is None:
            bounds, rules = self._feasibility.bounds, self._feasibility.rules
            within = all(b.limit.allows(s) for s, b in zip(spent, bounds, strict=True))
            return within and (rules is None or rules.accept(node, state))
        domain = self._offered(ask, spent, state)
        if domain is None:
            return False
        self._kept += 1
        decision = ask.decision(domain)
        forks = ask.structural or self._may_cost(decision) or self._observes(ask)
        return Junction(ask, decision, spent, state, forks)

    def _observes(self, ask: Ask) -> bool:
        """Whether the answer alone, even one among very many, bears on a rule."""
        rules = self._feasibility.rules
        return rules is not None and (rules.observes(ask) or rules.is_blurred(ask))

    def _state_after(self, ask: Ask, state: State, answer: Answer) -> State | None:
        rules = self._feasibility.rules
        return state if rules is None else rules.after(state, ask, answer)

    def _may_cost(self, decision: Decision) -> bool:
        """Whether an answer that changes nothing after it may still change what a bound limits.
        Settings cost nothing, nor do real numbers: those that do (a ratio of a rank) shape."""
        settled = isinstance(decision.domain, Reals) or decision.path.startswith("train/")
        return bool(self._feasibility.bounds) and not settled

    def _paid(self, spent: tuple[int, ...], following: Configuration, state: State) -> tuple[int, ...]:
        """The costs so far, up to the next decision."""
        bounds = self._feasibility.bounds
        before = spent or (0,) * len(bounds)
        return tuple(s + b.after(following, state)[0] for s, b in zip(before, bounds, strict=True))

    def _offered(self, ask: Ask, spent: tuple[int, ...], state: State) -> Domain | None:
        """What of a domain can be completed; None where nothing can."""
        rules = self._feasibility.rules
        domain = _fixed(ask, self._feasibility.fixed, ask.domain if rules is None else rules.offered(ask))
        if domain is None:
            return None
        observed = self._observes(ask)
        if self._feasibility.bounds or observed or (self._feasibility.exists and ask.structural):
            return _filtered(domain, lambda answer: self._can_follow(ask, answer, spent, state, observed))
        return domain

    def _can_follow(
        self, ask: Ask, answer: Answer, spent: tuple[int, ...], state: State, observed: bool
    ) -> bool:
        """Whether a walk with this answer can end well, as far as bounds can tell."""
        after = self._state_after(ask, state, answer) if observed else state
        if after is None:
            return False
        following = ask.resume(answer)
        exists = self._feasibility.exists
        if exists is not None and (ask.structural or observed) and exists.after(following, after)[1] is None:
            return False
        for paid, bound in zip(spent, self._feasibility.bounds, strict=True):
            cost, still = bound.after(following, after)
            if still is None or not bound.limit.allows(paid + cost + still):
                return False
        return True


def _answer(decision: Decision, choose: Choose) -> Answer:
    answer = choose(decision)
    if not contains(decision.domain, answer):
        raise AnswerError(f"`{decision.path}` does not offer {answer!r}: {decision.domain}")
    return float(answer) if isinstance(decision.domain, Reals) else answer


def _filtered(domain: Domain, keep: Callable[[Answer], bool]) -> Domain | None:
    """The part of a domain that `keep` lets through, in the simplest form; None if nothing."""
    if isinstance(domain, Reals) or size(domain) > _FILTERED:
        return domain
    kept = [answer for answer in answers(domain) if keep(answer)]
    return domain if len(kept) == size(domain) else _listed(domain, kept)


def _fixed(ask: Ask, fixed: Mapping[str, Answer], domain: Domain | None) -> Domain | None:
    """The domain, cut to the answer that is fixed for its path; None where that is not offered."""
    path = ask.decision(ask.domain).path if fixed and domain is not None else ""
    if path not in fixed or domain is None:
        return domain
    answer = fixed[path]
    if not contains(domain, answer):
        return None
    answer = float(answer) if isinstance(domain, Reals) else answer
    return Options((answer,), (1.0,), ordered=not isinstance(answer, str))


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
