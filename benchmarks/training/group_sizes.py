"""Groups of 1, 4, 16 and 64 on the device that is there: candidates trained per hour, for networks the size of CIFAR-10's.

    python -m benchmarks.training.group_sizes [--sizes 1,4,16,64] [--images 5000] [--batch 128] [--seconds 20]

Noise in the form of CIFAR-10 (3 x 32 x 32, 10 classes) and one small CNN with batch norms, whose time does not depend on what it learns.
For each size: seconds a step, images per second over all members, and candidates of 10 epochs of 45,000 images per hour.
Members share their batches, as siblings do. Eager only: groups are neither captured as CUDA graphs nor compiled.
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
from nasdsl.training.fused.train import Candidate, group_of
from nasdsl.training.trainer import one_thread

_CELL = "conv2d({0}, 3); batch_norm; relu; "
_NETWORK = (
    _CELL.format(32) * 2 + "max_pool(2); " + _CELL.format(64) * 2 + "max_pool(2); " + _CELL.format(128) * 2
)
_SPACE = f"task classification on digits\nnetwork {{ {_NETWORK}global_avg_pool; linear(outputs) }}\n"
_WARM = 3
_EPOCHS, _IMAGES = 10, 45_000


def opened(images: int) -> tuple[Plan, Dataset]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(images, 3, 32, 32)).astype(np.float32), rng.integers(0, 10, images)
    space = nasdsl.parse(_SPACE, name="cifar.space")
    data = open_data(space.task, Path("."), UserData.from_arrays((x, y)))
    space = space.with_task(data.shapes, data.outputs)
    return plan_of(space.decided(space.sample(0))), data


def seconds_a_step(
    plan: Plan, data: Dataset, size: int, batch: int, device: torch.device, limit: float
) -> float:
    """Of the whole group, over about `limit` seconds."""
    settings = {
        "epochs": 1,
        "batch_size": batch,
        "optimizer": Spec("adamw", {"lr": 1e-3, "weight_decay": 0.01}),
    }
    members = [Candidate(build(plan, seed=k).to(device), settings, k, order=0) for k in range(size)]
    with one_thread(device):
        group = group_of(members, plan, data, 1, device)
        group.train()
        orders = [one.batches() for one in group.sessions]
        steps = [list(rows) for rows in zip(*orders, strict=True)]
        for rows in steps[:_WARM]:
            group.step(rows)
        finish(device)
        began, done = time.perf_counter(), 0
        while not done or time.perf_counter() - began < limit:
            group.step(steps[done % len(steps)])
            finish(device)
            done += 1
        return (time.perf_counter() - began) / done


def finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1,4,16,64")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"{os.cpu_count()} cores, one thread"
    )
    plan, data = opened(options.images)
    print(
        f"torch {torch.__version__}, {name}; {plan.params:,} parameters, {plan.macs / 1e6:.1f} M MACs, batch {options.batch}"
    )
    for size in map(int, options.sizes.split(",")):
        step = seconds_a_step(plan, data, size, options.batch, device, options.seconds)
        images = size * options.batch / step
        hour = 3600 * images / (_EPOCHS * _IMAGES)
        print(
            f"group of {size:3d}: {1e3 * step:9.2f} ms a step, {images:10,.0f} images a second, {hour:9,.1f} candidates an hour",
            flush=True,
        )


if __name__ == "__main__":
    main()
