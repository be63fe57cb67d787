"""Squeeze-excite and the inverted bottleneck."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.builders.activations import activation
from compiler.builders.arguments import RecipeRule, call, channels_of, flag, spatial_sizes, whole
from compiler.builders.convolution import window
from compiler.builders.recipe import Ingredient, Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.bottleneck import squeezed, squeezed_in_bottleneck

_Arguments = Mapping[str, Value]


def _squeeze_excite(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    channels = channels_of(inputs[0])
    return make("SqueezeExcite", channels, squeezed(channels, whole(args["reduction"])))


def _inverted_bottleneck(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    channels, filters = channels_of(inputs[0]), channels_of(output)
    axes, hidden = len(spatial_sizes(inputs[0])), channels * whole(args["expand"])
    conv, norm, act = f"nn.Conv{axes}d", f"nn.BatchNorm{axes}d", activation(call(args["act"]))
    steps: dict[str, Ingredient] = {}
    if hidden > channels:
        steps["expand"] = make(conv, channels, hidden, 1, bias=False)
        steps |= {"expand_norm": make(norm, hidden), "expand_act": act}
    slide = {**args, "padding": "same", "dilation": 1}
    steps["depthwise"] = window(slide, hidden, hidden, axes, groups=hidden, bias=False)
    steps |= {"depthwise_norm": make(norm, hidden), "depthwise_act": act}
    if flag(args["squeeze_excite"]):
        narrow = squeezed_in_bottleneck(args, channels, hidden)
        hard = {"hard": True} if args["gate"] == "mobilenet_v3" else {}
        steps["gate"] = make("SqueezeExcite", hidden, narrow, **hard)
    steps["project"] = make(conv, hidden, filters, 1, bias=False)
    steps["project_norm"] = make(norm, filters)
    return make("Chain", **steps)


RECIPES: Mapping[str, RecipeRule] = {
    "squeeze_excite": _squeeze_excite,
    "inverted_bottleneck": _inverted_bottleneck,
}
