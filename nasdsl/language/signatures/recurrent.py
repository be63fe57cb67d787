"""Recurrent layers over a sequence (channels, length) or tokens (tokens, width).

Costs: per direction, layer and step, each of the gates (1 for rnn, 3 for gru, 4 for lstm) has a
product with the input, one with the state, and two bias vectors, as in torch. Layers after the
first read the outputs of all directions. The elementwise products of gates count 0 `macs`.
"""

from __future__ import annotations

from nasdsl.language.shapes import Shape, vector
from nasdsl.language.signatures.rules import (
    WEIGHT,
    channels_of,
    dim,
    flag,
    name,
    need_layout,
    whole,
    with_channels,
)
from nasdsl.language.signatures.signature import (
    BOOL,
    Argument,
    Arguments,
    Need,
    ShapeRule,
    Signature,
    integer,
    name_of,
)

_ARGUMENTS = (
    Argument("width", integer(1), "features of the state, per direction", required=True, shapes=True),
    Argument("layers", integer(1), "recurrent layers, one on top of the other", 1),
    Argument(
        "bidirectional",
        BOOL,
        "whether a second pass runs backwards; doubles the features",
        False,
        shapes=True,
    ),
    Argument(
        "keep",
        name_of("sequence", "last"),
        "sequence: the output of every step; last: the final state, a vector",
        "sequence",
        shapes=True,
    ),
    Argument("bias", BOOL, "whether gates have learned offsets", True),
    WEIGHT,
)


def _shape(op: str) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        help = "put `to_tokens` before it, or use it before the axes are flattened or pooled away"
        need_layout(inputs[0], ("sequence", "tokens"), op, help, need)
        features = dim(args["width"]) * _directions(args)
        return vector(features) if name(args["keep"]) == "last" else with_channels(inputs[0], features)

    return shape


def _directions(args: Arguments) -> int:
    return 2 if flag(args["bidirectional"]) else 1


def _weights(gates: int, args: Arguments, inputs: tuple[Shape, ...]) -> int:
    """The scalars of all weight matrices; each is used once per step."""
    width, directions = whole(args["width"]), _directions(args)
    first = channels_of(inputs[0]) + width
    later = directions * width + width
    return gates * width * directions * (first + (whole(args["layers"]) - 1) * later)


def _length(shape: Shape) -> int:
    sizes = shape.sizes()
    return sizes[1] if shape.layout == "sequence" else sizes[0]


def _row(op: str, gates: int, doc: str) -> Signature:
    def params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
        biases = 2 * gates * whole(args["width"]) * _directions(args) * whole(args["layers"])
        return _weights(gates, args, inputs) + (biases if flag(args["bias"]) else 0)

    def macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
        return _weights(gates, args, inputs) * _length(inputs[0])

    return Signature(op, "layer", doc, _ARGUMENTS, weighted=True, shape=_shape(op), params=params, macs=macs)


SIGNATURES = (
    _row("rnn", 1, "A plain recurrent layer with tanh (Elman 1990)."),
    _row("gru", 3, "Gated recurrent units (Cho et al. 2014)."),
    _row("lstm", 4, "Long short-term memory (Hochreiter & Schmidhuber 1997)."),
)
