"""What to do when a searcher proposes a point that it has seen before: `allow`, `skip`, `resample`.

- `allow`: propose it again. Right where repeated measurements are wanted.
- `skip`: pass it over and draw again; when the method has nothing new of its own, the search ends.
- `resample`: as `skip`, then fall back on random points, and in a small space on whatever is left;
  the search ends only when nothing is left.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

from nasdsl.language.decisions import Answer, Decision, Reals, draw
from nasdsl.language.moves import is_open
from nasdsl.language.point import Point
from searchers.enumeration import points_of
from searchers.history import History
from searchers.view import SearchSpace

Duplicates = Literal["allow", "skip", "resample"]

_OWN_TRIES = 50
_RANDOM_TRIES = 100
_ENUMERABLE = 200_000  # points; enumerating more costs seconds, and random draws still find new ones


def random_point(space: SearchSpace, rng: random.Random) -> Point:
    """A point drawn decision by decision from the author's prior."""
    return space.decide(lambda decision: draw(decision.domain, rng))


def fresh(
    space: SearchSpace,
    history: History,
    policy: Duplicates,
    propose: Callable[[], Point],
    rng: random.Random,
) -> Point | None:
    """A proposal of `propose` that satisfies the policy; None when nothing is left."""
    if policy == "allow":
        return propose()
    for _ in range(_OWN_TRIES):
        point = propose()
        if not history.has_seen(point):
            return point
    return anything_new(space, history, rng) if policy == "resample" else None


def anything_new(space: SearchSpace, history: History, rng: random.Random) -> Point | None:
    """A random unseen point; None when random draws find none and there is none in a small space."""
    has_reals = False

    def choose(decision: Decision) -> Answer:
        nonlocal has_reals
        has_reals = has_reals or (isinstance(decision.domain, Reals) and is_open(decision.domain))
        return draw(decision.domain, rng)

    for _ in range(_RANDOM_TRIES):
        point = space.decide(choose)
        if not history.has_seen(point):
            return point
    if has_reals or space.count() > _ENUMERABLE:
        return None
    left = list(points_of(space))
    rng.shuffle(left)  # what counts as the same may be dear to know: the first new one is as good as any
    return next((point for point in left if not history.has_seen(point)), None)
