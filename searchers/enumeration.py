"""All points of a small space, as the walk gives them."""

from __future__ import annotations

from collections.abc import Iterator

from nasdsl.language.decisions import default
from nasdsl.language.moves import follow
from nasdsl.language.point import Point
from searchers.view import SearchSpace


def points_of(space: SearchSpace) -> Iterator[Point]:
    """Every point that a searcher may propose, once, in the order of enumeration.

    Enumeration ranges over the whole tree. Following each of its points through the walk leads to one
    that holds every `require` and every fixed answer, and to itself where it holds them already.
    """
    given: set[Point] = set()
    for enumerated in space.enumerate():
        point = follow(space, enumerated, default)
        if point not in given:
            given.add(point)
            yield point
