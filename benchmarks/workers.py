"""Two workers against one, for candidates of about a second of work.

    python -m benchmarks.workers [--trials 12] [--rounds 3] [--sleep]

A candidate multiplies matrices, a fixed number of times that takes a second on one quiet core; with `--sleep` it sleeps for that
second, which says what the engine adds where no core is short. Searches with one worker and with two, interleaved; the median wall time of
each from the first start to the last end, and the ratio. At least 1.8 is asked for on a quiet machine with two cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import nasdsl
from nasdsl.engine.events import Event, TrialFinished, TrialStarted
from nasdsl.engine.trial import Trial

_SIZE = 256


def products(seconds: float) -> int:
    """How many matrix products take so long here; the least of a few tries."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work(50)
        times.append((time.perf_counter() - began) / 50)
    return max(1, round(seconds / min(times)))


def work(count: int) -> float:
    a = np.full((_SIZE, _SIZE), 1 / _SIZE)
    x = a
    for _ in range(count):
        x = a @ x
    return float(x[0, 0])


def evaluate(trial: Trial) -> float:
    count = int(os.environ["NASDSL_PRODUCTS"])
    if count:
        return work(count)
    time.sleep(1.0)
    return 0.0


def seconds(workers: int, trials: int) -> float:
    """Between the first start and the last end: processes that start are no part of it."""
    times: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, TrialStarted | TrialFinished):
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as base:
        nasdsl.search(
            nasdsl.parse("let x = 0..1000000", name="workers.space"),
            "random",
            budget=trials,
            workers=workers,
            run=Path(base) / "run",
            evaluate="benchmarks.workers:evaluate",
            on_event=note,
        )
    return times[-1] - times[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sleep", action="store_true")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.environ["NASDSL_PRODUCTS"] = str(0 if options.sleep else products(1.0))
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {os.environ['NASDSL_PRODUCTS']} products a candidate"
    )
    taken: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(options.rounds):
        for workers, found in taken.items():
            found.append(seconds(workers, options.trials))
    one, two = (statistics.median(found) for found in taken.values())
    print(f"{options.trials} candidates: one worker {one:.2f} s, two {two:.2f} s, ratio {one / two:.2f}")


if __name__ == "__main__":
    main()
