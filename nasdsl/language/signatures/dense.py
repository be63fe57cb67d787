"""Fully connected layers, on a vector or on each token alike, and those of the texts of a table.

Costs: `macs` counts the products of the linear maps; activations and dropout count 0.
"""

from __future__ import annotations

from nasdsl.language.network import Spec
from nasdsl.language.shapes import INFINITE, Dim, Shape, interval, vector
from nasdsl.language.signatures.rules import WEIGHT, dim, flag, need_layout, positions, whole, with_channels
from nasdsl.language.signatures.signature import (
    BOOL,
    Argument,
    Arguments,
    Need,
    Signature,
    call_of,
    integer,
    real,
)

FLATTEN_HELP = "put `flatten` or `global_avg_pool` before it"

MOST_BY_ITSELF = 50  # numbers that stand for a text where a space does not say how many

_BIAS = Argument("bias", BOOL, "whether outputs have learned offsets", True)


def _takes_features(op: str, shape: Shape, need: Need) -> None:
    help = "put `token_embedding` before it" if shape.layout == "index" else FLATTEN_HELP
    need_layout(shape, ("vector", "tokens"), op, help, need)


def _linear_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    _takes_features("linear", inputs[0], need)
    return with_channels(inputs[0], dim(args["width"]))


def _linear_weights(args: Arguments, inputs: tuple[Shape, ...]) -> int:
    return inputs[0].sizes()[-1] * whole(args["width"])


def _linear_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return _linear_weights(args, inputs) + (whole(args["width"]) if flag(args["bias"]) else 0)


def _linear_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return _linear_weights(args, inputs) * positions(inputs[0])


def _mlp_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    _takes_features("mlp", inputs[0], need)
    return inputs[0]


def _mlp_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    width, hidden = inputs[0].sizes()[-1], whole(args["hidden"])
    return 2 * width * hidden + (width + hidden if flag(args["bias"]) else 0)


def _mlp_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return 2 * inputs[0].sizes()[-1] * whole(args["hidden"]) * positions(inputs[0])


def column_width(args: Arguments, size: int) -> Dim:
    """How many numbers stand for a text of a column that has `size` of them."""
    return min(MOST_BY_ITSELF, (size + 1) // 2) if args["width"] is None else dim(args["width"])


def _columns_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    table = inputs[0]
    need_layout(table, ("vector",), "embed_columns", "it is for tables: `csv(…)`", need)
    need(
        bool(table.texts) if table.concrete else None,
        f"`embed_columns` looks up the texts of a table, and the {table} that it gets has none",
        "put it first on a `csv` with columns of texts, or leave it out",
    )
    if not table.texts:
        return vector(interval(1, INFINITE))
    return vector(sum((column_width(args, n) if n > 1 else 1 for _, n in table.columns), start=0))


def _columns_weights(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return sum(n * whole(column_width(args, n)) for _, n in inputs[0].texts)


LINEAR = Signature(
    "linear",
    "layer",
    "A fully connected layer, on a vector or on each token.",
    (
        Argument("width", integer(1), "output features", required=True, shapes=True),
        _BIAS,
        WEIGHT,
    ),
    weighted=True,
    shape=_linear_shape,
    params=_linear_params,
    macs=_linear_macs,
)

MLP = Signature(
    "mlp",
    "layer",
    "linear(hidden), activation, dropout, linear back to the input width; on a vector or on each token.",
    (
        Argument("hidden", integer(1), "features between the two linear layers", required=True),
        Argument("act", call_of("activation"), "activation between them", Spec("relu")),
        Argument("dropout", real(0, 1), "share of hidden features dropped in training", 0.0),
        _BIAS,
        WEIGHT,
    ),
    weighted=True,
    shape=_mlp_shape,
    params=_mlp_params,
    macs=_mlp_macs,
)

EMBED_COLUMNS = Signature(
    "embed_columns",
    "layer",
    "Each column of texts of a table looked up in a learned table of its own; numbers pass (Guo & Berkhahn 2016).",
    (
        Argument(
            "width",
            integer(1),
            "numbers for a text; by default half as many as there are texts, at most 50",
            shapes=True,
        ),
    ),
    shape=_columns_shape,
    params=_columns_weights,
    macs=_columns_weights,
    source="Guo & Berkhahn 2016, Entity Embeddings of Categorical Variables, arXiv 1604.06737",
)

SIGNATURES = (LINEAR, MLP, EMBED_COLUMNS)
