"""Operations that join, reshape, drop or pass on what they get.

Costs: only `project` has weights; its products are its `macs`.
"""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.network import Value
from nasdsl.language.shapes import Dim, Shape, at_least, same, shape_of, vector
from nasdsl.language.signatures.dense import FLATTEN_HELP
from nasdsl.language.signatures.pooling import SPATIAL
from nasdsl.language.signatures.rules import (
    WEIGHT,
    channels_of,
    dim,
    flag,
    need_equal,
    need_layout,
    positions,
    product,
    unjoinable,
    whole,
    with_channels,
)
from nasdsl.language.signatures.signature import (
    BOOL,
    Argument,
    Arguments,
    Kind,
    Need,
    ShapeRule,
    Signature,
    integer,
    name_of,
    real,
)

_SOME = (1, None)
_FEATURES = ("vector", *SPATIAL, "tokens")


def adaptation(target: Shape) -> Mapping[str, Value]:
    """The arguments that make `project` or `pad` give `target` from a shape of the same layout."""
    sizes = target.dims[1:] if target.layout in SPATIAL else None
    return {"width": target.channels, "size": sizes}  # type: ignore[dict-item]  # Dims while checking


def _passes(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    return inputs[0]


def _dropout_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], _FEATURES, "dropout", "put `token_embedding` before it", need)
    return inputs[0]


def _flatten_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], _FEATURES, "flatten", "put `token_embedding` before it", need)
    return vector(product(inputs[0].dims))


_RESHAPED = ("channels", "first", "second", "third")


def _reshape_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], _FEATURES, "reshape", "put `token_embedding` before it", need)
    given = [args[name] for name in _RESHAPED]
    count = sum(axis is not None for axis in given)
    need(
        None not in given[:count],
        "`reshape` has an axis without those before it",
        "name channels, first, second, third in this order",
    )
    output = shape_of(tuple(dim(axis) for axis in given[:count]))  # type: ignore[misc]  # Dims while checking
    need(
        same(product(inputs[0].dims), product(output.dims)),
        f"`reshape` to {output} does not hold the values of {inputs[0]}",
        "the product of all axes stays the same",
    )
    return output


def _to_tokens_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], SPATIAL, "to_tokens", "leave it out, or use it before `flatten`", need)
    return Shape((product(inputs[0].spatial), inputs[0].channels), "tokens")


def _to_sequence_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(
        inputs[0], ("vector", "tokens"), "to_sequence", "put `flatten` or `to_tokens` before it", need
    )
    if inputs[0].layout == "vector":
        return Shape((1, inputs[0].dims[0]), "sequence")
    return Shape((inputs[0].dims[1], inputs[0].dims[0]), "sequence")


def _elementwise_shape(op: str) -> ShapeRule:
    def shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        return need_equal(inputs, op, need)

    return shape


def _concat_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    alike = need_equal(tuple(with_channels(shape, 1) for shape in inputs), "concat", need, unjoinable)
    total: Dim = 0
    for shape in inputs:
        total = total + shape.channels
    return with_channels(alike, total)


def _resized(op: str, args: Arguments, shape: Shape, need: Need) -> Shape:
    need_layout(shape, _FEATURES, op, FLATTEN_HELP, need)
    wide = with_channels(shape, dim(args["width"]))
    if args["size"] is None:
        return wide
    need(shape.layout in SPATIAL, f"`{op}` has a size, but {shape} has no axes to resize", "leave `size` out")
    sizes = args["size"] if isinstance(args["size"], tuple) else (dim(args["size"]),) * len(shape.spatial)
    need(
        len(sizes) == len(shape.spatial),
        f"`{op}` names {len(sizes)} sizes for the {len(shape.spatial)} axes of {shape}",
        "give one size for each axis",
    )
    return Shape((wide.channels, *sizes), shape.layout)


def _project_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    return _resized("project", args, inputs[0], need)


