"""Attention, swiglu, and what makes and reads tokens."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.builders.arguments import RecipeRule, channels_of, flag, name, number, spatial_sizes, whole
from compiler.builders.recipe import Ingredient, Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.attention import decided_widths

_Arguments = Mapping[str, Value]


def _attention(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    tokens, width = inputs[0].sizes()
    named: dict[str, Ingredient] = {}
    if args["kv_heads"] is not None:
        named["kv_heads"] = whole(args["kv_heads"])
    if args["head_dim"] is not None:
        named["head_dim"] = whole(args["head_dim"])
    if flag(args["causal"]):
        named["causal"] = True
    if number(args["dropout"]):
        named["dropout"] = number(args["dropout"])
    if not flag(args["bias"]):
        named["bias"] = False
    match name(args["position"]):
        case "rotary":
            heads = whole(args["heads"])
            named["rotary"] = make("Rotary", tokens, decided_widths(args, width)[0] // heads)
        case "learned":
            named["positions"] = make("LearnedPositions", tokens, width)
    return make("Attention", width, whole(args["heads"]), **named)


def _swiglu(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make("SwiGLU", channels_of(inputs[0]), whole(args["hidden"]), bias=flag(args["bias"]))


def _patch_embed(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    patch, axes = whole(args["patch"]), len(spatial_sizes(inputs[0]))
    named: dict[str, Ingredient] = {} if flag(args["bias"]) else {"bias": False}
    channels, width = channels_of(inputs[0]), whole(args["width"])
    return make(
        "Chain",
        patches=make(f"nn.Conv{axes}d", channels, width, patch, stride=patch, **named),
        flatten=make("nn.Flatten", 2),
        swap=make("SwapAxes"),
    )


def _token_embedding(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make("nn.Embedding", whole(args["symbols"]), whole(args["width"]))


def _class_token(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make("ClassToken", channels_of(inputs[0]))


def _take_token(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make("TakeToken", 0 if name(args["place"]) == "first" else inputs[0].sizes()[0] - 1)


def _learned_positions(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make("LearnedPositions", *inputs[0].sizes())


RECIPES: Mapping[str, RecipeRule] = {
    "attention": _attention,
    "swiglu": _swiglu,
    "patch_embed": _patch_embed,
    "token_embedding": _token_embedding,
    "class_token": _class_token,
    "take_token": _take_token,
    "learned_positions": _learned_positions,
}
