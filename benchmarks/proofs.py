"""Counting and drawing under a limit on parameters that keeps one point in 10^2, 10^4, 10^6.

    python benchmarks/proofs.py [NAME …]

For each space and share: the limit (read off the certified counts), CPU seconds of a check and of a
count, the share of valid points as bounds, the milliseconds of a uniform draw and of a walk decision by
decision, and how many uniform draws of plain rejection one would stand for. One process, one thread; median
of three for the check.
"""

from __future__ import annotations

import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

import nasdsl
from nasdsl.language.space import Space

VISION_TRANSFORMER = """task classification on shape(3, 32, 32, classes = 10)
network {
    let width = 192 | 216 | 240
    patch_embed(width, patch = 4)
    repeat 10..12 {
        residual { layer_norm; attention(heads = 3 | 4 | 6) }
        residual { layer_norm; mlp(hidden = 3 * width | 7 * width // 2 | 4 * width) }
    }
    layer_norm
    global_avg_pool
    linear(outputs)
}
"""

U_NET = """task classification on shape(3, 64, 64, classes = 10)
block conv(width) {
    conv2d(width, kernel = 3 | 5)
    batch_norm
    relu | gelu | silu
    { conv2d(width, kernel = 1 | 3); relu }?
}
network {
    let w = 8 | 12 | 16 | 24 | 32
    dag {
        a = conv(w) from input
        b = { max_pool(2); conv(2 * w) } from a
        c = { max_pool(2); conv(4 * w) } from b
        d = { max_pool(2); conv(8 * w); upsample(2) } from c
        e = concat from c, d
        f = { conv(4 * w); upsample(2) } from e
        g = concat from b, f
        h = { conv(2 * w); upsample(2) } from g
        i = concat from a, h
        output = conv(w) from i
    }
    global_avg_pool
    linear(outputs)
}
"""

POINTS = 300


def texts() -> dict[str, str]:
    """The spaces, without their own requirements."""
    shipped = {name: Path(f"spaces/{name}.space").read_text() for name in ("deepconv", "nas_bench_201")}
    return {**shipped, "vision_transformer": VISION_TRANSFORMER, "u_net": U_NET}


def timed(act: Callable[[], object]) -> float:
    """CPU seconds."""
    start = time.process_time()
    act()
    return time.process_time() - start


def limited(text: str, limit: int) -> Space | None:
    """The space with a limit; None where no point holds it."""
    try:
        return nasdsl.parse(f"{text}\nrequire params <= {limit}\n")
    except nasdsl.SpaceError:
        return None


def limit_for(text: str, share: float, total: int) -> int:
    """About the least limit that keeps the share: read off the profile of a looser limit, three times."""
    limit = 1 << 40
    for margin in (1.05, 1.02, 1.0):  # the coarser the steps, the more too many points they count
        space = limited(text, limit)
        assert space is not None
        (bound,) = space._prospects.bounds
        profile = space._valid._profile(bound)
        value, budget = profile.begin()[1], profile.budget
        assert value is not None and budget is not None
        steps = range(budget.steps + 1)
        enough = bisect_left(steps, share * total, key=lambda n, p=profile, v=value: p.within(v, n))  # type: ignore[misc]
        if profile.is_exact:
            return int(sum(bound.fold.begin()) + enough)  # type: ignore[arg-type]
        limit = int(sum(bound.fold.begin()) + margin * (enough + 1) * budget.step)  # type: ignore[arg-type]
    return limit


def main() -> None:
    names = sys.argv[1:] or list(texts())
    print(
        f"{'space':<20}{'points':>10}{'share':>8}{'limit':>12}{'check s':>9}{'count s':>9}"
        f"{'at least':>12}{'at most':>12}{'draw ms':>9}{'walk ms':>9}"
    )
    for name in names:
        text = texts()[name]
        total = nasdsl.parse(text).count()
        for share in (1e-2, 1e-4, 1e-6):
            if share * total < 1:
                continue
            limit = limit_for(text, share, total)
            check = statistics.median(timed(lambda t=text, n=limit: limited(t, n)) for _ in range(3))  # type: ignore[misc]
            space = limited(text, limit)
            assert space is not None
            count = timed(space.count_valid)
            found = space.count_valid()
            space.sample("first", "points")  # builds what all draws share
            draw = timed(lambda s=space: [s.sample(n, "points") for n in range(POINTS)]) / POINTS  # type: ignore[misc]
            space.sample("first")
            walk = timed(lambda s=space: [s.sample(n) for n in range(POINTS)]) / POINTS  # type: ignore[misc]
            print(
                f"{name:<20}{total:>10.3g}{share:>8.0e}{limit:>12,}{check:>9.3f}{count:>9.2f}"
                f"{found.at_least / total:>12.4g}{found.at_most / total:>12.4g}{draw * 1e3:>9.2f}{walk * 1e3:>9.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
