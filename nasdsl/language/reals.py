"""Real ranges that bear on a network: the part of one in which something holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nasdsl.language.decisions import Reals, from_unit, middle

_PLACES = 17  # looked at where the ends and the middle do not all hold
_HALVINGS = 40  # of the way between a place that holds and one that does not


def part(domain: Reals, holds: Callable[[float], bool]) -> Reals | None:
    """The longest part of a range in which `holds`, as far as its places tell; None where it is empty.

    Exact, up to rounding, for what holds on one side of a bound: costs rise or fall with a ratio or a share.
    """
    if all(holds(place) for place in places(domain)):
        return domain
    grid = [float(from_unit(domain, number / (_PLACES - 1))) for number in range(_PLACES)]
    grid[0], grid[-1] = domain.low, domain.high
    run = _longest([holds(place) for place in grid])
    if run is None:
        return None
    first, last = run
    low = grid[first] if first == 0 else _edge(grid[first], grid[first - 1], holds)
    high = grid[last] if last == len(grid) - 1 else _edge(grid[last], grid[last + 1], holds)
    centre = domain.centre if domain.centre is not None and low <= domain.centre <= high else None
    return replace(domain, low=low, high=high, centre=centre)


def places(domain: Reals) -> tuple[float, ...]:
    """Both ends and the middle, each once: what stands for a range where costs are bounded."""
    return tuple(dict.fromkeys((domain.low, float(middle(domain)), domain.high)))


def _longest(held: list[bool]) -> tuple[int, int] | None:
    """First and last place of the longest run of True, the earliest of several."""
    best: tuple[int, int] | None = None
    start = 0
    for place, one in enumerate([*held, False]):
        if one:
            continue
        if place > start and (best is None or place - start > best[1] - best[0] + 1):
            best = (start, place - 1)
        start = place + 1
    return best


def _edge(inside: float, outside: float, holds: Callable[[float], bool]) -> float:
    """The last place that holds on the way to one that does not."""
    for _ in range(_HALVINGS):
        between = (inside + outside) / 2
        if holds(between):
            inside = between
        else:
            outside = between
    return inside
