"""The coordinate check: do activations stay of one size while a network grows wider (Yang et al. 2022, appendix D.1)?

Networks of several widths take a few steps on the same batch; after each, the mean size of what every layer gives is
written down. Under a scaling that lets rates carry over it does not depend on the width; under plain training it grows
with it, layer by layer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from compiler.names import attribute_names
from nasdsl.language.signatures.matrices import MATRICES
from nasdsl.training.dataset import Dataset
from nasdsl.training.measuring import outputs_of
from nasdsl.training.session import session
from nasdsl.training.settings import Settings, whole
from nasdsl.training.trainer import check_fits, one_thread

if TYPE_CHECKING:
    from torch import nn

    from compiler.plan import Plan

N_STEPS = 5


@dataclass(frozen=True)
class Coordinates:
    """Of one layer: the mean size of its activations at each width, and by which power of the width it moves."""

    layer: str
    sizes: tuple[float, ...]
    power: float


def sizes_after(
    module: nn.Module, plan: Plan, settings: Settings, data: Dataset, seed: int, steps: int = N_STEPS
) -> dict[str, float]:
    """Mean |change of an activation| of each layer with matrices by `steps` steps on one batch, by the node's path.

    The change, not the activation: at its start a network may have any size that its width gives it, and what the
    scaling speaks of is how far a step moves it.
    """
    check_fits(plan, data)
    device = next(module.parameters()).device
    with one_thread(device), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        one = session(module, plan, settings, data, 0, seed, whole(settings, "epochs"), device)
        rows = one.batches()[0]
        before = _activations(module, plan, one.setup.data.batch(rows))
        module.train()
        for _ in range(steps):
            one.step(rows)
        after = _activations(module, plan, one.setup.data.batch(rows))
    return {path: float((after[path] - start).abs().mean()) for path, start in before.items()}


def _activations(module: nn.Module, plan: Plan, batch: object) -> dict[str, torch.Tensor]:
    names, modules = attribute_names(plan), dict(module.named_modules())
    found: dict[str, torch.Tensor] = {}
    handles = []
    for node in plan.nodes:
        if node.op not in MATRICES or names.get(node.name) not in modules:
            continue

        def keep(_: object, __: object, output: torch.Tensor, path: str = node.path) -> None:
            found[path] = output

        handles.append(modules[names[node.name]].register_forward_hook(keep))
    module.eval()
    try:
        with torch.no_grad():
            outputs_of(module, batch)  # type: ignore[arg-type]
    finally:
        for handle in handles:
            handle.remove()
    return found


def powers(widths: Sequence[float], by_width: Sequence[Mapping[str, float]]) -> list[Coordinates]:
    """The slope of log size over log width, by least squares; of layers that all widths have."""
    x = np.log(np.asarray(widths, dtype=float))
    found = []
    for path in by_width[0]:
        if not all(path in sizes for sizes in by_width):
            continue
        sizes = tuple(one[path] for one in by_width)
        fitting = all(size > 0 and math.isfinite(size) for size in sizes)
        power = float(np.polyfit(x, np.log(sizes), 1)[0]) if fitting else math.nan
        found.append(Coordinates(path, sizes, power))
    return found
