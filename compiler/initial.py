"""How weights begin, where the file says so: `init = kaiming | critical | orthogonal`.

The weights of a layer are drawn with variance C / fan_in and its offsets with variance c, by the activation that its
input comes from. `critical` (Roberts, Yaida & Hanin 2021, arXiv 2106.10165, chapters 5 and 6) takes the values at
which the variance of preactivations and of small differences between inputs neither grows nor shrinks with depth;
`kaiming` (He et al. 2015) those of torch, without offsets; `orthogonal` (Saxe et al. 2014) orthonormal rows or columns
of the critical size. Sigmoid and softplus have no critical value: they are taken like a linear map.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn

from compiler.names import attribute_names
from compiler.plan import INPUT, Node, Plan
from nasdsl.language.signatures.matrices import MATRICES

# Activation -> critical variance of weights, times fan_in, and of offsets.
# gelu and silu solved with 201 Gauss-Hermite nodes: the fixed points are K = 3.5616 and K = 14.3203.
_CRITICAL: Mapping[type[nn.Module], tuple[float, float]] = {
    nn.ReLU: (2.0, 0.0),
    nn.Tanh: (1.0, 0.0),
    nn.Hardtanh: (1.0, 0.0),
    nn.Softsign: (1.0, 0.0),
    nn.GELU: (1.98306, 0.17292),
    nn.SiLU: (1.98800, 0.55514),
}
_LAYERS = (nn.Linear, nn.modules.conv._ConvNd)
# What hands on the values of its input, or as good as: means and picks of activations are still activations.
_PASSING = frozenset(
    {
        "identity",
        "dropout",
        "flatten",
        "reshape",
        "to_tokens",
        "to_sequence",
        "max_pool",
        "avg_pool",
        "global_avg_pool",
    }
    | {"global_max_pool", "upsample", "take_token", "concat"}
)


def initialise(plan: Plan, modules: Mapping[str, nn.Module]) -> None:
    """Draw the weights of the layers of a plan anew, as it says; embeddings, norms and recurrent layers but for
    orthogonal ones stay as torch made them."""
    if plan.init == "default":
        return
    names, nodes = attribute_names(plan), {node.name: node for node in plan.nodes}
    for node in plan.nodes:
        if node.op in MATRICES and not node.shares:
            _draw(modules[names[node.name]], plan.init, _before(node, nodes, modules, names))


def _before(
    node: Node, nodes: Mapping[str, Node], modules: Mapping[str, nn.Module], names: Mapping[str, str]
) -> nn.Module | None:
    """The activation that the input of a node comes from; None where it comes from anything else."""
    while node.op != INPUT:
        node = nodes[node.inputs[0]]
        if node.op not in _PASSING:
            break
    return None if node.op == INPUT else modules[names[node.shares or node.name]]


def _draw(module: nn.Module, how: str, before: nn.Module | None) -> None:
    for part in module.modules():
        if isinstance(part, _LAYERS):
            variance, offsets = _variances(how, before)
            _draw_layer(part, how, variance, offsets)
            before = None
        elif isinstance(part, nn.RNNBase) and how == "orthogonal":
            for name, weight in part.named_parameters():
                if name.startswith("weight_hh"):
                    for gate in weight.chunk(weight.shape[0] // weight.shape[1]):
                        nn.init.orthogonal_(gate)
        elif not list(part.children()):
            before = part


def _variances(how: str, before: nn.Module | None) -> tuple[float, float]:
    if isinstance(before, nn.LeakyReLU):
        return 2 / (1 + before.negative_slope**2), 0.0
    if how == "kaiming":
        if isinstance(before, nn.Tanh):
            return (5 / 3) ** 2, 0.0
        bent = isinstance(before, (nn.ReLU, nn.GELU, nn.SiLU, nn.Mish, nn.ELU, nn.ReLU6, nn.Hardswish))
        return (2.0, 0.0) if bent else (1.0, 0.0)
    weights, offsets = _CRITICAL.get(type(before), (1.0, 0.0)) if before is not None else (1.0, 0.0)
    return weights, offsets if how == "critical" else 0.0


def _draw_layer(layer: nn.Module, how: str, variance: float, offsets: float) -> None:
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, torch.Tensor)
    if isinstance(layer, nn.modules.conv._ConvTransposeNd):
        _draw_transposed(layer, how, variance)
    elif how == "orthogonal":
        nn.init.orthogonal_(weight, variance**0.5)
    else:
        fan_in = weight[0].numel()
        nn.init.normal_(weight, std=(variance / fan_in) ** 0.5)
    if isinstance(bias, torch.Tensor):
        nn.init.normal_(bias, std=offsets**0.5) if offsets else nn.init.zeros_(bias)


def _draw_transposed(layer: nn.modules.conv._ConvTransposeNd, how: str, variance: float) -> None:
    """An output is reached by one tap in `stride` along each axis, so it reads so many weights fewer than it has."""
    by_output = torch.empty_like(layer.weight.transpose(0, 1), memory_format=torch.contiguous_format)
    read = by_output[0].numel() / min(math.prod(layer.stride), math.prod(layer.kernel_size))
    if how == "orthogonal":
        nn.init.orthogonal_(by_output, (variance * by_output[0].numel() / read) ** 0.5)
    else:
        nn.init.normal_(by_output, std=(variance / read) ** 0.5)
    with torch.no_grad():
        layer.weight.copy_(by_output.transpose(0, 1))
