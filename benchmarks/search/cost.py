# ruff: noqa: E402  the thread counts must be set before numpy is imported
"""What a proposal costs: the median of ask + tell after 1,000 outcomes, on one thread.

    python -m benchmarks.search.cost --searchers smbo,mcts,uct,evolution

The history is that of an evolution on the synthetic conditional family, so that it looks like one of a search:
a random history would hide what many near duplicates cost. Told are seconds of wall clock and of processor;
on a machine with other work the latter is the one to read.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is imported

import argparse
import random
import statistics
import time

from benchmarks.search.peers import PEERS
from benchmarks.search.problems import Problem, synthetic_problem
from nasdsl.language.moves import is_open, trace
from nasdsl.language.point import Point
from searchers import SEARCHERS, Outcome

Story = list[tuple[Point, float]]


def story_of(problem: Problem, n: int) -> Story:
    """`n` points and their measured scores, in the order an evolution met them."""
    evolution, noise = SEARCHERS["evolution"](problem.space, 0), random.Random("cost")
    told: Story = []
    for trial in range(n):
        point = evolution.ask(trial)
        assert point is not None
        told.append((point, problem.measure(point, noise)))
        evolution.tell(trial, point, Outcome(score=told[-1][1]))
    return told


def costs(name: str, problem: Problem, story: Story, asks: int) -> list[tuple[float, float]]:
    """(wall, processor) seconds of `asks` proposals and tells after the story.

    The first one, which fits what the story left unfitted, is not among them.
    """
    searcher, noise = (SEARCHERS.get(name) or PEERS[name])(problem.space, 0), random.Random("more")
    for trial, (point, score) in enumerate(story):
        searcher.ask(trial) if name in PEERS else None  # peers take what they asked for alone
        searcher.tell(trial, point, Outcome(score=score))
    taken = []
    for trial in range(len(story), len(story) + asks + 1):
        wall, processor = time.perf_counter(), time.process_time()
        point = searcher.ask(trial)
        assert point is not None
        outcome = Outcome(score=problem.measure(point, noise))
        searcher.tell(trial, point, outcome)
        taken.append((time.perf_counter() - wall, time.process_time() - processor))
    return taken[1:]


def main() -> None:
    """Print one line per searcher and depth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--searchers", default="smbo,mcts,uct,evolution")
    parser.add_argument("--told", type=int, default=1000)
    parser.add_argument("--asks", type=int, default=31)
    parser.add_argument("--blocks", default="2-8,8-12", help="depths of the synthetic family")
    options = parser.parse_args()
    print(f"{'searcher':14} {'active':>6} {'wall ms':>8} {'cpu ms':>8}  after {options.told} outcomes")
    for blocks in options.blocks.split(","):
        fewest, most = map(int, blocks.split("-"))
        problem = synthetic_problem(0, fewest, most)
        story = story_of(problem, options.told)
        latest = [point for point, _ in story[-100:]]
        active = statistics.median(
            sum(is_open(d.domain) for d in trace(problem.space, point)) for point in latest
        )
        for name in options.searchers.split(","):
            wall, processor = zip(*costs(name, problem, story, options.asks), strict=True)
            print(
                f"{name:14} {active:6.0f} {1000 * statistics.median(wall):8.2f}"
                f" {1000 * statistics.median(processor):8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
