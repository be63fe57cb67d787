"""Normalisation layers; which torch class it is depends on what the axes mean."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.builders.arguments import RecipeRule, channels_of, flag, number, whole
from compiler.builders.recipe import Ingredient, Recipe, make
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape

_Arguments = Mapping[str, Value]
_EPS = 1e-5  # torch's own default, which need not be said


def _named(args: _Arguments, affine: str = "affine") -> dict[str, Ingredient]:
    named: dict[str, Ingredient] = {}
    if number(args["eps"]) != _EPS:
        named["eps"] = number(args["eps"])
    if not flag(args["affine"]):
        named[affine] = False
    return named


def _batch_norm(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    axes = max(1, len(inputs[0].spatial))
    named = _named(args)
    if number(args["momentum"]) != 0.1:
        named["momentum"] = number(args["momentum"])
    return make(f"nn.BatchNorm{axes}d", channels_of(inputs[0]), **named)


def _layer_norm(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    if inputs[0].spatial:
        return make("nn.GroupNorm", 1, channels_of(inputs[0]), **_named(args))
    return make("nn.LayerNorm", channels_of(inputs[0]), **_named(args, "elementwise_affine"))


def _group_norm(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make("nn.GroupNorm", whole(args["groups"]), channels_of(inputs[0]), **_named(args))


def _instance_norm(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    named = {**_named(args), "affine": flag(args["affine"])}  # torch's own default is none
    return make(f"nn.InstanceNorm{len(inputs[0].spatial)}d", channels_of(inputs[0]), **named)


def _rms_norm(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    channels, eps, affine = channels_of(inputs[0]), number(args["eps"]), flag(args["affine"])
    if inputs[0].spatial:
        return make("SampleRMSNorm", channels, axes=len(inputs[0].spatial), eps=eps, affine=affine)
    return make("nn.RMSNorm", channels, eps=eps, elementwise_affine=affine)


def _prelu(args: _Arguments, inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return make("nn.PReLU", channels_of(output))


RECIPES: Mapping[str, RecipeRule] = {
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "rms_norm": _rms_norm,
    "prelu": _prelu,
}
