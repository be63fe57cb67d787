"""Convolutions over sequences, images and volumes: one set of rules for one, two and three axes.

Costs: `params` counts weights and biases; `macs` multiply-accumulates of the products per sample.
Padding `same` gives ceil(size / stride); `valid` gives floor((size - window) / stride) + 1, with
window = dilation * (kernel - 1) + 1 (Dumoulin & Visin 2016, arXiv:1603.07285). A transposed convolution turns that
round: `same` gives size * stride, `valid` (size - 1) * stride + kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from nasdsl.language.shapes import Dim, Shape, divides
from nasdsl.language.signatures.rules import (
    WEIGHT,
    ceil_share,
    clamp_low,
    dim,
    flag,
    name,
    need_divides,
    need_fit,
    need_layout,
    spatial_sizes,
    whole,
    with_article,
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

LAYOUT_OF_AXES = {1: "sequence", 2: "image", 3: "volume"}

_FILTERS = Argument("filters", integer(1), "output channels", required=True, shapes=True)
_MULTIPLE = Argument(
    "filters", integer(1), "output channels, a multiple of the input's; the input's if not given", shapes=True
)
_KERNEL = Argument("kernel", integer(1), "size of the window along each axis", 3, shapes=True)
_STRIDE = Argument("stride", integer(1), "step of the window", 1, shapes=True)
_PADDING = Argument(
    "padding",
    name_of("same", "valid"),
    "same: zeros around, output is ceil(size / stride); valid: none",
    "same",
    shapes=True,
)
_DILATION = Argument("dilation", integer(1), "distance between the taps of the kernel", 1, shapes=True)
_GROUPS = Argument("groups", integer(1), "channel groups that do not see each other", 1, shapes=True)
_LARGER_KERNEL = Argument("kernel", integer(1), "size of the window along each axis", 2, shapes=True)
_LARGER_STRIDE = Argument("stride", integer(1), "how much longer each axis becomes", 2, shapes=True)
_LARGER_PADDING = Argument(
    "padding",
    name_of("same", "valid"),
    "same: output is size * stride; valid: all that any window reaches, (size - 1) * stride + kernel",
    "same",
    shapes=True,
)
_BIAS = Argument("bias", BOOL, "whether each output channel has a learned offset", True)


def slide(size: Dim, args: Arguments, op: str, shape: Shape, need: Need) -> Dim:
    """The output size along one axis of a window of `kernel`, `stride`, `dilation`, `padding`."""
    stride = dim(args["stride"])
    if name(args["padding"]) == "same":
        return ceil_share(size, stride)
    window = dim(args["dilation"]) * (dim(args["kernel"]) - 1) + 1
    room = need_fit(size, window, op, shape, need) - window
    return clamp_low(room, 0) // stride + 1


def _slid(op: str, axes: int, args: Arguments, image: Shape, filters: Dim, need: Need) -> Shape:
    layout = LAYOUT_OF_AXES[axes]
    need_layout(image, (layout,), op, _help_for(image, axes), need)
    return Shape((filters, *(slide(n, args, op, image, need) for n in image.spatial)), layout)


def _help_for(shape: Shape, axes: int) -> str:
    if shape.layout in LAYOUT_OF_AXES.values():
        return f"use `conv{len(shape.spatial)}d` on {with_article(shape.layout)}"
    if axes == 1:
        return "put `to_sequence` before it"
    return "use it before the axes are flattened or pooled away"


def _conv_shape(op: str, axes: int) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        out = _slid(op, axes, args, inputs[0], dim(args["filters"]), need)
        need_divides(dim(args["groups"]), inputs[0].channels, "groups of the input channels", need)
        need_divides(dim(args["groups"]), dim(args["filters"]), "groups of the filters", need)
        return out

    return shape


def _depthwise_shape(op: str, axes: int) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        channels = inputs[0].channels
        filters = channels if args["filters"] is None else dim(args["filters"])
        out = _slid(op, axes, args, inputs[0], filters, need)
        need(
            divides(channels, filters),
            f"`{op}` filters each channel alone: {filters} filters are no multiple of {channels} channels",
            f"the first argument by position is `filters`: write `kernel = …`, or leave `filters` out; "
            f"`separable_conv{axes}d` mixes channels",
        )
        return out

    return shape


def _separable_shape(op: str, axes: int) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        return _slid(op, axes, args, inputs[0], dim(args["filters"]), need)

    return shape


def _transposed_shape(op: str, axes: int) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        image, layout = inputs[0], LAYOUT_OF_AXES[axes]
        help = _help_for(image, axes).replace("d` on", "d_transpose` on")
        need_layout(image, (layout,), op, help, need)
        return Shape((dim(args["filters"]), *(_enlarged(n, args) for n in image.spatial)), layout)

    return shape


def _enlarged(size: Dim, args: Arguments) -> Dim:
    stride = dim(args["stride"])
    return size * stride if name(args["padding"]) == "same" else (size - 1) * stride + dim(args["kernel"])


def _bias_params(args: Arguments, output: Shape) -> int:
    return output.sizes()[0] if flag(args["bias"]) else 0


def _taps(axes: int, args: Arguments) -> int:
    """Weights of one filter on one channel."""
    return prod([whole(args["kernel"])] * axes)


def _conv_weights(axes: int, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    channels, filters = inputs[0].sizes()[0], output.sizes()[0]
    return channels // whole(args["groups"]) * filters * _taps(axes, args)


def _depthwise_weights(axes: int, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return output.sizes()[0] * _taps(axes, args)


def _separable_weights(axes: int, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    channels = inputs[0].sizes()[0]
    return channels * _taps(axes, args) + channels * output.sizes()[0]


def _transposed_weights(axes: int, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return inputs[0].sizes()[0] * output.sizes()[0] * _taps(axes, args)


def _transposed_row(axes: int) -> Signature:
    op = f"conv{axes}d_transpose"

    def macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
        # Every weight is used once at every position of the input.
        return _transposed_weights(axes, args, inputs, output) * prod(spatial_sizes(inputs[0]))

    row = _row(
        op,
        axes,
        f"Transposed convolution: {with_article(LAYOUT_OF_AXES[axes])} made `stride` times as long by learned "
        "windows (Dumoulin & Visin 2016).",
        (_FILTERS, _LARGER_KERNEL, _LARGER_STRIDE, _LARGER_PADDING),
        _transposed_shape(op, axes),
        _transposed_weights,
    )
    return replace(row, macs=macs)


_Weights = Callable[[int, Arguments, tuple[Shape, ...], Shape], int]


def _row(
    op: str, axes: int, doc: str, arguments: tuple[Argument, ...], shape: ShapeRule, weights: _Weights
) -> Signature:
    def params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
        return weights(axes, args, inputs, output) + _bias_params(args, output)

    def macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
        # Every weight is used once at every output position.
        return weights(axes, args, inputs, output) * prod(spatial_sizes(output))

    return Signature(
        op,
        "layer",
        doc,
        (*arguments, _BIAS, WEIGHT),
        positional=2,
        weighted=True,
        shape=shape,
        params=params,
        macs=macs,
    )


def _family(axes: int) -> tuple[Signature, ...]:
    over = with_article(LAYOUT_OF_AXES[axes])
    conv, depthwise, separable = f"conv{axes}d", f"depthwise_conv{axes}d", f"separable_conv{axes}d"
    window = (_KERNEL, _STRIDE, _PADDING, _DILATION)
    return (
        _row(
            conv,
            axes,
            f"Convolution over {over}.",
            (_FILTERS, *window, _GROUPS),
            _conv_shape(conv, axes),
            _conv_weights,
        ),
        _row(
            depthwise,
            axes,
            f"Convolution of each channel of {over} alone.",
            (_MULTIPLE, *window),
            _depthwise_shape(depthwise, axes),
            _depthwise_weights,
        ),
        _row(
            separable,
            axes,
            f"A depthwise convolution over {over} without bias, then a convolution of kernel 1 to `filters`.",
            (_FILTERS, *window),
            _separable_shape(separable, axes),
            _separable_weights,
        ),
        _transposed_row(axes),
    )


# --- a window taken apart ----------------------------------------------------------------------


def _factorized_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    image = inputs[0]
    need_layout(image, ("image",), "factorized_conv2d", _help_for(image, 2), need)
    stride = dim(args["stride"])
    return Shape((dim(args["filters"]), *(ceil_share(size, stride) for size in image.spatial)), "image")


def _factorized_weights(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[int, int]:
    """Of the window across, and of the window down."""
    filters, kernel = output.sizes()[0], whole(args["kernel"])
    return inputs[0].sizes()[0] * filters * kernel, filters * filters * kernel


def _factorized_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return sum(_factorized_weights(args, inputs, output)) + _bias_params(args, output)


def _factorized_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    across, down = _factorized_weights(args, inputs, output)
    _, height, _ = inputs[0].sizes()
    _, rows, columns = output.sizes()
    return across * height * columns + down * rows * columns


_FACTORIZED = Signature(
    "factorized_conv2d",
    "layer",
    "A convolution of 1 x `kernel` without bias, then one of `kernel` x 1, over an image (Szegedy et al. 2016, "
    "arXiv:1512.00567): the step is taken across, then down; zeros around, output is ceil(size / stride).",
    (
        _FILTERS,
        Argument("kernel", integer(1), "length of both windows", 7),
        _STRIDE,
        _BIAS,
        WEIGHT,
    ),
    positional=2,
    weighted=True,
    shape=_factorized_shape,
    params=_factorized_params,
    macs=_factorized_macs,
)

SIGNATURES = (*(signature for axes in LAYOUT_OF_AXES for signature in _family(axes)), _FACTORIZED)
