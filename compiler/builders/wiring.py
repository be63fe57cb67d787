"""Operations that join, reshape, drop or pass on, and the visible adaptations `project` and `pad`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from compiler.builders.arguments import RecipeRule, channels_of, flag, name, number, spatial_sizes
from compiler.builders.dense import linear
from compiler.builders.recipe import Ingredient, Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape

_Arguments = Mapping[str, Value]


def _fixed(target: str, args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make(target)


def _concat(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make("Concat", _channel_axis(output))


def _channel_axis(shape: Shape) -> int:
    """Of a tensor with its batch axis in front."""
    return 2 if shape.layout == "tokens" else 1


def _dropout(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    axes = len(inputs[0].spatial) if name(args["per"]) == "channel" else 0
    return make(f"nn.Dropout{axes}d" if axes else "nn.Dropout", number(args["rate"]))


def _reshape(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    sizes = output.sizes()
    if len(sizes) == 1:
        return make("nn.Flatten")
    flat = inputs[0].layout == "vector"
    unflatten = make("nn.Unflatten", 1, sizes)
    return unflatten if flat else make("Chain", flatten=make("nn.Flatten"), reshape=unflatten)


def _to_tokens(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    if inputs[0].layout == "sequence":
        return make("SwapAxes")
    return make("Chain", flatten=make("nn.Flatten", 2), swap=make("SwapAxes"))


def _to_sequence(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    if inputs[0].layout == "vector":
        return make("nn.Unflatten", 1, (1, channels_of(inputs[0])))
    return make("SwapAxes")


def _project(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    channels, width, bias = channels_of(inputs[0]), channels_of(output), flag(args["bias"])
    sizes, wanted = spatial_sizes(inputs[0]), spatial_sizes(output)
    if not sizes:
        return linear(channels, width, bias)
    conv, named = f"nn.Conv{len(sizes)}d", {} if bias else {"bias": False}
    strides = tuple(_step(*pair) for pair in zip(sizes, wanted, strict=True))
    if tuple(-(-n // s) for n, s in zip(sizes, strides, strict=True)) == wanted:
        return make(conv, channels, width, 1, **_stride(strides), **named)
    chain = {"resize": _resize(sizes, wanted), "conv": make(conv, channels, width, 1, **named)}
    return make("Chain", **chain)


def _pad(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    extra = channels_of(output) - channels_of(inputs[0])
    pad = make("PadChannels", extra, _channel_axis(output))
    sizes, wanted = spatial_sizes(inputs[0]), spatial_sizes(output)
    if sizes == wanted:
        return pad
    return make("Chain", resize=_resize(sizes, wanted), pad=pad)


def _step(size: int, wanted: int) -> int:
    """The stride that spreads `wanted` places over `size`: the smallest that gives ceil(size / stride)
    == wanted where there is one, else the widest that fits."""
    if wanted >= size:
        return 1
    return min(-(-size // wanted), (size - 1) // max(1, wanted - 1))


def _stride(strides: tuple[int, ...]) -> dict[str, Ingredient]:
    if len(set(strides)) > 1:
        return {"stride": strides}
    return {} if strides[0] == 1 else {"stride": strides[0]}


def _resize(sizes: tuple[int, ...], wanted: tuple[int, ...]) -> Recipe:
    """Places picked evenly and centred; where an axis must grow, the nearest neighbour of each place."""
    if any(w > n for n, w in zip(sizes, wanted, strict=True)):
        return make("nn.Upsample", wanted)
    steps = tuple(_step(*pair) for pair in zip(sizes, wanted, strict=True))
    starts = tuple((n - 1 - s * (w - 1)) // 2 for n, s, w in zip(sizes, steps, wanted, strict=True))
    return make("Pick", starts, steps, wanted)


_FIXED = {
    "identity": "nn.Identity",
    "zero": "Zero",
    "flatten": "nn.Flatten",
    "add": "Add",
    "mul": "Mul",
    "mean": "Average",
}

RECIPES: Mapping[str, RecipeRule] = {
    **{op: partial(_fixed, target) for op, target in _FIXED.items()},
    "concat": _concat,
    "dropout": _dropout,
    "reshape": _reshape,
    "to_tokens": _to_tokens,
    "to_sequence": _to_sequence,
    "project": _project,
    "pad": _pad,
}
