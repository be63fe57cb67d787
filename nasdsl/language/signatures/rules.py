"""What the shape and cost rules of layers share: typed access to arguments, and common demands.

Every demand is three-valued. Where it "depends" (a whole space is checked), `need` only takes note,
and the rule goes on as if it held: the returned Dim is narrowed to the part that fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import (
    INFINITE,
    Dim,
    Interval,
    Shape,
    at_least,
    divides,
    interval,
    lower,
    same,
    upper,
)
from nasdsl.language.signatures.signature import Argument, Need, call_of

WEIGHT = Argument(
    "weight",
    call_of("weight"),
    "how the weights of this layer are parametrised",
    Spec("plain"),
)


def dim(value: Value) -> Dim:
    """An integer argument: an int when decided, an Interval while a whole space is checked."""
    assert isinstance(value, (int, Interval)) and not isinstance(value, bool), value
    return value


def whole(value: Value) -> int:
    """A decided integer argument."""
    assert isinstance(value, int) and not isinstance(value, bool), value
    return value


def flag(value: Value) -> bool:
    """A yes / no argument."""
    assert isinstance(value, bool), value
    return value


def name(value: Value) -> str:
    """An argument that is one of several names."""
    assert isinstance(value, str), value
    return value


def clamp_low(value: Dim, low: int) -> Dim:
    """The part of `value` that is at least `low`; `low` itself where there is none."""
    return interval(max(lower(value), low), max(upper(value), low))


def ceil_share(size: Dim, parts: Dim) -> Dim:
    """ceil(size / parts) for positive parts, with the tightest ends."""
    return interval(-(-lower(size) // upper(parts)), -(-upper(size) // lower(parts)))


def product(dims: Sequence[Dim]) -> Dim:
    """The product of non-negative dims; 1 of none."""
    return interval(prod(map(lower, dims)), min(INFINITE, prod(map(upper, dims))))


def common(a: Dim, b: Dim) -> Dim:
    """The values that both may have, where they are known to be equal."""
    return interval(max(lower(a), lower(b)), min(upper(a), upper(b)))


def need_layout(shape: Shape, layouts: tuple[str, ...], op: str, help: str, need: Need) -> None:
    """The input must have one of these layouts."""
    takes = " or ".join(with_article(layout) for layout in layouts)
    need(shape.layout in layouts, f"`{op}` takes {takes}, and gets {with_article(str(shape))}", help)


def need_fit(size: Dim, window: Dim, op: str, shape: Shape, need: Need) -> Dim:
    """A window must fit into an axis; the sizes at which it does."""
    need(
        at_least(size, window),
        f"a window of {window} does not fit the {shape} that `{op}` gets",
        "use `padding = same`, a smaller window, or fewer layers that shrink the map before it",
    )
    return clamp_low(size, lower(window))


def need_divides(parts: Dim, total: Dim, what: str, need: Need) -> None:
    """`parts` must divide `total`, e.g. groups the channels."""
    need(
        divides(parts, total),
        f"{what}: {parts} does not divide {total}",
        "choose a divisor of it, or a width that is a multiple",
    )


def need_equal(
    shapes: tuple[Shape, ...],
    op: str,
    need: Need,
    clash: Callable[[str, Shape, Shape], tuple[str, str]] | None = None,
) -> Shape:
    """All inputs must have one shape; the shape that they can share. `clash` says in words that two do not."""
    clash = clash or _clash
    first = shapes[0]
    for other in shapes[1:]:
        alike = first.layout == other.layout and len(first.dims) == len(other.dims)
        need(alike, *clash(op, first, other))
        for a, b in zip(first.dims, other.dims, strict=True):
            need(same(a, b), *clash(op, first, other))
        dims = tuple(common(a, b) for a, b in zip(first.dims, other.dims, strict=True))
        first = Shape(dims, first.layout)
    return first


def channels_of(shape: Shape) -> int:
    """The channels of a concrete shape."""
    assert isinstance(shape.channels, int), shape
    return shape.channels


def spatial_sizes(shape: Shape) -> tuple[int, ...]:
    """The spatial axes of a concrete shape."""
    return Shape(shape.spatial, shape.layout).sizes()


def with_channels(shape: Shape, channels: Dim) -> Shape:
    """The same shape with another number of channels, features, or width of tokens."""
    if shape.layout in ("vector", "tokens"):
        return Shape((*shape.dims[:-1], channels), shape.layout)
    return Shape((channels, *shape.dims[1:]), shape.layout)


def positions(shape: Shape) -> int:
    """How many places of a concrete shape a layer over its channels is applied to."""
    return prod(shape.sizes()[:-1]) if shape.layout in ("vector", "tokens") else prod(spatial_sizes(shape))


def with_article(layout: str) -> str:
    """ "an image", "a vector (6)", "tokens"."""
    if layout.startswith("tokens"):
        return layout
    return f"an {layout}" if layout[0] in "aeiou" else f"a {layout}"


def _clash(op: str, a: Shape, b: Shape) -> tuple[str, str]:
    """What `concat` would take differs in channels alone."""
    fits = a.layout == b.layout and with_channels(a, 1) == with_channels(b, 1)
    return (
        f"`{op}` needs inputs of one shape, and gets {with_article(str(a))} and {with_article(str(b))}",
        "bring them to one shape first, e.g. with `project`"
        + (", or join them with `concat`" if fits else ""),
    )


def unjoinable(op: str, a: Shape, b: Shape) -> tuple[str, str]:
    """What joins channels, and gets sizes or layouts that differ."""
    if a.layout != b.layout:
        message = f"`{op}` joins channels, and gets {with_article(a.layout)} and {with_article(b.layout)}"
        return message, "bring them to one layout first, e.g. by `flatten` or `global_avg_pool`"
    if not a.spatial:
        message = f"`{op}` joins tokens of one number, and gets {a.dims[0]} and {b.dims[0]}"
        return message, "bring them to as many tokens first"
    sizes = [" x ".join(str(size) for size in shape.spatial) for shape in (a, b)]
    return (
        f"`{op}` joins channels, and the sizes differ: {sizes[0]} against {sizes[1]}",
        "halving an odd size and doubling it again loses one: give sizes that can be divided by 2 once for each level"
        " (by 8 for three), or bring one to the other's, e.g. with `project`",
    )
