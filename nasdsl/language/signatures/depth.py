"""How many weighted layers, one after the other, an operation counts for in `depth`.

An operation with `weighted` counts 1 unless it is a chain of several linear maps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nasdsl.language.signatures.rules import flag, whole
from nasdsl.language.signatures.signature import Arguments, Signature


def _constant(layers: int) -> Callable[[Arguments], int]:
    return lambda arguments: layers


def _stacked(arguments: Arguments) -> int:
    return whole(arguments["layers"])


def _inverted_bottleneck(arguments: Arguments) -> int:
    # Expansion, depthwise, the two linear maps of the gate, projection.
    return 2 + (whole(arguments["expand"]) > 1) + 2 * flag(arguments["squeeze_excite"])


def _adapter(arguments: Arguments) -> int:
    return 0 if arguments["place"] == "body" and arguments["form"] == "parallel" else 2


_CHAINS: Mapping[str, Callable[[Arguments], int]] = {
    "mlp": _constant(2),
    **{f"separable_conv{axes}d": _constant(2) for axes in (1, 2, 3)},
    "factorized_conv2d": _constant(2),
    "attention": _constant(2),
    "swiglu": _constant(2),
    "squeeze_excite": _constant(2),
    "inverted_bottleneck": _inverted_bottleneck,
    "adapter": _adapter,
    "rnn": _stacked,
    "gru": _stacked,
    "lstm": _stacked,
}


def layer_depth(signature: Signature, arguments: Arguments) -> int:
    """Weighted layers on the longest path through one operation: 0 if it has no weights to mix with."""
    if not signature.weighted:
        return 0
    rule = _CHAINS.get(signature.name)
    return 1 if rule is None else rule(arguments)