def _pad_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    output = _resized("pad", args, inputs[0], need)
    need(
        at_least(output.channels, inputs[0].channels),
        f"`pad` cannot make {inputs[0]} narrower: {output}",
        "use `project`, which has weights",
    )
    for size, wanted in zip(inputs[0].spatial, output.spatial, strict=True):
        need(
            at_least(size, wanted),
            f"`pad` cannot make the axes of {inputs[0]} longer: {output}",
            "use `upsample` or `project`",
        )
    return output


def _project_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    width = whole(args["width"])
    return channels_of(inputs[0]) * width + (width if flag(args["bias"]) else 0)


def _project_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return channels_of(inputs[0]) * whole(args["width"]) * positions(output)


_WIDTH = Argument("width", integer(1), "channels, features, or width of tokens", required=True, shapes=True)
_SIZE = Argument("size", Kind("numbers", 1), "length of each remaining axis; kept if not given", shapes=True)

SIGNATURES = (
    Signature("identity", "layer", "Its input, unchanged.", positional=0, shape=_passes),
    Signature(
        "zero", "layer", "Zeros in the shape of its input: no connection.", positional=0, shape=_passes
    ),
    Signature(
        "flatten", "layer", "All values of a sample as one vector.", positional=0, shape=_flatten_shape
    ),
    Signature(
        "reshape",
        "layer",
        "The values of a sample on other axes, in their order: one is a vector, two a sequence, three an image, four a "
        "volume.",
        (
            Argument("channels", integer(1), "channels, or features of a vector", required=True, shapes=True),
            *(
                Argument(name, integer(1), f"length of the {name} axis behind the channels", shapes=True)
                for name in _RESHAPED[1:]
            ),
        ),
        positional=4,
        shape=_reshape_shape,
    ),
    Signature(
        "to_tokens",
        "layer",
        "Each position of a map becomes a token as wide as its channels.",
        positional=0,
        shape=_to_tokens_shape,
    ),
    Signature(
        "to_sequence",
        "layer",
        "Tokens as a sequence with their width as channels; a vector as one channel.",
        positional=0,
        shape=_to_sequence_shape,
    ),
    Signature(
        "dropout",
        "layer",
        "Each value dropped at random in training (Srivastava et al. 2014).",
        (
            Argument("rate", real(0, 1), "share of values dropped", required=True),
            Argument(
                "per", name_of("value", "channel"), "whether values or whole channels are dropped", "value"
            ),
        ),
        shape=_dropout_shape,
    ),
    Signature(
        "add", "layer", "The sum of its inputs.", positional=0, arity=_SOME, shape=_elementwise_shape("add")
    ),
    Signature(
        "mul",
        "layer",
        "The product of its inputs, by element.",
        positional=0,
        arity=_SOME,
        shape=_elementwise_shape("mul"),
    ),
    Signature(
        "mean",
        "layer",
        "The mean of its inputs, by element.",
        positional=0,
        arity=_SOME,
        shape=_elementwise_shape("mean"),
    ),
    Signature(
        "concat",
        "layer",
        "Its inputs side by side, along the channels.",
        positional=0,
        arity=_SOME,
        shape=_concat_shape,
    ),
    Signature(
        "project",
        "layer",
        "A convolution of kernel 1 (a linear layer on vectors and tokens) to another width; axes are "
        "brought to `size` by the stride that fits, a centred choice of positions, or nearest neighbours.",
        (_WIDTH, _SIZE, Argument("bias", BOOL, "whether outputs have learned offsets", False), WEIGHT),
        shape=_project_shape,
        params=_project_params,
        macs=_project_macs,
        weighted=True,
        sized=True,
    ),
    Signature(
        "pad",
        "layer",
        "Zeros appended to the channels, axes thinned to `size`; no weights (He et al. 2016, option A).",
        (_WIDTH, _SIZE),
        shape=_pad_shape,
    ),
)
