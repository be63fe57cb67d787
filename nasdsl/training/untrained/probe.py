"""What a proxy is measured with: a network as it is drawn, and one batch that is the same for all networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from nasdsl.language.errors import NasdslError
from nasdsl.language.shapes import Shape
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.dataset import Dataset
from nasdsl.training.losses import Loss, measured_loss
from nasdsl.training.measuring import outputs_of
from nasdsl.training.resident import resident
from nasdsl.training.settings import Settings, setting

SAMPLES = 64  # as many for every network: several proxies grow with them


class NotMeasurable(NasdslError):
    """A proxy says nothing of this network, or of this kind of data."""


@dataclass(frozen=True)
class Probe:
    """fresh(k): the network with its k-th draw of weights, a new module at each call.
    batch: inputs and targets of training samples, or noise where there are no data. loss: what training
    minimizes. depth: weighted layers on the longest path. seed: of whatever a proxy draws itself."""

    fresh: Callable[[int], nn.Module]
    batch: Batch
    loss: Loss
    depth: int
    seed: int

    def generator(self) -> torch.Generator:
        """A new stream of chance, on the CPU."""
        return torch.Generator().manual_seed(self.seed)


def probe(
    fresh: Callable[[int], nn.Module],
    depth: int,
    batch: Batch,
    settings: Settings,
    kind: str,
    seed: int,
) -> Probe:
    """A Probe whose loss is that of a task of this kind."""
    return Probe(fresh, batch, measured_loss(settings, kind), depth, seed)


def data_batch(data: Dataset, settings: Settings, device: torch.device, n: int = SAMPLES) -> Batch:
    """Up to n samples of the training part, drawn alike for every network of a space."""
    rows = np.random.default_rng(0).permutation(np.array(data.rows("train")))[:n]
    prepared = resident(data, 0, device, str(setting(settings, "prepare")))
    return prepared.batch(torch.from_numpy(rows).to(device))


def noise_batch(
    shapes: Mapping[str, Shape], kind: str, outputs: int, device: torch.device, n: int = SAMPLES
) -> Batch:
    """Gaussian inputs (or symbols) and targets by lot, for spaces without data of their own."""
    generator = torch.Generator().manual_seed(0)
    inputs = {name: _noise(shape, n, generator).to(device) for name, shape in shapes.items()}
    length = next((shape.sizes() for shape in shapes.values() if shape.layout == "index"), ())
    positions = next(iter(shapes.values())).sizes()[1:]
    target = {
        "segmentation": lambda: torch.randint(outputs, (n, *positions), generator=generator),
        "classification": lambda: torch.randint(outputs, (n,), generator=generator),
        "next_token": lambda: torch.randint(outputs, (n, *length), generator=generator),
        "multilabel": lambda: torch.randint(2, (n, outputs), generator=generator).float(),
        "regression": lambda: torch.randn((n, outputs), generator=generator),
    }[kind]()
    return Batch(
        inputs,
        {"output": target.to(device)},
        torch.arange(n),
        torch.zeros(n, dtype=torch.long, device=device),
    )


def _noise(shape: Shape, n: int, generator: torch.Generator) -> torch.Tensor:
    if shape.layout == "index":
        return torch.randint(shape.symbols, (n, *shape.sizes()), generator=generator)
    return torch.randn((n, *shape.sizes()), generator=generator)


def measuring(module: nn.Module) -> nn.Module:
    """The module as proxies read it: batch norms over the batch, since none has statistics yet; no dropout."""
    module.eval()
    for one in module.modules():
        if isinstance(one, nn.modules.batchnorm._BatchNorm):
            one.train()
    return module


def answers(module: nn.Module, inputs: Tensors) -> torch.Tensor:
    """All numbers that the network gives for each sample, (n, k)."""
    out = outputs_of(module, Batch(inputs, {}, torch.empty(0), _first_expert(inputs)))
    return torch.cat([one.flatten(1) for one in out.values()], 1)


def _first_expert(inputs: Tensors) -> torch.Tensor:
    """A route for every sample: before training, experts with enforced routes are alike."""
    some = next(iter(inputs.values()))
    return torch.zeros(len(some), dtype=torch.long, device=some.device)


def smooth_inputs(inputs: Tensors, name: str) -> Tensors:
    """The inputs, ready for gradients. Raises NotMeasurable for symbols, which have none."""
    if not all(x.is_floating_point() for x in inputs.values()):
        raise NotMeasurable(f"`{name}` follows small changes of the inputs, and symbols have none")
    return {key: x.detach().clone().requires_grad_() for key, x in inputs.items()}


def trained(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that training would change."""
    return [p for p in module.parameters() if p.requires_grad]
