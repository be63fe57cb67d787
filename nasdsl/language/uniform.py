"""Points drawn uniformly over all that hold every `require`.

A walk is steered by how many completions each answer has within the budget. Costs are rounded down, so that a few
points too many are in the draw; those are drawn again, and the rest are equally likely.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from nasdsl.language.configuration import Ask, Configuration, Dead
from nasdsl.language.decisions import Answer, Decision, Integers, Options, Reals
from nasdsl.language.errors import Infeasible
from nasdsl.language.fold import Node
from nasdsl.language.point import Point
from nasdsl.language.profile import Branch, Profile
from nasdsl.language.requires import Limit
from nasdsl.language.watch import State

MOST_REJECTED = 100_000  # draws before a `require` counts as too rare to sample
_MOST_KEPT = 50_000  # decisions that are remembered, with the way to them

Accepts = Callable[[Point], bool]
Real = Callable[[Decision], Answer]


class _Way(NamedTuple):
    """A branch, what it costs in steps, and what there is beyond it."""

    branch: Branch
    steps: int
    value: int


class _Stop:
    """A decision on the way of a draw, and where its answers lead."""

    __slots__ = ("ask", "decision", "following", "ways")

    def __init__(self, ask: Ask, ways: list[_Way]) -> None:
        self.ask = ask
        self.decision = ask.decision(ask.domain)
        self.ways = ways
        self.following: dict[Answer | None, _Stop | None] = {}


class Uniform:
    """Draws over the points of one profile."""

    def __init__(self, profile: Profile, limit: Limit | None, accepts: Accepts | None) -> None:
        """`limit` is that of the profile's budget; `accepts` says of a point whether all else holds."""
        self._profile = profile
        self._limit = limit
        self._accepts = accepts
        self._ways: dict[Node, list[_Way]] = {}
        self._first: _Stop | None = None
        self._kept = 0

    def draw(self, rng: random.Random, real: Real) -> Point:
        """One point; `real` answers the real ranges. Raises Infeasible where too few draws hold."""
        total = self._profile.total()
        if not total:
            raise Infeasible("no point holds every `require`")
        for _ in range(MOST_REJECTED):
            try:
                point, cost = self._at(rng.randrange(total), real)
            except Dead:  # of a real range, an answer of whose misfit only a later layer tells
                continue
            within = self._limit is None or self._limit.allows(cost)
            if within and (self._accepts is None or self._accepts(point)):
                return point
        raise Infeasible(f"none of {MOST_REJECTED:,} points drawn holds every `require`")

    def _at(self, index: int, real: Real) -> tuple[Point, int]:
        """The point of a number, and what it costs."""
        profile = self._profile
        steps, cost = profile.steps, profile.begin()[0]
        found: dict[str, Answer] = {}
        stop = self._begin()
        while stop is not None:
            for way in stop.ways:
                each = profile.within(way.value, steps - way.steps) if way.steps <= steps else 0
                if index < each * way.branch.many:
                    break
                index -= each * way.branch.many
            else:
                raise AssertionError("the numbers of the ways add up to that of the place")
            answer = _answer(way.branch, stop.decision, index // each, real)
            found[stop.decision.path] = answer
            index, steps, cost = index % each, steps - way.steps, cost + way.branch.cost
            stop = self._after(stop, way, answer)
        return Point(found), cost

    def _begin(self) -> _Stop | None:
        if self._first is None or self._kept > _MOST_KEPT:
            self._kept = 0
            rules = self._profile.rules
            self._first = self._stop(self._profile.machine.start(), rules.start if rules else ())
        return self._first

    def _after(self, stop: _Stop, way: _Way, answer: Answer) -> _Stop | None:
        """The next decision; None at the end. Answers that make no difference share the way on."""
        key = answer if isinstance(way.branch.answers, tuple) else None
        if key not in stop.following:
            stop.following[key] = self._stop(stop.ask.resume(answer), way.branch.end[1])
        return stop.following[key]

    def _stop(self, configuration: Configuration, state: State) -> _Stop | None:
        configuration, ask = self._profile.machine.run(configuration)
        if ask is None:
            return None
        self._kept += 1
        node = configuration, state
        return _Stop(ask, self._ways_at(node, ask))

    def _ways_at(self, node: Node, ask: Ask) -> list[_Way]:
        ways = self._ways.get(node)
        if ways is None:
            if len(self._ways) > _MOST_KEPT:
                self._ways.clear()
            ways = self._ways[node] = []
            for branch in self._profile.branches(ask, node[1]):
                value, steps = self._profile.value_at(branch.end), self._profile.steps_of(node, branch)
                if value is not None and steps is not None:
                    ways.append(_Way(branch, steps, value))
        return ways


def _answer(branch: Branch, decision: Decision, index: int, real: Real) -> Answer:
    among = branch.answers
    if isinstance(among, tuple):
        return among[index]
    if isinstance(among, Reals):
        return real(Decision(decision.path, among, decision.site, decision.kind))
    if isinstance(among, Options):
        return among.values[index]
    assert isinstance(among, Integers)
    return among.low + index * among.step
