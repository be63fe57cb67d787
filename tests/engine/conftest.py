"""A tiny conditional space and evaluations for the engine's tests; no network, no torch."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nasdsl.engine.functions import portable
from nasdsl.engine.messages import Done, Job, Setup
from nasdsl.engine.pool import Pool
from nasdsl.language.network import Goal
from nasdsl.language.point import Point
from searchers.protocol import Outcome


class Numbers:
    """What the engine asks of a space, for the points {"x": 0} … {"x": size - 1}."""

    has_network = False
    goals: tuple[Goal, ...] = ()

    def __init__(self, size: int = 1000) -> None:
        self.size = size
        self.name = f"numbers{size}"
        self.text = f"let x = 0..{size - 1}\n"
        self.hash = hashlib.sha256(self.text.encode()).hexdigest()

    def start(self) -> Point | None:
        return None


class Draws:
    """A searcher over Numbers: each trial draws by its own number; ends after `size` points."""

    def __init__(self, space: Numbers, seed: int = 0) -> None:
        self.space, self.seed = space, seed
        self.told: list[tuple[int, Point, Outcome]] = []

    def ask(self, trial: int) -> Point | None:
        if trial >= self.space.size:
            return None
        return Point({"x": random.Random(f"{self.seed}/{trial}").randrange(self.space.size)})

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        self.told.append((trial, point, outcome))


@pytest.fixture
def pool_of(tmp_path: Path) -> Iterator[Callable[..., Pool]]:
    """A pool of workers that call a function; closed at the end of the test."""
    pools = []

    def start(
        function: Callable[..., Any], slots: int = 1, trial_time: float | None = None, **setup: Any
    ) -> Pool:
        pool = Pool(
            Setup(tmp_path, function=portable(function), **setup),
            slots,
            tmp_path / "logs",
            trial_time=trial_time,
        )
        pools.append(pool)
        return pool

    yield start
    for pool in pools:
        pool.close()


def job(trial: int, x: int | None = None) -> Job:
    return Job(trial, Point({"x": trial if x is None else x}).to_json(), seed=trial)


def run_all(pool: Pool, jobs: list[Job]) -> dict[int, Any]:
    """Results by trial."""
    waiting, results = list(jobs), {}
    while len(results) < len(jobs):
        while waiting and pool.free:
            pool.submit(waiting.pop(0))
        for item in pool.wait():
            if isinstance(item, Done):
                results[item.trial] = item.result
    return results
