"""How many completions there are for each cost that they can have: exact, where not too many costs differ.

What a completion costs beyond the least is kept as it is, not in steps: for every place a table of the different
costs within the limit, and how many completions cost no more. Networks of few widths add up to few different
costs, however many they are.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from nasdsl.language.configuration import LimitError
from nasdsl.language.fold import Edge, Fold, Node
from nasdsl.language.profile import Budget, Profile

_MOST_COSTS = 600_000  # in all tables together: below a second, and 60 MB


class Exact(Profile):
    """A profile in steps of 1. A value is the number of a table."""

    def __init__(self, like: Fold, budget: Budget) -> None:
        """Working it out raises LimitError where too many costs differ."""
        super().__init__(like, budget)
        self._costs: list[list[int]] = [[0]]
        self._counts: list[list[int]] = [[1]]  # of completions that cost no more
        self._kept = 0
        self._end = 0

    def within(self, value: int, steps: int) -> int:
        at = bisect_right(self._costs[value], steps)
        return self._counts[value][at - 1] if at else 0

    def _combined(self, node: Node, edges: list[Edge]) -> int | None:
        found: dict[int, int] = {}
        for many, steps, value in self._ways(node, edges):
            self._add(found, value, steps, many)
        if not found:
            return None
        costs = sorted(found)
        self._costs.append(costs)
        self._counts.append(list(accumulate(found[cost] for cost in costs)))
        return len(self._costs) - 1

    def _add(self, found: dict[int, int], value: int, beyond: int, many: int) -> None:
        """Into `found`, what each cost of a table becomes behind a branch that `many` answers take."""
        costs, before = self._costs[value], 0
        n_within = bisect_right(costs, self.steps - beyond)
        self._kept += n_within
        if self._kept > _MOST_COSTS:
            raise LimitError(f"more than {_MOST_COSTS:,} different costs, the limit of exact tables")
        for cost, count in zip(costs[:n_within], self._counts[value], strict=False):
            found[cost + beyond] = found.get(cost + beyond, 0) + many * (count - before)
            before = count
