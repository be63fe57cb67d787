"""What is known of a decided network before any training: parameters, products, depth."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nasdsl.language.fold import Cost
from nasdsl.language.network import Decided, Layer, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.sharing import scaled
from nasdsl.language.signatures.depth import layer_depth
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.signatures.structure import applications, copies_of
from nasdsl.language.signatures.table import LAYERS

QUANTITIES = ("params", "macs", "depth")


def params_of(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> int:
    """Scalars of the parameters that one operation adds."""
    return row.params(arguments, (source,), target) if row.params else 0


def macs_of(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> int:
    """Multiply-accumulates per sample of one operation."""
    return row.macs(arguments, (source,), target) if row.macs else 0


# Costs that add up along a walk, and so can be bounded before it ends.
ADDITIVE: Mapping[str, Cost] = MappingProxyType({"params": params_of, "macs": macs_of})


def measure(decided: Decided) -> dict[str, int]:
    """The quantities of one network."""
    return _measure(decided.layers, tuple(decided.outputs.values()))


def _measure(layers: tuple[Layer, ...], outputs: tuple[str, ...]) -> dict[str, int]:
    shapes = {layer.name: layer.shape for layer in layers}
    depths: dict[str, int] = {}
    total = {"params": 0, "macs": 0}
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
            total["params"] += 0 if layer.shares else copies_of(layer.arguments) * inner["params"]
            total["macs"] += applications(layer.arguments, source) * inner["macs"]
    return {**total, "depth": max((depths[name] for name in outputs), default=0)}
