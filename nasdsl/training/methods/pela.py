"""PELA: low-rank layers kept close to the full ones that they were factored from (Guo et al. 2024, arXiv 2310.10700).

Two terms, over all layers with `weight = low_rank(…)`. Feature distillation: the mean squared distance between what a
layer gives and what it gives in the network of full rank, which is not trained. Weight perturbation: the squared
distance of max |U V - W| to `gap`, W the full weight. The full network is built from the same seed or the same
pretrained files, so it is the very one whose weights were factored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import nn
from torch.nn import functional

from compiler.build import build
from compiler.modules import Chain, factors
from compiler.names import attribute_names
from compiler.plan import Node, Plan
from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.errors import DataError
from nasdsl.training.layers import WEIGHTED
from nasdsl.training.measuring import outputs_of
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers

_NEAR = 1e-3  # of a weight's size: how exactly factors must be those of the full weight at the start


@dataclass(frozen=True)
class Pair:
    """A layer of low rank, and its full one."""

    low: nn.Module
    full: nn.Module

    def weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        """U V and W, both (rows, columns)."""
        full = self.full.get_parameter("weight").flatten(1)
        if isinstance(self.low, Chain):
            expand, reduce = (self.low.get_parameter(f"{half}.weight") for half in ("expand", "reduce"))
            if isinstance(self.full, nn.modules.conv._ConvTransposeNd):
                return reduce.flatten(1).T @ expand.flatten(1), full
            return expand.flatten(1) @ reduce.flatten(1), full
        weight: torch.Tensor = self.low.weight  # type: ignore[assignment]
        return weight.flatten(1), full


@dataclass
class Watched:
    """What some modules gave in the latest forward pass, by name."""

    latest: dict[str, torch.Tensor] = field(default_factory=dict)

    def watch(self, name: str, module: nn.Module) -> None:
        def keep(_: nn.Module, __: object, output: torch.Tensor) -> None:
            self.latest[name] = output

        module.register_forward_hook(keep)


@dataclass(frozen=True)
class Pela:
    """Both terms."""

    teacher: nn.Module
    pairs: tuple[Pair, ...]
    low: Watched
    full: Watched
    features: float
    perturbation: float
    gap: float

    def __call__(self, batch: Batch, outputs: Tensors, course: Course) -> torch.Tensor:
        terms = []
        if self.features:
            with torch.no_grad():
                outputs_of(self.teacher, batch)
            each = [functional.mse_loss(z, self.full.latest[name]) for name, z in self.low.latest.items()]
            terms.append(self.features * torch.stack(each).mean())
        if self.perturbation:
            gaps = [(low - full).abs().max() for low, full in (pair.weights() for pair in self.pairs)]
            terms.append(self.perturbation * (torch.stack(gaps) - self.gap).square().mean())
        return torch.stack(terms).sum() if terms else torch.zeros((), device=batch.index.device)


def full_rank(plan: Plan) -> Plan:
    """The plan with plain weights in place of low-rank ones."""
    return replace(plan, nodes=tuple(map(_full, plan.nodes)))


def _full(node: Node) -> Node:
    body = None if node.body is None else full_rank(node.body)
    if not _is_low(node):
        return replace(node, body=body)
    return replace(node, body=body, arguments={**node.arguments, "weight": Spec("plain")})


def _is_low(node: Node) -> bool:
    weight = node.arguments.get("weight")
    return isinstance(weight, Spec) and weight.name == "low_rank"


def pairs(low: nn.Module, full: nn.Module) -> Iterator[Pair]:
    """The layers of two modules of one form that differ."""
    for path, layer in full.named_modules():
        if not isinstance(layer, WEIGHTED):
            continue
        other = low.get_submodule(path)
        if isinstance(other, Chain) or hasattr(other, "parametrizations"):
            yield Pair(other, layer)


def make(spec: Spec, setup: Setup) -> Parts:
    """Nothing in a network without low-rank layers. Raises DataError where the full network cannot be had."""
    chosen = {node.name for node in setup.plan.nodes if _is_low(node) and not node.shares}
    if not chosen:
        return Parts(fuses=True)
    teacher = build(full_rank(setup.plan), seed=setup.seed).to(setup.device).eval()
    teacher.requires_grad_(False)
    names = attribute_names(setup.plan)
    low, full, found = Watched(), Watched(), list[Pair]()
    for name in sorted(chosen):
        path = names[name]
        parts = (setup.module.get_submodule(path), teacher.get_submodule(path))
        low.watch(path, parts[0])
        full.watch(path, parts[1])
        found += pairs(*parts)
    _refuse_other(found)
    arguments = numbers(spec)
    term = Pela(
        teacher, tuple(found), low, full, arguments["features"], arguments["perturbation"], arguments["gap"]
    )
    return Parts(terms=(term,))


def _refuse_other(found: list[Pair]) -> None:
    """The factors of the start must be those of the full weights, or the full network is another one."""
    for pair in found:
        product, weight = pair.weights()
        rank = int(torch.linalg.matrix_rank(product.detach().float()))
        left, right = factors(weight.detach(), rank)
        if not torch.allclose(left @ right, product.detach(), atol=_NEAR * float(weight.abs().max())):
            message = "`pela` cannot tell which full weights the low-rank ones were factored from"
            raise DataError(message, help="leave `init` out, and train the network that the same seed builds")
