"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.builders.activations import activation
from compiler.builders.arguments import RecipeRule, call, channels_of, flag, number, whole
from compiler.builders.recipe import Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.dense import column_width


def linear(width_in: int, width_out: int, bias: bool) -> Recipe:
    """A linear layer over the last axis."""
    return make("nn.Linear", width_in, width_out, **({} if bias else {"bias": False}))


def _linear(args: Mapping[str, Value], inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return linear(channels_of(inputs[0]), channels_of(output), flag(args["bias"]))


def _mlp(args: Mapping[str, Value], inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    width, hidden, bias = channels_of(inputs[0]), whole(args["hidden"]), flag(args["bias"])
    dropout = number(args["dropout"])
    return make(
        "Chain",
        expand=linear(width, hidden, bias),
        act=activation(call(args["act"])),
        **({"dropout": make("nn.Dropout", dropout)} if dropout else {}),
        contract=linear(hidden, width, bias),
    )


def _embed_columns(args: Mapping[str, Value], inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    """Neighbouring columns of numbers pass as one, of width 0."""
    sizes: list[int] = []
    widths: list[int] = []
    for _, size in inputs[0].columns:
        if size == 1 and widths and not widths[-1]:
            sizes[-1] += 1
        else:
            sizes.append(size)
            widths.append(whole(column_width(args, size)) if size > 1 else 0)
    return make("EmbedColumns", tuple(sizes), tuple(widths))


RECIPES: Mapping[str, RecipeRule] = {"linear": _linear, "mlp": _mlp, "embed_columns": _embed_columns}
