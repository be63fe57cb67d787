"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from compiler.builders.arguments import RecipeRule, channels_of, flag, name, whole
from compiler.builders.recipe import Ingredient, Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape


def _rule(target: str, args: Mapping[str, Value], inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    named: dict[str, Ingredient] = {}
    if whole(args["layers"]) > 1:
        named["num_layers"] = whole(args["layers"])
    if flag(args["bidirectional"]):
        named["bidirectional"] = True
    if not flag(args["bias"]):
        named["bias"] = False
    rnn = make(target, channels_of(inputs[0]), whole(args["width"]), batch_first=True, **named)
    channels_first = inputs[0].layout == "sequence"
    return make("Recurrent", rnn, channels_first=channels_first, keep=name(args["keep"]))


RECIPES: Mapping[str, RecipeRule] = {
    "rnn": partial(_rule, "nn.RNN"),
    "gru": partial(_rule, "nn.GRU"),
    "lstm": partial(_rule, "nn.LSTM"),
}
