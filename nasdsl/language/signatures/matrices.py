"""The weight tensors of each operation, as matrices: what `weight = …` re-parametrizes and what that costs.

A kernel is read as the matrix (output channels) x (input channels of a group * taps), as torch flattens it; that of a
transposed convolution as (input channels) x (output channels * taps).
Rules work on intervals too, so that a whole space can be asked whether a rank fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from nasdsl.language.shapes import Dim, Shape, interval, lower, upper
from nasdsl.language.signatures.attention import head_widths
from nasdsl.language.signatures.bottleneck import squeezed_in_bottleneck
from nasdsl.language.signatures.rules import dim, flag, name, product
from nasdsl.language.signatures.signature import Arguments


@dataclass(frozen=True, slots=True)
class Matrix:
    """rows x columns weights; `columns` are `inputs` * taps.

    inputs: channels that one output reads. groups: blocks of channels that do not see each other.
    uses: how often it is applied for one sample. layered: whether torch keeps it in a module of its own, which
    two factors can take the place of; recurrent layers keep theirs inside. plain: whether it stays as it is, whatever
    the `weight` of its layer. turned: whether each row is what is made of one input; then `inputs` are outputs.
    """

    rows: Dim
    inputs: Dim
    columns: Dim
    uses: Dim = 1
    groups: Dim = 1
    layered: bool = True
    plain: bool = False
    turned: bool = False

    @property
    def short_side(self) -> Dim:
        """min(rows, columns): the highest rank that it can have."""
        low, high = min(lower(self.rows), lower(self.columns)), min(upper(self.rows), upper(self.columns))
        return interval(low, high)

    @property
    def mixes(self) -> bool:
        """Whether outputs read several channels: not so in the depthwise part of a layer."""
        return self.inputs != 1 or self.groups == 1

    def size(self) -> int:
        """Its scalars; of a decided matrix."""
        return _whole(self.rows) * _whole(self.columns)


MatrixRule: TypeAlias = Callable[[Arguments, tuple[Shape, ...], Shape], tuple[Matrix, ...]]


def _whole(size: Dim) -> int:
    assert isinstance(size, int), size
    return size


def _dense(rows: Dim, inputs: Dim, uses: Dim) -> Matrix:
    return Matrix(rows, inputs, inputs, uses)


def _taps(size: Dim, shape: Shape) -> Dim:
    """Of a window of this length along each spatial axis."""
    return product([size] * len(shape.spatial))


def _places(shape: Shape) -> Dim:
    """How many places a layer over channels is applied to."""
    return product(shape.dims[:-1]) if shape.layout in ("vector", "tokens") else product(shape.spatial)


def _linear(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    return (_dense(dim(args["width"]), inputs[0].channels, _places(inputs[0])),)


def _mlp(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    width, hidden, uses = inputs[0].channels, dim(args["hidden"]), _places(inputs[0])
    return _dense(hidden, width, uses), _dense(width, hidden, uses)


def _conv(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    groups = dim(args["groups"])
    read = inputs[0].channels // groups
    return (_kernel(output.channels, read, groups, dim(args["kernel"]), output),)


def _depthwise(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    return (_kernel(output.channels, 1, inputs[0].channels, dim(args["kernel"]), output),)


def _separable(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    channels = inputs[0].channels
    depthwise = _kernel(channels, 1, channels, dim(args["kernel"]), output)
    return depthwise, _dense(output.channels, channels, _places(output))


def _factorized(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    channels, filters, kernel = inputs[0].channels, output.channels, dim(args["kernel"])
    between = inputs[0].spatial[0] * output.spatial[1]
    across = Matrix(filters, channels, channels * kernel, between)
    return across, Matrix(filters, filters, filters * kernel, _places(output))


def _transposed(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    kernel = _kernel(inputs[0].channels, output.channels, 1, dim(args["kernel"]), inputs[0])
    return (replace(kernel, turned=True),)


def _kernel(rows: Dim, inputs: Dim, groups: Dim, size: Dim, output: Shape) -> Matrix:
    return Matrix(rows, inputs, inputs * _taps(size, output), _places(output), groups)


def _attention(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    tokens, width = inputs[0].dims
    queries, keys = head_widths(args, width)
    meant = name(args["weight_on"])
    query, key, value, out = (
        replace(_dense(rows, columns, tokens), plain=letter not in meant)
        for letter, rows, columns in (
            ("q", queries, width),
            ("k", keys, width),
            ("v", keys, width),
            ("o", width, queries),
        )
    )
    return query, key, value, out


def _swiglu(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    width, hidden, uses = inputs[0].channels, dim(args["hidden"]), _places(inputs[0])
    up = _dense(hidden, width, uses)
    return up, up, _dense(width, hidden, uses)


def _patch_embed(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    channels = inputs[0].channels
    taps = _taps(dim(args["patch"]), inputs[0])
    return (Matrix(dim(args["width"]), channels, channels * taps, output.dims[0]),)


def _squeezed(channels: Dim, reduction: Dim) -> Dim:
    narrow = channels // reduction
    return interval(max(1, lower(narrow)), max(1, upper(narrow)))


def _squeeze_excite(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    return _gates(output.channels, _squeezed(output.channels, dim(args["reduction"])))


def _gates(channels: Dim, hidden: Dim) -> tuple[Matrix, ...]:
    return _dense(hidden, channels, 1), _dense(channels, hidden, 1)


def _inverted_bottleneck(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    channels, expand = inputs[0].channels, dim(args["expand"])
    hidden = channels * expand
    first = () if expand == 1 else (_dense(hidden, channels, _places(inputs[0])),)
    low, high = (squeezed_in_bottleneck(args, end(channels), end(hidden)) for end in (lower, upper))
    gates = _gates(hidden, interval(low, high)) if flag(args["squeeze_excite"]) else ()
    depthwise = _kernel(hidden, 1, hidden, dim(args["kernel"]), output)
    return *first, depthwise, *gates, _dense(output.channels, hidden, _places(output))


def _recurrent(gates: int, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    width, directions = dim(args["width"]), 2 if flag(args["bidirectional"]) else 1
    length = inputs[0].dims[1] if inputs[0].layout == "sequence" else inputs[0].dims[0]
    found: list[Matrix] = []
    read = inputs[0].channels
    for _ in range(lower(dim(args["layers"]))):
        for columns in (read, width) * directions:
            found.append(Matrix(gates * width, columns, columns, length, layered=False))
        read = directions * width
    return tuple(found)


def _project(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[Matrix, ...]:
    return (_dense(output.channels, inputs[0].channels, _places(output)),)


MATRICES: Mapping[str, MatrixRule] = MappingProxyType(
    {
        "linear": _linear,
        "mlp": _mlp,
        **{f"conv{axes}d": _conv for axes in (1, 2, 3)},
        **{f"depthwise_conv{axes}d": _depthwise for axes in (1, 2, 3)},
        **{f"separable_conv{axes}d": _separable for axes in (1, 2, 3)},
        "factorized_conv2d": _factorized,
        **{f"conv{axes}d_transpose": _transposed for axes in (1, 2, 3)},
        "attention": _attention,
        "swiglu": _swiglu,
        "patch_embed": _patch_embed,
        "squeeze_excite": _squeeze_excite,
        "inverted_bottleneck": _inverted_bottleneck,
        "rnn": partial(_recurrent, 1),
        "gru": partial(_recurrent, 3),
        "lstm": partial(_recurrent, 4),
        "project": _project,
    }
)
