# ruff: noqa: E402  the thread counts must be set before numpy is imported
"""Compare searchers: one table and one plot out.

    python -m benchmarks.search --problems macro,nb201_cifar10 --searchers smbo,evolution,plain_gp --seeds 50
    python -m benchmarks.search --results FOLDER --seeds 0        # only the table and the plot of what is there

Regret is the best possible score minus the best found; on synthetic problems, whose optimum is not known,
it is minus the true score of the best measured point. Smaller is better throughout. Cost is the time
of one ask and its tell on one thread. With `--results` every run is kept and none is made twice.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is imported

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from benchmarks.search import results
from benchmarks.search.harness import Factory, Trace, run_once
from benchmarks.search.peers import PEERS
from benchmarks.search.problems import PROBLEMS, Problem
from benchmarks.search.tabulate import plotted, table
from searchers import SEARCHERS, Searcher


def make(name: str, problem: Problem, seed: int) -> Searcher:
    """A searcher or peer by name."""
    return (SEARCHERS.get(name) or PEERS[name])(problem.space, seed)


def one_run(problem: str, searcher: str, budget: int, workers: int, seed: int) -> Trace:
    """One seed; synthetic problems take their instance from it too."""
    factory: Factory = partial(make, searcher)
    return run_once(PROBLEMS[problem](seed), factory, seed, budget, workers)


def main() -> None:
    """Parse arguments, make the runs that are missing, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", default="macro,nb201_cifar10,fcnet_protein")
    parser.add_argument("--searchers", default="random,local,evolution,smbo")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1, help="simulated asynchronous workers")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--results", type=Path, help="a folder that keeps every run")
    parser.add_argument("--plot", type=Path, help="write the curves as SVG")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing, ProcessPoolExecutor(options.processes) as pool:
        folder = options.results or Path(passing)
        for problem in options.problems.split(","):
            for searcher in options.searchers.split(","):
                path = results.path_of(folder, problem, searcher, options.budget, options.workers)
                missing = [seed for seed in range(options.seeds) if seed not in results.read(path)]
                job = partial(one_run, problem, searcher, options.budget, options.workers)
                running = {pool.submit(job, seed): seed for seed in missing}
                for done in as_completed(running):
                    results.append(path, running[done], done.result())
        print(table(folder))
        if options.plot:
            options.plot.write_text(plotted(folder))


if __name__ == "__main__":
    main()
