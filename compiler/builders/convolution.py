"""Convolutions over one, two and three axes.

Padding `same` puts dilation * (kernel - 1) zeros around each axis, the odd one behind, which gives
ceil(size / stride) for every size and stride (torch's own padding="same" knows stride 1 only). Transposed, it takes
kernel - stride entries off each axis, the odd one in front, or appends what is missing, which gives size * stride.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from compiler.builders.arguments import RecipeRule, channels_of, flag, name, spatial_sizes, whole
from compiler.builders.recipe import Ingredient, Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape

_Arguments = Mapping[str, Value]


def window(args: _Arguments, channels: int, filters: int, axes: int, **more: Ingredient) -> Recipe:
    """A convolution with the window of `args`: its torch module, behind a padding if that is uneven."""
    kernel, stride, dilation = whole(args["kernel"]), whole(args["stride"]), whole(args["dilation"])
    around = dilation * (kernel - 1) if name(args["padding"]) == "same" else 0
    before, after = around // 2, around - around // 2
    named: dict[str, Ingredient] = {}
    if stride > 1:
        named["stride"] = stride
    if before == after > 0:
        named["padding"] = before
    if dilation > 1:
        named["dilation"] = dilation
    conv = make(f"nn.Conv{axes}d", channels, filters, kernel, **named, **more)
    if before == after:
        return conv
    return make("Chain", pad=make(f"nn.ZeroPad{axes}d", (before, after) * axes), conv=conv)


def _more(args: _Arguments, groups: int) -> dict[str, Ingredient]:
    more: dict[str, Ingredient] = {"groups": groups} if groups > 1 else {}
    return more if flag(args["bias"]) else {**more, "bias": False}


def _conv(axes: int, args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    groups = whole(args["groups"])
    return window(args, channels_of(inputs[0]), channels_of(output), axes, **_more(args, groups))


def _depthwise(axes: int, args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    channels = channels_of(inputs[0])
    return window(args, channels, channels_of(output), axes, **_more(args, channels))


def _separable(axes: int, args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    channels = channels_of(inputs[0])
    depthwise = window(args, channels, channels, axes, **_more({"bias": False}, channels))
    pointwise = make(f"nn.Conv{axes}d", channels, channels_of(output), 1, **_more(args, 1))
    return make("Chain", depthwise=depthwise, pointwise=pointwise)


def _transposed(axes: int, args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    kernel, stride = whole(args["kernel"]), whole(args["stride"])
    surplus = kernel - stride if name(args["padding"]) == "same" else 0
    # torch appends less than a stride: an even kernel at stride 1 is cut behind instead.
    cut = stride == 1 and surplus % 2 == 1
    before = max(0, surplus // 2 if cut else -(-surplus // 2))
    named: dict[str, Ingredient] = {"stride": stride} if stride > 1 else {}
    if before:
        named["padding"] = before
    if not cut and 2 * before > surplus:
        named["output_padding"] = 2 * before - surplus
    channels = channels_of(inputs[0]), channels_of(output)
    conv = make(f"nn.ConvTranspose{axes}d", *channels, kernel, **named, **_more(args, 1))
    return make("Chain", conv=conv, crop=make("Crop", spatial_sizes(output))) if cut else conv


def _factorized(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    channels, filters = channels_of(inputs[0]), channels_of(output)
    across = _line(args, channels, filters, 1, {"bias": False})
    return make("Chain", across=across, down=_line(args, filters, filters, 0, _more(args, 1)))


def _line(args: _Arguments, channels: int, filters: int, axis: int, more: dict[str, Ingredient]) -> Recipe:
    """A convolution whose window and step go along one axis (0: down, 1: across)."""
    kernel, stride = whole(args["kernel"]), whole(args["stride"])
    before, after = (kernel - 1) // 2, kernel // 2
    along = {"kernel": (1, kernel), "stride": (1, stride), "padding": (0, before)}
    if axis == 0:
        along = {key: (there, other) for key, (other, there) in along.items()}
    named: dict[str, Ingredient] = {"stride": along["stride"]} if stride > 1 else {}
    if before == after > 0:
        named["padding"] = along["padding"]
    conv = make("nn.Conv2d", channels, filters, along["kernel"], **named, **more)
    if before == after:
        return conv
    around = (0, 0, before, after) if axis == 0 else (before, after, 0, 0)
    return make("Chain", pad=make("nn.ZeroPad2d", around), conv=conv)


RECIPES: Mapping[str, RecipeRule] = (
    {
        f"{prefix}conv{axes}d": partial(rule, axes)
        for axes in (1, 2, 3)
        for prefix, rule in (("", _conv), ("depthwise_", _depthwise), ("separable_", _separable))
    }
    | {f"conv{axes}d_transpose": partial(_transposed, axes) for axes in (1, 2, 3)}
    | {"factorized_conv2d": _factorized}
)
