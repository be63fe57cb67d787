"""What planning a point tells a searcher: what it costs, and which points are one and the same."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from nasdsl.language.errors import NasdslError
from nasdsl.language.point import Point
from searchers.view import Measure, Same

if TYPE_CHECKING:
    from nasdsl.language.space import Space

_KEPT = 200_000  # keys of points, as many as a small space may have


def costs_of(space: Space) -> Measure | None:
    """What is known of a point before it is trained; None where there is no network to plan."""
    if not space.has_network:
        return None
    from compiler.plan import plan

    def costs(point: Point) -> Mapping[str, float]:
        network = plan(space, point)
        return {"params": float(network.params), "macs": float(network.macs)}

    return costs


def same_training(space: Space) -> Same:
    """Two points are the same where equal networks are trained by equal settings, whatever decisions lead there.

    Right for the default training alone: an `evaluate` of the user's own may read any answer. Without a
    network, and for a point that decides none, the point itself counts.
    """
    if not space.has_network:
        return Point.key
    from compiler.identity import canonical
    from compiler.plan import plan_of

    @functools.lru_cache(_KEPT)
    def same(point: Point) -> Hashable:
        try:
            decided = space.decided(point)
            return plan_of(decided).hash, canonical(decided.settings)
        except NasdslError:
            return point.key()

    return same
