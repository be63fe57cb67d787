"""Activations: functions of one value, as a layer of their own or as `act = …` of another.

They keep the shape, have no weights and count 0 `macs`.
"""

from __future__ import annotations

from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.rules import need_layout
from nasdsl.language.signatures.signature import (
    Argument,
    Arguments,
    Need,
    ShapeRule,
    Signature,
    name_of,
    real,
)


def _keeps(op: str) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        layouts = ("vector", "sequence", "image", "volume", "tokens")
        need_layout(inputs[0], layouts, op, "put `token_embedding` before it", need)
        return inputs[0]

    return shape


def _activation(op: str, doc: str, *arguments: Argument) -> Signature:
    return Signature(op, "activation", doc, arguments, positional=len(arguments), shape=_keeps(op))


SIGNATURES = (
    _activation("relu", "max(x, 0)"),
    _activation(
        "gelu",
        "x times the normal distribution function of x (Hendrycks & Gimpel 2016)",
        Argument("approximate", name_of("none", "tanh"), "exact, or by tanh", "none"),
    ),
    _activation("silu", "x sigmoid(x), also called swish"),
    _activation("tanh", "hyperbolic tangent"),
    _activation("sigmoid", "1 / (1 + exp(-x))"),
    _activation(
        "leaky_relu", "x above 0, slope x below", Argument("slope", real(0, 1), "slope below 0", 0.01)
    ),
    _activation(
        "elu",
        "x above 0, alpha (exp(x) - 1) below",
        Argument("alpha", real(0, open_low=True), "minus the limit to the left", 1.0),
    ),
    _activation("selu", "scaled elu that keeps mean 0 and variance 1 (Klambauer et al. 2017)"),
    _activation("mish", "x tanh(softplus(x)) (Misra 2019)"),
    _activation(
        "softplus",
        "log(1 + exp(beta x)) / beta",
        Argument("beta", real(0, open_low=True), "sharpness of the bend", 1.0),
    ),
    _activation("softsign", "x / (1 + |x|)"),
    _activation("relu6", "min(max(x, 0), 6)"),
    _activation("hard_swish", "x relu6(x + 3) / 6 (Howard et al. 2019)"),
    _activation("hard_sigmoid", "relu6(x + 3) / 6"),
    _activation("hard_tanh", "min(max(x, -1), 1)"),
    Signature(
        "singular_kernel",
        "activation",
        "A polynomial whose wide and deep limit is a singular kernel classifier of order alpha; grows fast, so put a norm "
        "before it.",
        (
            Argument(
                "alpha", real(1), "order of the singularity: the dimension that the data have", required=True
            ),
        ),
        shape=_keeps("singular_kernel"),
        source="Radhakrishnan, Belkin & Uhler 2023, Wide and Deep Neural Networks Achieve Consistency",
    ),
)
