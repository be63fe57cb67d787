"""All rows that may stand in a network, joined; one file per family holds them."""

from __future__ import annotations

from nasdsl.language.signatures import (
    activations,
    attention,
    bottleneck,
    convolution,
    dense,
    normalization,
    pooling,
    recurrent,
    structure,
    weights,
    wiring,
)
from nasdsl.language.signatures.signature import Signature

LAYER_SIGNATURES: tuple[Signature, ...] = (
    *dense.SIGNATURES,
    *convolution.SIGNATURES,
    *pooling.SIGNATURES,
    *recurrent.SIGNATURES,
    *attention.SIGNATURES,
    *bottleneck.SIGNATURES,
    *normalization.SIGNATURES,
    *activations.SIGNATURES,
    *wiring.SIGNATURES,
    *structure.SIGNATURES,
    *weights.SIGNATURES,
)
