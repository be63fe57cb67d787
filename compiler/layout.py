"""Places for the nodes of a graph: rows from top to bottom, few crossings, straight lines.

The method of Sugiyama, Tagawa and Toda (1981): rows by the longest path, bends where an edge passes a row,
order within rows by the mean of neighbours, then places as near to neighbours as the order allows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeAlias

Item: TypeAlias = str | tuple[str, str, int]  # a node, or the bend of an edge (from, to) in a row

_SWEEPS = 8
_GAP = 28.0  # free space between neighbours of one row, in the unit of the widths


@dataclass(frozen=True, slots=True)
class Layout:
    """rows: what stands in each row, left to right. x: the middle of each item, from 0 to `width`.
    bends: for each edge, the items on its way, both ends included."""

    rows: tuple[tuple[Item, ...], ...]
    x: Mapping[Item, float]
    bends: Mapping[tuple[str, str], tuple[Item, ...]]
    width: float


def lay_out(sources: Mapping[str, Sequence[str]], widths: Mapping[str, float]) -> Layout:
    """A layout of a graph given as node -> the nodes it reads, in topological order."""
    row_of = _rows(sources)
    rows: list[list[Item]] = [[] for _ in range(1 + max(row_of.values()))]
    for name in sources:
        rows[row_of[name]].append(name)
    bends: dict[tuple[str, str], tuple[Item, ...]] = {}
    for name, inputs in sources.items():
        for source in inputs:
            passed: list[Item] = [(source, name, row) for row in range(row_of[source] + 1, row_of[name])]
            if (source, name) not in bends:
                for row, bend in enumerate(passed, start=row_of[source] + 1):
                    rows[row].append(bend)
                bends[source, name] = (source, *passed, name)
    above, below = _neighbours(bends.values())
    _order(rows, above, below)
    x = _place(rows, above, below, widths)
    left = min(x[item] - _half(item, widths) for row in rows for item in row)
    right = max(x[item] + _half(item, widths) for row in rows for item in row)
    return Layout(
        rows=tuple(tuple(row) for row in rows),
        x={item: place - left for item, place in x.items()},
        bends=bends,
        width=right - left,
    )


def _rows(sources: Mapping[str, Sequence[str]]) -> dict[str, int]:
    row_of: dict[str, int] = {}
    for name, inputs in sources.items():
        row_of[name] = 1 + max((row_of[source] for source in inputs), default=-1)
    return row_of


_Neighbours: TypeAlias = dict[Item, list[Item]]


def _neighbours(ways: Iterable[tuple[Item, ...]]) -> tuple[_Neighbours, _Neighbours]:
    """For each item, those of the row above and of the row below that it is joined to."""
    above: _Neighbours = defaultdict(list)
    below: _Neighbours = defaultdict(list)
    for way in ways:
        for upper, lower in pairwise(way):
            above[lower].append(upper)
            below[upper].append(lower)
    return above, below


def _order(rows: list[list[Item]], above: _Neighbours, below: _Neighbours) -> None:
    """Sorts each row by the mean place of its neighbours, downwards and upwards in turn."""
    for sweep in range(_SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            place = {item: float(i) for other in rows if other is not row for i, item in enumerate(other)}
            own = {item: float(i) for i, item in enumerate(row)}
            wanted = {item: _mean([place[n] for n in neighbours[item]], own[item]) for item in row}
            row.sort(key=wanted.__getitem__)


def _place(
    rows: list[list[Item]], above: _Neighbours, below: _Neighbours, widths: Mapping[str, float]
) -> dict[Item, float]:
    """Moves each row towards its neighbours, downwards and upwards in turn, within its order."""
    x: dict[Item, float] = {item: 0.0 for row in rows for item in row}
    for sweep in range(4 * _SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            pulls = [[(x[n], _pull(item, n)) for n in above[item] + below[item]] for item in row]
            weights = [sum(weight for _, weight in pull) or 1.0 for pull in pulls]
            wanted = [
                sum(place * weight for place, weight in pull) / total if pull else x[item]
                for item, pull, total in zip(row, pulls, weights, strict=True)
            ]
            steps = [_half(a, widths) + _half(b, widths) + _GAP for a, b in pairwise(row)]
            x.update(zip(row, _apart(wanted, weights, steps), strict=True))
    return x


def _apart(wanted: list[float], weights: list[float], steps: list[float]) -> list[float]:
    """The places nearest to `wanted` (least squares) with at least `steps` between neighbours.

    With the steps taken off it is isotonic regression, solved by pooling adjacent violators.
    """
    offsets = list(accumulate(steps, initial=0.0))
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, members = want - offset, 1
        while pools and pools[-1][0] >= mean:
            other, other_weight, other_members = pools.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight, members = weight + other_weight, members + other_members
        pools.append((mean, weight, members))
    means = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _pull(a: Item, b: Item) -> float:
    """How straight a line wants to be: above all within a long edge (Gansner et al. 1993, section 4)."""
    n_bends = (not isinstance(a, str)) + (not isinstance(b, str))
    return (1.0, 2.0, 8.0)[n_bends]


def _half(item: Item, widths: Mapping[str, float]) -> float:
    return widths[item] / 2 if isinstance(item, str) else 0.0


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default
