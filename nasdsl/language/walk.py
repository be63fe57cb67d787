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

from nasdsl.language.configuration import MAX_DECISIONS, Ask, Configuration, Dead
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
from nasdsl.language.reals import part
from nasdsl.language.requires import Limit
from nasdsl.language.rules import Rules
from nasdsl.language.watch import State

Choose: TypeAlias = Callable[[Decision], Answer]

MAX_WITHDRAWN = 2_000  # answers taken back in one walk before the space counts as infeasible
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


# What comes of an answer: for each bound the cost up to the next decision, and the least (or most) from there.
Costs: TypeAlias = tuple[tuple[int, int | None], ...]
Outlook: TypeAlias = Mapping[Answer, Costs]


class Junction:
    """One decision on the way, as it is put; `following` are the junctions its answers lead to."""

    __slots__ = ("ask", "decision", "following", "forks", "outlook", "spent", "state")

    def __init__(
        self,
        ask: Ask,
        decision: Decision,
        spent: tuple[int, ...],
        state: State,
        forks: bool,
        outlook: Outlook,
    ) -> None:
        self.ask = ask
        self.decision = decision
        self.spent = spent
        self.state = state
        self.forks = forks
        self.outlook = outlook
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
        self._outlooks: dict[tuple[Configuration, State, Domain], Outlook] = {}

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
            self._root = self._arrive(start, tuple(cost for cost, _ in self._ahead(start, state)), state)
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
        ahead = junction.outlook.get(answer)
        costs = self._ahead(following, state) if ahead is None else ahead
        spent = tuple(s + cost for s, (cost, _) in zip(junction.spent, costs, strict=True))
        return self._arrive(following, spent, state)

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
        outlook: Outlook = {}
        rules = self._feasibility.rules
        domain = _fixed(ask, self._feasibility.fixed, ask.domain if rules is None else rules.offered(ask))
        if domain is not None and self._is_pruned(ask) and not _is_long(domain):
            outlook = self._outlook(node, ask, domain, state)
            domain = self._within(domain, outlook, spent)
        elif isinstance(domain, Reals) and ask.structural:
            domain = self._cut(ask, domain, spent, state)
        if domain is None:
            return False
        self._kept += 1
        decision = ask.decision(domain)
        forks = ask.structural or self._may_cost(decision) or self._observes(ask)
        return Junction(ask, decision, spent, state, forks, outlook)

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

    def _ahead(self, following: Configuration, state: State) -> Costs:
        """For each bound, the cost up to the next decision, and the least (or most) from there."""
        return tuple(bound.after(following, state) for bound in self._feasibility.bounds)

    def _is_pruned(self, ask: Ask) -> bool:
        return bool(
            self._feasibility.bounds or (self._feasibility.exists and ask.structural)
        ) or self._observes(ask)

    def _outlook(self, node: Configuration, ask: Ask, domain: Domain, state: State) -> Outlook:
        """What each answer that can be completed costs; alike wherever a walk comes to an equal place."""
        key = (node, state, domain)
        known = self._outlooks.get(key)
        if known is None:
            if len(self._outlooks) > _MOST_JUNCTIONS:
                self._outlooks.clear()
            told = ((answer, self._told(ask, answer, state)) for answer in answers(domain))
            known = self._outlooks[key] = {answer: costs for answer, costs in told if costs is not None}
        return known

    def _told(self, ask: Ask, answer: Answer, state: State) -> Costs | None:
        """What an answer costs; None where no walk with it ends well, whatever it costs."""
        observed = self._observes(ask)
        after = self._state_after(ask, state, answer) if observed else state
        if after is None:
            return None
        following = ask.resume(answer)
        exists = self._feasibility.exists
        if exists is not None and (ask.structural or observed) and exists.after(following, after)[1] is None:
            return None
        costs = self._ahead(following, after)
        return None if any(still is None for _, still in costs) else costs

    def _within(self, domain: Domain, outlook: Outlook, spent: tuple[int, ...]) -> Domain | None:
        """The part of a domain whose answers can be completed within all limits; None if nothing."""
        limits = [bound.limit for bound in self._feasibility.bounds]
        kept = [
            answer
            for answer, costs in outlook.items()
            if all(
                limit.allows(paid + cost + (still or 0))
                for limit, paid, (cost, still) in zip(limits, spent, costs, strict=True)
            )
        ]
        return domain if len(kept) == size(domain) else _listed(domain, kept)

    def _cut(self, ask: Ask, domain: Reals, spent: tuple[int, ...], state: State) -> Reals | None:
        """The part of a range that shapes the network in which it fits, and then holds one bound after the other:
        each alone has its answers at one end."""
        exists = self._feasibility.exists

        def fits(answer: float) -> bool:
            return exists is None or exists.after(ask.resume(answer), state)[1] is not None

        found = part(domain, fits)
        for paid, bound in zip(spent, self._feasibility.bounds, strict=True):

            def holds(answer: float, paid: int = paid, bound: CostBound = bound) -> bool:
                cost, still = bound.after(ask.resume(answer), state)
                return still is not None and bound.limit.allows(paid + cost + still)

            found = part(found, holds) if found is not None else None
        return found


def _answer(decision: Decision, choose: Choose) -> Answer:
    answer = choose(decision)
    if not contains(decision.domain, answer):
        raise AnswerError(f"`{decision.path}` does not offer {answer!r}: {decision.domain}")
    return float(answer) if isinstance(decision.domain, Reals) else answer


def _is_long(domain: Domain) -> bool:
    """Whether its answers are too many to be gone through one by one."""
    return isinstance(domain, Reals) or size(domain) > _FILTERED


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
    if _is_long(domain):
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
