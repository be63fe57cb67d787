"""Time to a confirmed network, structure search on, against the loop that people write today.

    python -m benchmarks.training.quality [--data digits,mnist1d] [--budgets 8,16,32,64] [--seeds 3]

Both search one space of networks and training settings, and follow one rule: search so many trials, train the three best again
with three fresh seeds, keep the one with the best mean. `baseline` is Optuna's TPE over the same decisions, one trial after the other, each
to its last epoch, a DataLoader, torch on one thread or on all of them, whichever is faster here. `nasdsl` is `nasdsl.search` as it
comes: its default searcher, two workers, `--fidelity asha`, groups where they pay. Each search is a process of its own. For each budget: the median
seconds of wall time from the start of Python to its end, and the median confirmed accuracy. What is to be reached is the best confirmed mean that either ever
found here, less its deviation over seeds; at last the time of the first budget whose median reaches it, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nasdsl
from nasdsl.language.decisions import Answer, Decision, Integers, Options
from nasdsl.language.point import Point

if TYPE_CHECKING:
    from benchmarks.training.ways import Plain
    from nasdsl.training import Dataset

_DENSE = "repeat 1..3 { linear(width = 16 | 32 | 64 | 128); activation: relu | gelu; dropout(0.05..0.4) }"
_CONVOLUTIONAL = (
    "repeat 2..3 { conv1d(16 | 32, kernel = 3 | 5 | 7, stride = 1 | 2); batch_norm; relu }; flatten"
)
_NETWORKS = {
    "digits": f"flatten; {_DENSE}; linear(outputs)",
    "mnist1d": "family: dense | convolutional; linear(outputs)",
}
_BLOCKS = {
    "digits": "",
    "mnist1d": f"block dense {{ flatten; {_DENSE} }}\nblock convolutional {{ {_CONVOLUTIONAL} }}\n",
}
_SPACE = """task classification on {data}
{blocks}network {{ {network} }}
train {{
    epochs = {epochs}
    batch_size = 32
    optimizer = adamw(lr = 1e-4..0.03 log, weight_decay = 1e-4..0.1 log)
}}
"""
_EPOCHS = {"digits": 10, "mnist1d": 15}
_CONFIRMED = 3


@dataclass(frozen=True)
class Found:
    """What a search of some budget came to: its wall time, and the best confirmed mean with its deviation."""

    seconds: float
    mean: float
    deviation: float


def ours(text: str, budget: int, seed: int) -> tuple[float, float]:
    """Mean and deviation of the best confirmed network. Ends the process where a search was cut short."""
    with tempfile.TemporaryDirectory() as base:
        run = nasdsl.search(
            nasdsl.parse(text, name="quality.space"),
            budget=budget,
            seed=seed,
            workers=2,
            fidelity="asha",
            confirm=_CONFIRMED,
            run=Path(base) / "run",
            on_event=lambda event: None,
        )
    if not run.meta.get("confirmed"):
        raise SystemExit(
            f"nothing was confirmed after {len(run.records)} of {budget} trials; the run ended: {run.ended}"
        )
    best = run.meta["confirmed"][0]
    return best["mean"], best["spread"]


def bound(text: str) -> tuple[nasdsl.Space, Dataset]:
    """The space, with the data that it is searched on."""
    from nasdsl.training import open_data

    space = nasdsl.parse(text, name="quality.space")
    assert space.task is not None
    data = open_data(space.task, Path("."), None)
    return space.with_task(data.shapes, data.outputs), data


def theirs(text: str, budget: int, seed: int, threads: int) -> tuple[float, float]:
    """The same of the usual loop."""
    import optuna
    import torch

    from benchmarks.training.ways import Plain

    space, data = bound(text)
    plain = Plain(data)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(threads)
    points: dict[int, Point] = {}

    def objective(trial: optuna.Trial) -> float:
        points[trial.number] = space.decide(lambda decision: suggested(trial, decision))
        return trained(space, plain, points[trial.number], seed)

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=budget)
    best = sorted(study.trials, key=lambda trial: -(trial.value or 0.0))[:_CONFIRMED]
    seeds = range(1000 * (seed + 1), 1000 * (seed + 1) + _CONFIRMED)
    scores = [[trained(space, plain, points[trial.number], fresh) for fresh in seeds] for trial in best]
    top = max(scores, key=statistics.fmean)
    return statistics.fmean(top), statistics.stdev(top)


def in_a_process(name: str, data: str, budget: int, seed: int, threads: int) -> Found:
    """As a person runs it: from the start of Python to its end."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.training.quality", "--one", name, "--data", data]
    numbers = ["--budgets", str(budget), "--seeds", str(seed), "--threads", str(threads)]
    done = subprocess.run([*command, *numbers], check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - began
    mean, deviation = json.loads(done.stdout.splitlines()[-1])
    return Found(seconds, mean, deviation)


def suggested(trial: Any, decision: Decision) -> Answer:
    """Optuna's answer to a decision, as its users declare one."""
    domain = decision.domain
    if isinstance(domain, Options):
        return domain.values[trial.suggest_categorical(decision.path, list(range(len(domain.values))))]
    if isinstance(domain, Integers):
        return int(trial.suggest_int(decision.path, domain.low, domain.high))
    return float(trial.suggest_float(decision.path, domain.low, domain.high, log=domain.log))


def trained(space: nasdsl.Space, plain: Plain, point: Point, seed: int, epochs: int | None = None) -> float:
    import torch

    from compiler.build import build
    from compiler.plan import plan_of

    decided = space.decided(point)
    torch.manual_seed(seed)
    optimizer = decided.settings["optimizer"].arguments
    module = build(plan_of(decided), seed=seed)
    batch_size, all_epochs = int(decided.settings["batch_size"]), int(decided.settings["epochs"])
    rate, decay = optimizer["lr"], optimizer["weight_decay"]
    return plain.accuracy(module, rate, decay, batch_size, epochs or all_epochs)


def faster(text: str) -> int:
    """The number of threads with which the usual loop takes less time for an epoch."""
    import torch

    from benchmarks.training.ways import Plain

    space, data = bound(text)
    plain, times = Plain(data), dict[int, float]()
    for threads in (1, 1, os.cpu_count() or 1):  # once to warm up
        torch.set_num_threads(threads)
        began = time.perf_counter()
        trained(space, plain, space.sample(0), 0, epochs=2)
        times[threads] = time.perf_counter() - began
    return min(times, key=lambda threads: times[threads])


def text_of(data: str) -> str:
    return _SPACE.format(data=data, blocks=_BLOCKS[data], network=_NETWORKS[data], epochs=_EPOCHS[data])


def _seconds(several: list[Found]) -> float:
    return statistics.median(one.seconds for one in several)


def _mean(several: list[Found]) -> float:
    return statistics.median(one.mean for one in several)


def compare(data: str, budgets: list[int], n_seeds: int) -> None:
    threads = faster(text_of(data))
    found: dict[tuple[str, int], list[Found]] = {}
    for budget in budgets:
        for name in ("baseline", "nasdsl"):
            several = [in_a_process(name, data, budget, seed, threads) for seed in range(n_seeds)]
            found[name, budget] = several
            each = " ".join(f"{one.mean:.4f}" for one in several)
            print(
                f"    {name:9} {budget:3d} trials  {_seconds(several):7.1f} s  {_mean(several):.4f}  ({each})",
                flush=True,
            )
    best = max((one for several in found.values() for one in several), key=lambda one: one.mean)
    target = best.mean - best.deviation
    print(f"{data}: best confirmed {best.mean:.4f} ± {best.deviation:.4f}; to reach: {target:.4f}")
    reached: dict[str, float] = {}
    for (name, _), several in found.items():
        if _mean(several) >= target:
            reached.setdefault(name, _seconds(several))
    told = ", ".join(f"{name} {reached.get(name, float('nan')):.1f} s" for name in ("baseline", "nasdsl"))
    ratio = reached.get("baseline", float("nan")) / reached.get("nasdsl", float("nan"))
    print(f"    first reached: {told}; ratio {ratio:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="digits,mnist1d")
    parser.add_argument("--budgets", default="8,16,32,64")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--one", choices=["baseline", "nasdsl"], help="one search, in this process")
    parser.add_argument("--threads", type=int, default=1, help="of torch, in the baseline")
    options = parser.parse_args()
    if options.one is not None:
        text, budget, seed = text_of(options.data), int(options.budgets), options.seeds
        found = (
            ours(text, budget, seed)
            if options.one == "nasdsl"
            else theirs(text, budget, seed, options.threads)
        )
        print(json.dumps(found))
        return
    print(f"torch {version('torch')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for data in options.data.split(","):
        compare(data, [int(budget) for budget in options.budgets.split(",")], options.seeds)


if __name__ == "__main__":
    main()
