"""Pooling and resizing of sequences, images and volumes. No weights; pools count 0 `macs`."""

from __future__ import annotations

from nasdsl.language.shapes import Shape, vector
from nasdsl.language.signatures.convolution import slide
from nasdsl.language.signatures.rules import dim, need_fit, need_layout
from nasdsl.language.signatures.signature import (
    Argument,
    Arguments,
    Need,
    ShapeRule,
    Signature,
    integer,
    name_of,
)

SPATIAL = ("sequence", "image", "volume")

_WINDOW = (
    Argument("window", integer(1), "size of the window along each axis", required=True, shapes=True),
    Argument("stride", integer(1), "step of the window; the window if not given", shapes=True),
    Argument(
        "padding",
        name_of("valid", "same"),
        "valid: whole windows only; same: output is ceil(size / stride), what is outside is left out",
        "valid",
        shapes=True,
    ),
)


def _pool_shape(op: str) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        need_layout(inputs[0], SPATIAL, op, "use it before the axes are flattened or pooled away", need)
        window = {
            "kernel": args["window"],
            "stride": args["window"] if args["stride"] is None else args["stride"],
            "padding": args["padding"],
            "dilation": 1,
        }
        sizes = inputs[0].spatial
        if op == "avg_pool" and inputs[0].layout == "volume":
            # torch's AvgPool3d asks for this even where padding would make room.
            sizes = tuple(need_fit(size, dim(args["window"]), op, inputs[0], need) for size in sizes)
        sizes = tuple(slide(size, window, op, inputs[0], need) for size in sizes)
        return Shape((inputs[0].channels, *sizes), inputs[0].layout)

    return shape


def _global_shape(op: str) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        help = "leave it out: there is no axis left to pool"
        need_layout(inputs[0], (*SPATIAL, "tokens"), op, help, need)
        return vector(inputs[0].channels)

    return shape


def _upsample_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], SPATIAL, "upsample", "use it before the axes are flattened or pooled away", need)
    sizes = tuple(size * dim(args["factor"]) for size in inputs[0].spatial)
    return Shape((inputs[0].channels, *sizes), inputs[0].layout)


SIGNATURES = (
    Signature(
        "max_pool", "layer", "The greatest value of each window.", _WINDOW, shape=_pool_shape("max_pool")
    ),
    Signature("avg_pool", "layer", "The mean of each window.", _WINDOW, shape=_pool_shape("avg_pool")),
    Signature(
        "global_avg_pool",
        "layer",
        "The mean of each channel over all positions: a vector.",
        positional=0,
        shape=_global_shape("global_avg_pool"),
    ),
    Signature(
        "global_max_pool",
        "layer",
        "The greatest value of each channel over all positions: a vector.",
        positional=0,
        shape=_global_shape("global_max_pool"),
    ),
    Signature(
        "upsample",
        "layer",
        "Each axis made `factor` times longer.",
        (
            Argument("factor", integer(1), "how many times longer", 2, shapes=True),
            Argument("mode", name_of("nearest", "linear"), "how new values are found", "nearest"),
        ),
        shape=_upsample_shape,
    ),
)
