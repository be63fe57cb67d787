"""Candidates trained per second, against the loop that people write today.

    python -m benchmarks.training [--rounds 5] [--seconds 2] [--only digits]

Interleaved: each round runs every way on every job for about so many seconds; medians of candidate-epochs per second
of wall time, the ratio to the baseline (the better of its two, on all threads and on one) within the run, and the share of two
cores' matrix products. A pass takes about five minutes. Needs the extra `bench`. On a busy machine ratios are noise.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

import torch

from benchmarks.training.jobs import JOBS, Job, opened
from benchmarks.training.ways import Way, baseline, baseline1, engine, fused, in_processes, tight

_PROCESSES = 2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="", help="jobs whose name holds this")
    options = parser.parse_args()
    began = time.monotonic()
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    best = peak()
    print(f"one core: {best:.0f} GFLOP/s of a 1024 x 1024 matrix product")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "torch._dynamo", "benchmarks.training.ways"])
    with ProcessPoolExecutor(_PROCESSES, context) as executor:
        ways = {
            "baseline": baseline,
            "baseline1": baseline1,
            "tight": tight,
            "processes": in_processes(executor, tight, _PROCESSES),
            "fused": fused,
            "engine": in_processes(executor, engine, _PROCESSES),
        }
        for job in JOBS:
            if options.only in job.name:
                compare(job, ways, options.rounds, options.seconds, best)
    print(f"load {os.getloadavg()[0]:.1f} at the end, after {time.monotonic() - began:.0f} s")


def compare(job: Job, ways: dict[str, Way], rounds: int, seconds: float, peak_gflops: float) -> None:
    counts = {"processes": 2 * _PROCESSES, "fused": job.group, "engine": _PROCESSES * job.group}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for name, way in ways.items():
        way(job, counts.get(name, 1))  # warm
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(rate(job, way, counts.get(name, 1), seconds))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    ratio = medians["engine"] / max(medians["baseline"], medians["baseline1"])
    share = medians["engine"] * gflop(job) / (_PROCESSES * peak_gflops)
    shown = "  ".join(f"{name} {found:.1f}" for name, found in medians.items())
    print(f"{job.name}: {shown}", flush=True)
    print(
        f"    ratio {ratio:.1f} (asked {job.asked:g}); {share:.0%} of the matrix product's peak", flush=True
    )


def rate(job: Job, way: Way, count: int, seconds: float) -> float:
    """Candidate-epochs per second, over at least so many seconds."""
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        way(job, count)
        done += count * job.epochs
    return done / (time.perf_counter() - began)


def gflop(job: Job) -> float:
    """Of one candidate-epoch: forward and backward over the training part, forward over the other."""
    plan, data = opened(job)
    samples = 3 * len(data.folds[0].train) + len(data.folds[0].valid)
    return 2 * plan.macs * samples / 1e9


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
