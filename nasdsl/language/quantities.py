"""What is known of a decided network before any training: parameters, products, depth, memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from nasdsl.language.memory import train_memory
from nasdsl.language.network import Decided, Layer, Value
from nasdsl.language.shapes import Shape, lower
from nasdsl.language.sharing import scaled
from nasdsl.language.signatures.depth import layer_depth
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.signatures.structure import EDGES, applications, copies_of
from nasdsl.language.signatures.table import LAYERS
from nasdsl.language.signatures.weighing import costs, shared_params

Cost: TypeAlias = Callable[[Signature, dict[str, Value], Shape, Shape], int]
QUANTITIES: Mapping[str, str] = MappingProxyType(
    {
        "params": "scalars of all parameters, frozen ones included",
        "trainable_params": "those of them that are trained",
        "merged_params": "those that are exported, weight methods merged",
        "macs": "multiply-accumulates per sample",
        "depth": "weighted layers on the longest path",
        "train_memory": "bytes that a training takes at the batch size of the point",
        "edges": "wires that the nodes of graphs and cells read",
        "aspect": "depth over width, the harmonic mean of the widths of hidden weighted layers; signals of plain "
        "networks grow chaotic where it comes near 1",
    }
)


def params_of(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> int:
    """Scalars of the parameters that one operation adds, frozen ones included."""
    return costs(row, arguments, (source,), target).params


def trainable_params_of(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> int:
    """Those of them that are trained."""
    return costs(row, arguments, (source,), target).trainable


def merged_params_of(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> int:
    """Those that it is exported with, once its weight method is merged into plain weights."""
    return costs(row, arguments, (source,), target).merged


def macs_of(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> int:
    """Multiply-accumulates per sample of one operation."""
    return costs(row, arguments, (source,), target).macs


def edges_of(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> int:
    """Wires that a node of a `dag` or `cell` reads; no operation has any."""
    n = arguments["edges"] if row is EDGES else 0
    assert isinstance(n, int)
    return n


_OF_WEIGHTS = ("params", "trainable_params", "merged_params")
# Costs that add up along a walk, and so can be bounded before it ends.
ADDITIVE: Mapping[str, Cost] = MappingProxyType(
    {
        "params": params_of,
        "trainable_params": trainable_params_of,
        "merged_params": merged_params_of,
        "macs": macs_of,
        "edges": edges_of,
    }
)
BOUNDED = (*ADDITIVE, "depth")  # a limit on these prunes while a point is being decided


def measure(decided: Decided) -> dict[str, float]:
    """The quantities of one network; all but `aspect` are whole numbers."""
    found = _measure(decided.layers, tuple(decided.outputs.values()))
    memory = train_memory(decided, found["params"], found["trainable_params"])
    return {
        **found,
        "edges": decided.edges,
        "train_memory": memory,
        "aspect": found["depth"] * _narrowness(decided),
    }


def _narrowness(decided: Decided) -> float:
    """The mean of 1 / width over the hidden weighted layers; over all, where only outputs have weights.

    Finite-width corrections add up as 1 / width layer by layer (Roberts et al. 2021, arXiv 2106.10165), which is
    depth / width where all are as wide.
    """
    outputs = set(decided.outputs.values())
    weighted = [one for one in decided.layers if one.op != "input" and LAYERS[one.op].weighted]
    hidden = [one for one in weighted if one.name not in outputs] or weighted
    return math.fsum(1 / lower(one.shape.channels) for one in hidden) / max(1, len(hidden))


def _measure(layers: tuple[Layer, ...], outputs: tuple[str, ...]) -> dict[str, int]:
    shapes = {layer.name: layer.shape for layer in layers}
    depths: dict[str, int] = {}
    total = dict.fromkeys(ADDITIVE, 0)
    for layer in layers:
        before = max((depths[name] for name in layer.inputs), default=0)
        if layer.op == "input":
            depths[layer.name] = 0
            continue
        row, source = LAYERS[layer.op], shapes[layer.inputs[0]]
        depths[layer.name] = before + layer_depth(row, layer.arguments)
        for name, cost in ADDITIVE.items():
            total[name] += cost(scaled(row, not layer.shares, 1), dict(layer.arguments), source, layer.shape)
        if layer.body is not None:
            inner = _measure(layer.body.layers, (layer.body.output,))
            depths[layer.name] += inner["depth"]
            copies = 0 if layer.shares else copies_of(layer.arguments)
            for name in _OF_WEIGHTS:
                total[name] += copies * inner[name]
            total["macs"] += applications(layer.arguments, source) * inner["macs"]
    shared = shared_params(
        (layer.op, layer.arguments, tuple(shapes[name] for name in layer.inputs), layer.shape)
        for layer in layers
        if not layer.shares
    )
    for name in ("params", "trainable_params"):
        total[name] += shared
    return {**total, "depth": max((depths[name] for name in outputs), default=0)}
