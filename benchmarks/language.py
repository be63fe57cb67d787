"""The speed of the language: what is asked of it, measured.

    python -m benchmarks.language

Points per second of CPU time on deepconv and the cell of NASNet, one by one and in a batch, each in a space that
nobody has walked before; check and count of a generated space of 1,000 lines, alone and under a limit; the time that
`import nasdsl` takes beside a Python that does nothing, and whether it loads torch. One process, one thread; medians of three.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import nasdsl

_RUNS = 3
_POINTS = 2_000
_LAYERS = 240  # 4 lines each


def thousand_lines() -> str:
    """A long chain of layers: blocks with choices and ranges, a use of each, and what joins them."""
    blocks = [
        f"block layer_{n}(width) {{\n    conv2d(width, kernel = 1 | 3 | 5)\n"
        f"    {'relu | gelu' if n % 2 else 'batch_norm; silu?'}\n}}"
        for n in range(_LAYERS // 2)
    ]
    uses = [f"    layer_{n}({8 * (1 + n % 4)} | {16 * (1 + n % 4)})" for n in range(_LAYERS // 2)]
    extra = [f"    residual {{ layer_{n}({8 * (1 + n % 4)}) }}?" for n in range(_LAYERS // 2)]
    between = [line for pair in zip(uses, extra, strict=True) for line in ("    # and then", *pair)]
    head = ["## A generated space.", "space generated", "task classification on digits"]
    network = ["network {", *between, "    global_avg_pool", "    linear(outputs)", "}"]
    text = "\n".join([*head, *blocks, *network, ""])
    return text + "# the end\n" * (1_000 - text.count("\n"))


def seconds(act: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    act()
    return time.process_time() - start


def median(act: Callable[[], object]) -> float:
    """The median of several calls."""
    return statistics.median(seconds(act) for _ in range(_RUNS))


def fresh(path: str) -> nasdsl.Space:
    """A space that has been asked one point, so that what it proves beforehand is proved."""
    space = nasdsl.load(path)
    space.sample("first")
    return space


def rates(path: str) -> tuple[float, float]:
    """Points per second: one by one, and in a batch."""
    singly, together = [], []
    for run in range(_RUNS):
        space = fresh(path)
        singly.append(seconds(lambda s=space, r=run: [s.sample(f"{r}/{n}") for n in range(_POINTS)]))  # type: ignore[misc]
        space = fresh(path)
        together.append(seconds(lambda s=space, r=run: s.samples(_POINTS, r)))  # type: ignore[misc]
    return _POINTS / statistics.median(singly), _POINTS / statistics.median(together)


def import_seconds() -> tuple[float, bool]:
    """What `import nasdsl` adds to the start of Python, and whether torch is loaded by it and by a check."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def wall(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        return time.perf_counter() - start

    wall("import nasdsl")
    pairs = [(wall("import nasdsl"), wall("pass")) for _ in range(5 * _RUNS)]
    code = (
        "import sys, nasdsl; nasdsl.load('spaces/deepconv.space').count(); sys.exit('torch' in sys.modules)"
    )
    loads = subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 1
    return statistics.median(with_it - without for with_it, without in pairs), loads


def main() -> None:
    for name in ("deepconv", "nasnet"):
        singly, together = rates(f"spaces/{name}.space")
        print(f"{name}: {singly:,.0f} points a second singly, {together:,.0f} in batches of {_POINTS:,}")
    text = thousand_lines()
    limited = f"{text}require params <= 4M\n"
    lines = text.count("\n")
    print(f"check of {lines:,} lines: {median(lambda: nasdsl.parse(text)):.3f} s, ", end="")
    print(f"with a limit on parameters {median(lambda: nasdsl.parse(limited)):.3f} s")
    spaces = [nasdsl.parse(text) for _ in range(_RUNS)]
    count = statistics.median(seconds(space.count) for space in spaces)
    bounded = [nasdsl.parse(limited) for _ in range(_RUNS)]
    within = statistics.median(seconds(space.count_valid) for space in bounded)
    digits = len(str(spaces[0].count()))
    print(f"count: {count:.3f} s (a number of {digits} digits); of what holds the limit {within:.3f} s")
    added, loads = import_seconds()
    print(
        f"import nasdsl: {added * 1e3:.0f} ms beside Python alone; torch is {'' if loads else 'not '}loaded"
    )


if __name__ == "__main__":
    main()
