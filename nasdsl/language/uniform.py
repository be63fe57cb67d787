"""Points drawn uniformly over all that hold every `require`.

A walk is steered by how many completions each answer has within the budget. Costs are rounded down, so that a few
points too many are in the draw; those are drawn again, and the rest are equally likely.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from nasdsl.language.decisions import Answer, Decision, Integers, Options, Reals
from nasdsl.language.errors import Infeasible
from nasdsl.language.fold import Node
from nasdsl.language.point import Point
from nasdsl.language.profile import Branch, Profile
from nasdsl.language.requires import Limit

MOST_REJECTED = 100_000  # draws before a `require` counts as too rare to sample
_MOST_KEPT = 100_000  # places whose branches are remembered

Accepts = Callable[[Point], bool]
Real = Callable[[Decision], Answer]


class _Way(NamedTuple):
    """A branch, what it costs in steps, and what there is beyond it."""

    branch: Branch
    steps: int
    value: int


class Uniform:
    """Draws over the points of one profile."""

    def __init__(self, profile: Profile, limit: Limit | None, accepts: Accepts | None) -> None:
        """`limit` is that of the profile's budget; `accepts` says of a point whether all else holds."""
        self._profile = profile
        self._limit = limit
        self._accepts = accepts
        self._ways: dict[Node, list[_Way]] = {}

    def draw(self, rng: random.Random, real: Real) -> Point:
        """One point; `real` answers the real ranges. Raises Infeasible where too few draws hold."""
        total = self._profile.total()
        if not total:
            raise Infeasible("no point holds every `require`")
        for _ in range(MOST_REJECTED):
            point, cost = self._at(rng.randrange(total), real)
            within = self._limit is None or self._limit.allows(cost)
            if within and (self._accepts is None or self._accepts(point)):
                return point
        raise Infeasible(f"none of {MOST_REJECTED:,} points drawn holds every `require`")

    def _at(self, index: int, real: Real) -> tuple[Point, int]:
        """The point of a number, and what it costs."""
        profile = self._profile
        machine, rules = profile.machine, profile.rules
        state, steps = rules.start if rules else (), profile.steps
        configuration = machine.start()
        cost = profile.begin()[0]
        found: dict[str, Answer] = {}
        while True:
            configuration, ask = machine.run(configuration)
            if ask is None:
                return Point(found), cost
            for way in self._ways_at((configuration, state), ask):
                each = profile.within(way.value, steps - way.steps) if way.steps <= steps else 0
                if index < each * way.branch.many:
                    break
                index -= each * way.branch.many
            else:
                raise AssertionError("the numbers of the ways add up to that of the place")
            decision = ask.decision(ask.domain)
            answer = _answer(way.branch, decision, index // each, real)
            found[decision.path] = answer
            index, steps, cost = index % each, steps - way.steps, cost + way.branch.cost
            state, configuration = way.branch.end[1], ask.resume(answer)

    def _ways_at(self, node: Node, ask: object) -> list[_Way]:
        ways = self._ways.get(node)
        if ways is None:
            if len(self._ways) > _MOST_KEPT:
                self._ways.clear()
            ways = self._ways[node] = []
            for branch in self._profile.branches(ask, node[1]):  # type: ignore[arg-type]
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
