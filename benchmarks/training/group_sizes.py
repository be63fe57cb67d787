"""Groups of 1, 4, 16 and 64 on the device that is there: candidates trained per hour, for networks the size of CIFAR-10's.

    python -m benchmarks.training.group_sizes [--sizes 1,4,16,64] [--ways eager,graph,compiled] [--seconds 10]

Noise in the form of CIFAR-10 (3 x 32 x 32, 10 classes) and one small CNN with batch norms, whose time does not depend on what it learns.
For each size: seconds a step, images per second over all members, and candidates of 10 epochs of 45,000 images per hour.
Members share their batches, as siblings do. `eager`: a launch for each kernel; `graph`: the step as one CUDA graph, as training on a
GPU does it (the reason stands in the row where it was refused); `compiled`: the network of the group by torch.compile, whose time to
compile is told apart. Without a GPU there is no `graph`. One call with the defaults is made to end within ten minutes.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch

import nasdsl
from compiler.build import build
from compiler.plan import Plan, plan_of
from nasdsl.language.network import Spec
from nasdsl.training import Dataset, UserData, open_data
from nasdsl.training.fused.group import Group
from nasdsl.training.fused.train import Candidate, group_of
from nasdsl.training.trainer import one_thread

_CELL = "conv2d({0}, 3); batch_norm; relu; "
_NETWORK = (
    _CELL.format(32) * 2 + "max_pool(2); " + _CELL.format(64) * 2 + "max_pool(2); " + _CELL.format(128) * 2
)
_SPACE = f"task classification on digits\nnetwork {{ {_NETWORK}global_avg_pool; linear(outputs) }}\n"
_WARM = 5
_EPOCHS, _IMAGES = 10, 45_000


def opened(images: int) -> tuple[Plan, Dataset]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(images, 3, 32, 32)).astype(np.float32), rng.integers(0, 10, images)
    space = nasdsl.parse(_SPACE, name="cifar.space")
    data = open_data(space.task, Path("."), UserData.from_arrays((x, y)))
    space = space.with_task(data.shapes, data.outputs)
    return plan_of(space.decided(space.sample(0))), data


def group_in(way: str, plan: Plan, data: Dataset, size: int, options: argparse.Namespace) -> Group:
    settings = {
        "epochs": 1,
        "batch_size": options.batch,
        "optimizer": Spec("adamw", {"lr": 1e-3, "weight_decay": 0.01}),
    }
    device = torch.device(options.device)
    members = [Candidate(build(plan, seed=k).to(device), settings, k, order=0) for k in range(size)]
    group = group_of(members, plan, data, 1, device)
    if way == "compiled":
        group.compile()
    group.train()
    return group


def seconds_a_step(group: Group, way: str, limit: float) -> tuple[float, float]:
    """Of the whole group over about `limit` seconds, and what the first steps took: compiling, capturing."""
    device = group.sessions[0].setup.device
    take = group.taken if way == "graph" else group.step
    with one_thread(device):
        orders = [one.batches() for one in group.sessions]
        steps = [rows for rows in zip(*orders, strict=True) if len(rows[0]) == len(orders[0][0])]
        began = time.perf_counter()
        for number in range(_WARM):
            take(steps[number % len(steps)])
        finish(device)
        first = time.perf_counter() - began
        began, done = time.perf_counter(), 0
        while not done or time.perf_counter() - began < limit:
            take(steps[done % len(steps)])
            finish(device)
            done += 1
        return (time.perf_counter() - began) / done, first


def finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1,4,16,64")
    parser.add_argument("--ways", default="eager,graph,compiled")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    options.device = device.type
    name = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"{os.cpu_count()} cores, one thread"
    )
    plan, data = opened(options.images)
    print(
        f"torch {torch.__version__}, {name}; {plan.params:,} parameters, {plan.macs / 1e6:.1f} M MACs, batch {options.batch}"
    )
    ways = [way for way in options.ways.split(",") if way != "graph" or device.type == "cuda"]
    for size in map(int, options.sizes.split(",")):
        for way in ways:
            group = group_in(way, plan, data, size, options)
            step, first = seconds_a_step(group, way, options.seconds)
            images = size * options.batch / step
            hour = 3600 * images / (_EPOCHS * _IMAGES)
            refused = f"; no graph: {group.refused}" if way == "graph" and group.refused else ""
            print(
                f"group of {size:3d} {way:8}: {1e3 * step:9.2f} ms a step, {images:10,.0f} images a second, "
                f"{hour:9,.1f} candidates an hour, first steps {first:.1f} s{refused}",
                flush=True,
            )


if __name__ == "__main__":
    main()
