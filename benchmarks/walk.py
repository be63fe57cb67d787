"""Points per second that a space gives: sampled one by one, and edited.

    python benchmarks/walk.py [SPACE …]

One process, one thread, CPU seconds. `first` walks the space for the first time with each seed, `again`
repeats the same seeds, so that the ways to the decisions are known.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import nasdsl

POINTS = 2_000


def rate(draw: Callable[[int], object], points: int) -> float:
    """Calls of `draw` per CPU second."""
    start = time.process_time()
    for seed in range(points):
        draw(seed)
    return points / (time.process_time() - start)


def main() -> None:
    paths = sys.argv[1:] or sorted(str(path) for path in Path("spaces").glob("*.space"))
    print(f"{'space':<18} {'points':>14} {'first/s':>9} {'again/s':>9} {'mutate/s':>9}")
    for path in paths:
        space = nasdsl.load(path)
        first, again = rate(space.sample, POINTS), rate(space.sample, POINTS)
        point = space.sample(0)
        mutated = rate(lambda seed, s=space, p=point: s.mutate(p, seed), POINTS // 4)  # type: ignore[misc]
        print(f"{space.name:<18} {space.count():>14.4g} {first:>9.0f} {again:>9.0f} {mutated:>9.0f}")


if __name__ == "__main__":
    main()
