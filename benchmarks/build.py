"""What a built network costs against its hand-written nn.Sequential: to build, and to train a step of.

    python benchmarks/build.py

Twenty layers of Linear(64, 64) and ReLU, batch 32, one thread. The two are measured in turn within one
run in the time that the processor spends on them; the ratio is the median over rounds of that within a round, so
that the load of the machine does not decide it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn

from compiler.build import build
from compiler.plan import Plan, plan_of
from nasdsl.language.network import Decided, Layer, Spec
from nasdsl.language.point import Point
from nasdsl.language.shapes import vector

LAYERS, WIDTH, BATCH = 20, 64, 32
ROUNDS = 300


def decided() -> Decided:
    """The network as a walk over a space would decide it."""
    shape = vector(WIDTH)
    layers = [Layer("input", "input", "input", {}, (), shape)]
    for i in range(LAYERS):
        arguments = {"width": WIDTH, "bias": True, "weight": Spec("plain")}
        for op, given in (("linear", arguments), ("relu", {})):
            name = f"repeat_{i}_{op}"
            layers.append(Layer(name, name, op, given, (layers[-1].name,), shape))
    return Decided(Point({}), tuple(layers), {"output": layers[-1].name}, {}, {})


def sequential() -> nn.Sequential:
    """The same by hand."""
    return nn.Sequential(*(m for _ in range(LAYERS) for m in (nn.Linear(WIDTH, WIDTH), nn.ReLU())))


def step(module: nn.Module, x: torch.Tensor) -> None:
    """One forward and one backward pass."""
    module.zero_grad(set_to_none=True)
    module(x).square().mean().backward()


def medians(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float, float]:
    """Median milliseconds of both, called in turn, and the median of their ratio."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for action, kept in zip((first, second), times, strict=True):
            start = time.thread_time()
            action()
            kept.append(1e3 * (time.thread_time() - start))
    ratios = [one / other for one, other in zip(*times, strict=True)]
    return median(times[0]), median(times[1]), median(ratios)


def report(what: str, ours: float, theirs: float, ratio: float) -> None:
    print(f"{what:<22}{ours:8.3f} ms   Sequential {theirs:8.3f} ms   ratio {ratio:.3f}")


def main() -> None:
    torch.set_num_threads(1)
    network: Decided = decided()
    plan: Plan = plan_of(network)
    planning, *_ = medians(lambda: plan_of(network), sequential)
    print(f"{'plan':<22}{planning:8.3f} ms")
    report("build", *medians(lambda: build(plan), sequential))
    ours, theirs, x = build(plan), sequential(), torch.randn(BATCH, WIDTH)
    report("forward and backward", *medians(lambda: step(ours, x), lambda: step(theirs, x)))


if __name__ == "__main__":
    main()
