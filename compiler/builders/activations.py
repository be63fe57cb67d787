"""Activations; `activation` also serves the layers that take one as `act`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import nn

from compiler.builders.arguments import RecipeRule, name, number
from compiler.builders.recipe import Recipe, make
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.wide_and_deep import powers

_PLAIN = {
    "relu": "nn.ReLU",
    "silu": "nn.SiLU",
    "tanh": "nn.Tanh",
    "sigmoid": "nn.Sigmoid",
    "selu": "nn.SELU",
    "mish": "nn.Mish",
    "softsign": "nn.Softsign",
    "relu6": "nn.ReLU6",
    "hard_swish": "nn.Hardswish",
    "hard_sigmoid": "nn.Hardsigmoid",
    "hard_tanh": "nn.Hardtanh",
}

# The classes that activations are made of, for whoever looks for them in a network.
MODULES: tuple[type[nn.Module], ...] = (
    *(getattr(nn, target.removeprefix("nn.")) for target in _PLAIN.values()),
    *(nn.GELU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.Softplus),
)


def activation(spec: Spec) -> Recipe:
    """The module of `act = …`."""
    match spec.name:
        case "gelu":
            return make("nn.GELU", approximate=name(spec["approximate"]))
        case "leaky_relu":
            return make("nn.LeakyReLU", negative_slope=number(spec["slope"]))
        case "elu":
            return make("nn.ELU", alpha=number(spec["alpha"]))
        case "singular_kernel":
            return make("Polynomial", powers(number(spec["alpha"])))
        case "softplus":
            return make("nn.Softplus", beta=number(spec["beta"]))
        case plain:
            return make(_PLAIN[plain])


def _rule(op: str, args: Mapping[str, Value], inputs: tuple[Shape, ...], output: Shape) -> Recipe:
    return activation(Spec(op, args))


RECIPES: Mapping[str, RecipeRule] = {
    op: partial(_rule, op) for op in (*_PLAIN, "gelu", "leaky_relu", "elu", "softplus", "singular_kernel")
}
