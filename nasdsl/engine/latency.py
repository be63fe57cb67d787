"""`latency_ms`: the time of a forward pass of an untrained network."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from nasdsl.language.conditions import Latency

if TYPE_CHECKING:
    import torch

    from nasdsl.language.space import Space

_WARM_UPS = 3
_RUNS = 15


def latency_ms(module: torch.nn.Module, space: Space, what: Latency) -> float:
    """Median milliseconds of one forward pass over a batch of noise, in evaluation mode."""
    import torch

    from compiler.routing import enforced

    if what.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("a latency on `cuda` is asked for, and this machine has no such device")
    assert space.task is not None
    generator = torch.Generator().manual_seed(0)
    inputs = [_noise(shape, what.batch, generator).to(what.device) for shape in space.task.inputs.values()]
    threads = torch.get_num_threads()
    was_training = module.training
    torch.set_num_threads(what.threads)
    try:
        module.to(what.device).eval()
        first = torch.zeros(what.batch, dtype=torch.long, device=what.device)  # alike before training
        with torch.inference_mode(), enforced(module, first):
            times = [_timed(module, inputs, what.device) for _ in range(_WARM_UPS + _RUNS)]
    finally:
        torch.set_num_threads(threads)
        module.train(was_training)
    return statistics.median(times[_WARM_UPS:])


def _noise(shape: object, batch: int, generator: torch.Generator) -> torch.Tensor:
    import torch

    from nasdsl.language.shapes import Shape

    assert isinstance(shape, Shape)
    size = (batch, *shape.sizes())
    if shape.layout == "index":
        return torch.zeros(size, dtype=torch.long)
    return torch.randn(size, generator=generator)


def _timed(module: torch.nn.Module, inputs: list[torch.Tensor], device: str) -> float:
    import torch

    start = time.perf_counter()
    module(*inputs)
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) * 1e3
