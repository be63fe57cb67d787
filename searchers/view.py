"""All that a searcher may ask of a space. `nasdsl.language.space.Space` offers it, and more."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Protocol

from nasdsl.language.decisions import Answer, Decision
from nasdsl.language.point import Point


class SearchSpace(Protocol):
    """A tree of decisions, seen through its one walk."""

    def decide(self, choose: Callable[[Decision], Answer]) -> Point:
        """Walk the tree, asking `choose` at every open decision."""
        ...

    def count(self) -> int:
        """The exact number of points; a real interval counts as one answer."""
        ...

    def enumerate(self) -> Iterable[Point]:
        """All points of a space without reals, lazily, in a fixed order."""
        ...


Same = Callable[[Point], Hashable]
"""What counts as the same point: two points with equal `same(point)` are duplicates."""

Measure = Callable[[Point], Mapping[str, float]]
"""What is known of a point before it is evaluated, by name: parameters, multiply-accumulates."""
