"""What is known of a decided network before any training: parameters, products, depth."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nasdsl.language.fold import Cost
from nasdsl.language.network import Decided, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.sharing import without_weights
from nasdsl.language.signatures.depth import layer_depth
from nasdsl.language.signatures.signature import Signature
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
    shapes = {layer.name: layer.shape for layer in decided.layers}
    depths: dict[str, int] = {}
    total = {"params": 0, "macs": 0}
    for layer in decided.layers:
        before = max((depths[name] for name in layer.inputs), default=0)
        if layer.op == "input":
            depths[layer.name] = 0
            continue
        row = without_weights(LAYERS[layer.op]) if layer.shares else LAYERS[layer.op]
        depths[layer.name] = before + layer_depth(row, layer.arguments)
        for name, cost in ADDITIVE.items():
            total[name] += cost(row, dict(layer.arguments), shapes[layer.inputs[0]], layer.shape)
    deepest = max((depths[name] for name in decided.outputs.values()), default=0)
    return {**total, "depth": deepest}
