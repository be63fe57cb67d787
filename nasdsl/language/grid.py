"""How many completions there are within every budget of a grid of steps: certified bounds.

Rounded down, too many completions are counted, rounded up too few; where the step is 1, or both agree, the number
itself. The completions within 0, 1, 2, … steps stand side by side in one long integer, `width` bits each. To add
what a branch costs is then one shift, and to join branches one sum, however many budgets there are.
"""

from __future__ import annotations

from dataclasses import replace

from nasdsl.language.fold import Edge, Fold, Node
from nasdsl.language.profile import Budget, Profile

_MOST_BITS = 400_000_000  # of all places together: 50 MB
_MOST_STEPS = 2_048
_FEWEST_STEPS = 16


def in_steps(budget: Budget, total: int, places: int) -> Budget:
    """The budget in the finest steps that the memory allows. `total` is the number of points and `places` that
    of places."""
    room = _MOST_BITS // max(1, places * (total.bit_length() + 1))
    most = max(_FEWEST_STEPS, min(_MOST_STEPS, room))
    return replace(budget, step=-(-(budget.slack + 1) // most))


class Grid(Profile):
    """A profile in long integers."""

    def __init__(self, like: Fold, budget: Budget, total: int, up: bool = False) -> None:
        """`total`: how many points there are at most."""
        super().__init__(like, budget, up)
        self._width = total.bit_length() + 1
        self._mask = (1 << self._width * (budget.steps + 1)) - 1
        self._one = (1 << self._width) - 1
        self._end = self._mask // self._one  # one completion within each budget

    def within(self, value: int, steps: int) -> int:
        return (value >> self._width * steps) & self._one

    def _combined(self, node: Node, edges: list[Edge]) -> int | None:
        joined = 0
        for many, steps, value in self._ways(node, edges):
            joined += many * ((value << self._width * steps) & self._mask)
        return joined or None
