"""Operations around a body."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.builders.activations import activation
from compiler.builders.arguments import RecipeRule, call, channels_of, flag, name, number, whole
from compiler.builders.recipe import Ingredient, Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.structure import reads_output

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


def _gate(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make(
        "Gate",
        channels_of(inputs[0]),
        channels_of(output),
        mass=number(args["mass"]),
        decoupled=flag(args["decoupled"]),
        **_axis(output),
    )


def _adapter(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    read = output if reads_output(args) else inputs[0]
    return make(
        "Adapter",
        channels_of(read),
        channels_of(output),
        rank=whole(args["rank"]),
        scale=number(args["scale"]),
        act=make("nn.Identity") if args["f"] is None else activation(call(args["f"])),
        reads_output=reads_output(args),
        **_axis(output),
    )


def _axis(shape: Shape) -> dict[str, Ingredient]:
    """Where the channels are: axis 1 of maps and vectors, the last one of tokens."""
    return {"channels_last": True} if shape.layout == "tokens" else {}


RECIPES: Mapping[str, RecipeRule] = {"widen": _widen, "gate": _gate, "adapter": _adapter}
