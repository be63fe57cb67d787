"""A tiny conditional space and evaluations for the engine's tests; no network, no torch."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nasdsl.engine.functions import portable
from nasdsl.engine.messages import Done, Job, Setup
from nasdsl.engine.pool import Pool
from nasdsl.engine.trial import Trial
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


def setup_for(folder: Path, function: Callable[..., Any], **fields: Any) -> Setup:
    return Setup(folder, function=portable(function), **fields)


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


def tenth(trial: Trial) -> float:
    """The evaluation that most tests use: a tenth of x."""
    return float(trial.point["x"]) / 10


def slow_tenth(trial: Trial) -> float:
    time.sleep(0.03)
    return tenth(trial)


def zoo(trial: Trial) -> float:
    """Bad candidates: what x says happens."""
    match trial.point["x"]:
        case 1:
            os._exit(3)
        case 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        case 3:
            return float("nan")
        case 4:
            raise ValueError("no such luck")
        case 5:
            return len(bytearray(10**11))
        case 6:
            for _ in range(50):
                print("x" * 10**6)
        case 7:
            os.fork()  # the copy comes back into the worker's loop
        case 8:
            while True:
                pass
        case 9:
            sys.exit("enough")
        case 10:
            return "good"  # type: ignore[return-value]
    return 1.0
