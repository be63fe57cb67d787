# ruff: noqa: E402  the thread counts must be set before numpy is imported
"""Compare searchers: one table out.

    python -m benchmarks.search --problems macro,nb201_cifar10 --searchers smbo,evolution,plain_gp --seeds 50

Regret is the best possible score minus the best found; on synthetic problems, whose optimum is not known,
it is minus the true score of the best measured point. Smaller is better throughout. Cost is the time
of one ask and its tell on one thread.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is imported

import argparse
import json
import math
import statistics
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.search.harness import Factory, Trace, run_once, summarise
from benchmarks.search.peers import OptunaTPE, PlainGP, Ridge2017
from benchmarks.search.problems import PROBLEMS, TABLES, Problem, expected_random_regret
from searchers import SEARCHERS, Searcher

PEERS = {"plain_gp": PlainGP, "ridge_2017": Ridge2017, "optuna_tpe": OptunaTPE}
MARKS = (50, 100, 200, 500, 1000)


def make(name: str, problem: Problem, seed: int) -> Searcher:
    """A searcher or peer by name."""
    return (SEARCHERS.get(name) or PEERS[name])(problem.space, seed)


def one_run(problem: str, searcher: str, budget: int, workers: int, seed: int) -> Trace:
    """One seed; synthetic problems take their instance from it too."""
    factory: Factory = partial(make, searcher)
    return run_once(PROBLEMS[problem](seed), factory, seed, budget, workers)


def rows(problem: str, searcher: str, traces: list[Trace], budget: int) -> list[dict[str, object]]:
    """One row per mark, as plain data."""
    best = PROBLEMS[problem](0).best
    best = 0.0 if math.isnan(best) else best
    cost = statistics.median(second for trace in traces for second in trace.seconds)
    found = []
    for mark in (mark for mark in MARKS if mark <= budget):
        summary = summarise([best - trace.incumbent[min(mark, len(trace.incumbent)) - 1] for trace in traces])
        found.append(
            {
                "problem": problem,
                "searcher": searcher,
                "evaluations": mark,
                "mean": summary.mean,
                "error": summary.error,
                "quantiles": summary.quantiles,
                "hits": summary.hits,
                "cost_ms": 1000 * cost,
            }
        )
    return found


def line(row: dict[str, object]) -> str:
    """A row of the printed table."""
    q25, q50, q90 = row["quantiles"]  # type: ignore[misc]
    return (
        f"{row['problem']:16} {row['searcher']:14} {row['evaluations']:5} {row['mean']:8.4f} {row['error']:7.4f}"
        f" {q25:8.4f} {q50:8.4f} {q90:8.4f} {row['hits']:5.2f} {row['cost_ms']:8.2f}"
    )


def main() -> None:
    """Parse arguments, run, print; with --out also write the rows as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", default="macro,nb201_cifar10,fcnet_protein")
    parser.add_argument("--searchers", default="random,local,evolution,smbo")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1, help="simulated asynchronous workers")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    print("problem          searcher        evals     mean    s.e.      q25      q50      q90   hit  cost ms")
    table: list[dict[str, object]] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for problem in options.problems.split(","):
            if (TABLES / f"{problem}.npz").exists():
                exact = " ".join(f"{n}: {expected_random_regret(problem, n):.4f}" for n in (50, 100, 200))
                print(f"# {problem}: exact expectation of random search {exact}")
            for searcher in options.searchers.split(","):
                job = partial(one_run, problem, searcher, options.budget, options.workers)
                found = rows(problem, searcher, list(pool.map(job, range(options.seeds))), options.budget)
                table += found
                print("\n".join(map(line, found)), flush=True)
                if options.out:
                    options.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
