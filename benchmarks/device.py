"""Seconds per epoch of one candidate on each device there is, and that both learn the same.

    python benchmarks/device.py [EPOCHS]

Trains the first sampled network of each family of `spaces/mnist1d.space` on the CPU (one thread) and, where
there is one, on the first CUDA device; prints parameters, batch size, seconds per epoch and the accuracy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

import nasdsl
from compiler.build import build
from compiler.plan import plan
from nasdsl.training import open_data, train


def main() -> None:
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    torch.set_num_threads(1)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    space = nasdsl.load("spaces/mnist1d.space")
    assert space.task is not None
    data = open_data(space.task, Path("spaces"), None)
    names = [torch.cuda.get_device_name(0)] if len(devices) > 1 else []
    print(f"torch {torch.__version__}, {' '.join(names) or 'no CUDA device'}, {epochs} epochs")
    met: set[object] = set()
    for seed in range(100):
        point = space.sample(seed)
        family = point["network/family"]
        if family in met:
            continue
        met.add(family)
        decided = space.decided(point)
        network = plan(space, point)
        for device in devices:
            module = build(network, seed=0)
            trained = train(module, network, decided.settings, data, 0, epochs=epochs, device=device)
            each, accuracy = trained.seconds / epochs, trained.measures["accuracy"]
            batch = decided.settings["batch_size"]
            print(
                f"{family!s:<15}{network.params:>8}{batch!s:>5}  {device:<5}{each:8.3f} s/epoch{accuracy:8.4f}"
            )


if __name__ == "__main__":
    main()
