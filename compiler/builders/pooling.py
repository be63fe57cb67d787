"""Pooling and resizing of sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from compiler.builders.arguments import RecipeRule, name, spatial_sizes, whole
from compiler.builders.recipe import Ingredient, Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape

_Arguments = Mapping[str, Value]


def _pool(kind: str, args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    sizes = spatial_sizes(inputs[0])
    window = whole(args["window"])
    stride = window if args["stride"] is None else whole(args["stride"])
    named: dict[str, Ingredient] = {} if stride == window else {"stride": stride}
    same = name(args["padding"]) == "same" and window > 1
    if same:
        named["padding"] = window // 2
    if same and kind == "Avg":
        named["count_include_pad"] = False
    pool = make(f"nn.{kind}Pool{len(sizes)}d", window, **named)
    given = tuple((size + 2 * (window // 2) - window) // stride + 1 for size in sizes)
    if not same or given == spatial_sizes(output):
        return pool
    # An even window, padded alike on both sides, may give one place too many at the end.
    return make("Chain", pool=pool, crop=make("Crop", spatial_sizes(output)))


def _global(helper: str, args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    if inputs[0].layout == "tokens":
        return make(helper, (1,))
    return make(helper, tuple(range(2, 1 + len(inputs[0].dims))))


_LINEAR = {"sequence": "linear", "image": "bilinear", "volume": "trilinear"}


def _upsample(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    factor = whole(args["factor"])
    if name(args["mode"]) == "nearest":
        return make("nn.Upsample", scale_factor=factor)
    mode = _LINEAR[inputs[0].layout]
    return make("nn.Upsample", scale_factor=factor, mode=mode, align_corners=False)


RECIPES: Mapping[str, RecipeRule] = {
    "max_pool": partial(_pool, "Max"),
    "avg_pool": partial(_pool, "Avg"),
    "global_avg_pool": partial(_global, "MeanOver"),
    "global_max_pool": partial(_global, "MaxOver"),
    "upsample": _upsample,
}
