"""Normalisation layers, and the activation that learns. They keep the shape; their products count 0 `macs`.

`params` are the learned scales and offsets; running statistics are buffers and not counted.
"""

from __future__ import annotations

from nasdsl.language.shapes import Shape, at_least
from nasdsl.language.signatures.pooling import SPATIAL
from nasdsl.language.signatures.rules import channels_of, dim, flag, need_divides, need_layout, product
from nasdsl.language.signatures.signature import (
    BOOL,
    Argument,
    Arguments,
    CostRule,
    Need,
    ShapeRule,
    Signature,
    integer,
    real,
)

_ANY = ("vector", *SPATIAL, "tokens")
_CHANNELS_FIRST = ("vector", *SPATIAL)
_TOKENS_HELP = "use `layer_norm` or `rms_norm` on tokens"

_EPS = Argument("eps", real(0, 1, open_low=True), "added to the variance before the root", 1e-5)
_AFFINE = Argument("affine", BOOL, "whether each channel has a learned scale and offset", True)


def _keeps(op: str, layouts: tuple[str, ...], help: str) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        need_layout(inputs[0], layouts, op, help, need)
        return inputs[0]

    return shape


def _layer_norm_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], _ANY, "layer_norm", "put `token_embedding` before it", need)
    _need_two("layer_norm", inputs[0], need)
    return inputs[0]


def _group_norm_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    shape, groups = inputs[0], dim(args["groups"])
    need_layout(shape, _CHANNELS_FIRST, "group_norm", _TOKENS_HELP, need)
    need_divides(groups, shape.channels, "groups of the channels", need)
    need(
        at_least(product(shape.dims), 2 * groups),
        f"`group_norm` has but one value in each of its {groups} groups: {shape}",
        "use fewer groups, or `batch_norm`",
    )
    return shape


def _instance_norm_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], SPATIAL, "instance_norm", "use `layer_norm` on vectors and tokens", need)
    need(
        at_least(product(inputs[0].spatial), 2),
        f"`instance_norm` has but one value in each channel: {inputs[0]}",
        "use `batch_norm` or `layer_norm` here",
    )
    return inputs[0]


def _need_two(op: str, shape: Shape, need: Need) -> None:
    # Tokens are normalised one by one, over their width.
    values = shape.channels if shape.layout == "tokens" else product(shape.dims)
    need(at_least(values, 2), f"`{op}` has but one value to normalise: {shape}", "leave it out here")


def _affine_params(per_channel: int) -> CostRule:
    def params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
        return per_channel * channels_of(output) if flag(args["affine"]) else 0

    return params


SIGNATURES = (
    Signature(
        "batch_norm",
        "layer",
        "Each channel normalised over the batch and all positions (Ioffe & Szegedy 2015).",
        (
            Argument(
                "momentum", real(0, 1, open_low=True), "share of a batch in the running statistics", 0.1
            ),
            _EPS,
            _AFFINE,
        ),
        positional=0,
        shape=_keeps("batch_norm", _CHANNELS_FIRST, _TOKENS_HELP),
        params=_affine_params(2),
    ),
    Signature(
        "layer_norm",
        "layer",
        "A vector or each token normalised over its features; a map over channels and positions together, "
        "with scale and offset per channel (Ba et al. 2016).",
        (_EPS, _AFFINE),
        positional=0,
        shape=_layer_norm_shape,
        params=_affine_params(2),
    ),
    Signature(
        "group_norm",
        "layer",
        "Each sample normalised over groups of channels (Wu & He 2018).",
        (
            Argument("groups", integer(1), "groups of channels, a divisor of them", 8, shapes=True),
            _EPS,
            _AFFINE,
        ),
        shape=_group_norm_shape,
        params=_affine_params(2),
    ),
    Signature(
        "prelu",
        "layer",
        "x above 0, a learned slope per channel times x below (He et al. 2015).",
        positional=0,
        shape=_keeps("prelu", _CHANNELS_FIRST, "use `leaky_relu` on tokens"),
        params=lambda args, inputs, output: channels_of(output),
    ),
    Signature(
        "instance_norm",
        "layer",
        "Each channel of each sample normalised over its positions (Ulyanov et al. 2016).",
        (_EPS, _AFFINE),
        positional=0,
        shape=_instance_norm_shape,
        params=_affine_params(2),
    ),
    Signature(
        "rms_norm",
        "layer",
        "Division by the root mean square, then a learned scale per channel; over the features of a vector "
        "or token, over all of a map (Zhang & Sennrich 2019).",
        (
            _EPS,
            Argument("affine", BOOL, "whether each channel has a learned scale", True),
        ),
        positional=0,
        shape=_keeps("rms_norm", _ANY, "put `token_embedding` before it"),
        params=_affine_params(1),
    ),
)
