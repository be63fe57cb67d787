"""Operations around a body."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.builders.arguments import RecipeRule, channels_of, name, number, whole
from compiler.builders.recipe import Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape

_Arguments = Mapping[str, Value]


def _widen(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    """Without its experts, which are not known here."""
    if name(args["route"]) == "enforced":
        return make("EnforcedExperts")
    return make(
        "Experts",
        channels_of(inputs[0]),
        top_k=whole(args["top_k"]),
        capacity=number(args["capacity"]),
        balance=number(args["balance"]),
        tokens=inputs[0].layout == "tokens",
    )


RECIPES: Mapping[str, RecipeRule] = {"widen": _widen}
