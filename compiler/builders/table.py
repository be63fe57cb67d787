"""All recipe rules, joined; one file per family holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from torch import nn

from compiler.builders import (
    activations,
    attention,
    bottleneck,
    convolution,
    dense,
    normalization,
    pooling,
    recurrent,
    structure,
    wiring,
)
from compiler.builders.arguments import RecipeRule
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape

Builder: TypeAlias = Callable[[Mapping[str, Value], tuple[Shape, ...], Shape], nn.Module]

_recipes: dict[str, RecipeRule] = {
    **dense.RECIPES,
    **convolution.RECIPES,
    **pooling.RECIPES,
    **recurrent.RECIPES,
    **attention.RECIPES,
    **bottleneck.RECIPES,
    **normalization.RECIPES,
    **activations.RECIPES,
    **wiring.RECIPES,
    **structure.RECIPES,
}


def _build(
    rule: RecipeRule, arguments: Mapping[str, Value], inputs: tuple[Shape, ...], output: Shape
) -> nn.Module:
    return rule(arguments, inputs, output).build()


RECIPES: Mapping[str, RecipeRule] = _recipes


def add_recipe(op: str, rule: RecipeRule) -> None:
    """What an operation of the user's own becomes; see compiler/own.py."""
    _recipes[op] = rule


BUILDERS: Mapping[str, Builder] = {op: partial(_build, rule) for op, rule in RECIPES.items()}
