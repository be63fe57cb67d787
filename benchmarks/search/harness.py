"""Run a searcher on a problem and keep what it had found after each evaluation, and its cost.

Workers are simulated: durations are random, outcomes arrive in order of completion, and a worker
that is free asks at once. One worker is the sequential case.
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.search.problems import Problem
from nasdsl.language.point import Point
from searchers.protocol import Outcome, Searcher

Factory = Callable[[Problem, int], Searcher]


@dataclass(frozen=True)
class Trace:
    """One run: the true score of the best measured point after each evaluation, and the seconds
    that ask and tell took together for each."""

    incumbent: list[float]
    seconds: list[float]


def run_once(problem: Problem, make: Factory, seed: int, budget: int, workers: int = 1) -> Trace:
    """`budget` evaluations of a fresh searcher."""
    searcher = make(problem, seed)
    noise = random.Random(f"noise/{seed}")
    incumbent: list[float] = []
    seconds: list[float] = []
    best = (-math.inf, math.nan)
    running: list[tuple[float, int, Point]] = []
    asked, now = 0, 0.0
    while len(incumbent) < budget:
        while asked < budget and len(running) < workers:
            start = time.perf_counter()
            point = searcher.ask(asked)
            seconds.append(time.perf_counter() - start)
            if point is None:
                budget = asked
                break
            heapq.heappush(running, (now + noise.lognormvariate(0.0, 0.5), asked, point))
            asked += 1
        if not running:
            break
        now, trial, point = heapq.heappop(running)
        score = problem.measure(point, noise)
        start = time.perf_counter()
        searcher.tell(trial, point, Outcome(score=score))
        seconds[trial] += time.perf_counter() - start
        best = max(best, (score, problem.true(point)))
        incumbent.append(best[1])
    return Trace(incumbent, seconds)


@dataclass(frozen=True)
class Summary:
    """Over seeds, of regret (or of the true score where the optimum is unknown)."""

    mean: float
    error: float  # standard error of the mean
    quantiles: tuple[float, float, float]  # 25, 50, 90 %
    hits: float  # share of runs that found the optimum


def summarise(values: Sequence[float]) -> Summary:
    """Mean, standard error, quantiles and the share of zeros."""
    ordered = sorted(values)
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    picked = tuple(ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in (0.25, 0.5, 0.9))
    hits = sum(abs(value) <= 1e-9 for value in values) / len(values)
    return Summary(statistics.fmean(values), error, picked, hits)  # type: ignore[arg-type]
