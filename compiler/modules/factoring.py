"""Layers as two thinner ones: what `weight = low_rank(…)` alone makes of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Chain(nn.Sequential):
    """Modules one after the other, each under a readable name."""

    def __init__(self, **steps: nn.Module) -> None:
        super().__init__()
        for name, step in steps.items():
            self.add_module(name, step)


def factors(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """U sqrt(S) and sqrt(S) V^T of the leading singular values: the nearest product of this rank."""
    u, s, vt = torch.linalg.svd(matrix.float(), full_matrices=False)
    root = s[:rank].sqrt()
    return (u[:, :rank] * root).to(matrix.dtype), (root[:, None] * vt[:rank]).to(matrix.dtype)


def factored(module: nn.Module, ranks: tuple[int, ...]) -> nn.Module:
    """The module with its linear layers and convolutions, in order, as two of these ranks; 0: as it is."""
    if isinstance(module, (nn.Linear, nn.modules.conv._ConvNd)):
        return halves(module, ranks[0]) if ranks[0] else module
    places = [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if isinstance(child, (nn.Linear, nn.modules.conv._ConvNd))
    ]
    in_order = {id(layer): rank for layer, rank in zip(layers_of(module), ranks, strict=True)}
    for parent, name, layer in places:
        if in_order[id(layer)]:
            setattr(parent, name, halves(layer, in_order[id(layer)]))
    return module


def layers_of(module: nn.Module) -> list[nn.Module]:
    """Linear layers and convolutions, in the order of `modules()`."""
    return [m for m in module.modules() if isinstance(m, (nn.Linear, nn.modules.conv._ConvNd))]


def halves(layer: nn.Module, rank: int) -> nn.Module:
    """A layer as two, the first of `rank` features without bias, starting from the nearest of that rank.

    The window is that of the first; of the second in a transposed convolution, whose rows are its inputs. They draw
    nothing of their own, so that the layers after them begin as they would beside the whole layer.
    """
    make: type = type(layer)
    weight, bias = layer.get_parameter("weight").detach(), layer.bias is not None
    with torch.device("meta"):
        if isinstance(layer, nn.Linear):
            reduce, expand = make(weight.shape[1], rank, bias=False), make(rank, len(weight), bias=bias)
        elif isinstance(layer, nn.modules.conv._ConvTransposeNd):
            narrow: type = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(layer.kernel_size) - 1]
            spread = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding)
            reduce = narrow(len(weight), rank, 1, bias=False)
            expand = make(rank, weight.shape[1], *spread, bias=bias)
        else:
            window = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
            reduce, expand = (
                make(weight.shape[1], rank, *window, bias=False),
                make(rank, len(weight), 1, bias=bias),
            )
    turned = isinstance(layer, nn.modules.conv._ConvTransposeNd)
    both = Chain(reduce=reduce, expand=expand).to_empty(device=weight.device)
    left, right = factors(weight.flatten(1), rank)
    with torch.no_grad():
        first, second = (left.T, right) if turned else (right, left)
        reduce.weight.copy_(first.reshape(reduce.weight.shape))
        expand.weight.copy_(second.reshape(expand.weight.shape))
        if bias:
            expand.bias.copy_(layer.bias)
    return both
