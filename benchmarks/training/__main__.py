"""Candidates trained per second, against the loop that people write today.

    python -m benchmarks.training [--rounds 3] [--only digits]

Interleaved: each round runs every way once on every job; medians of candidate-epochs per second of wall time,
and ratios to the baseline within the run. Needs the extra `bench`. On a busy machine ratios are noise.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

import torch

from benchmarks.training.jobs import JOBS, Job
from benchmarks.training.ways import Way, baseline, fused, in_processes, tight

_PROCESSES = 2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="jobs whose name holds this")
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"one core: {peak():.0f} GFLOP/s of a 1024 x 1024 matrix product")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "torch._dynamo", "benchmarks.training.ways"])
    with ProcessPoolExecutor(_PROCESSES, context) as executor:
        ways = {
            "baseline": baseline,
            "tight": tight,
            "processes": in_processes(executor, tight, _PROCESSES),
            "fused": fused,
            "both": in_processes(executor, fused, _PROCESSES),
        }
        for job in JOBS:
            if options.only in job.name:
                compare(job, ways, options.rounds)


def compare(job: Job, ways: dict[str, Way], rounds: int) -> None:
    counts = {"baseline": 1, "tight": 2, "processes": 4, "fused": job.group, "both": 2 * job.group}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for name, way in ways.items():
        way(job, counts[name] if "processes" in name or name == "both" else 1)  # warm
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way(job, counts[name])
            rates[name].append(counts[name] * job.epochs / (time.perf_counter() - began))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    ratio = medians["both"] / medians["baseline"]
    shown = "  ".join(f"{name} {rate:.1f}" for name, rate in medians.items())
    print(f"{job.name:<26}{shown}  ratio {ratio:.1f} (asked {job.asked:g})", flush=True)


def peak() -> float:
    """GFLOP/s of one thread."""
    torch.set_num_threads(1)
    a, times = torch.randn(1024, 1024), []
    for _ in range(5):
        began = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - began)
    return 2 * 1024**3 / min(times) / 1e9


if __name__ == "__main__":
    main()
