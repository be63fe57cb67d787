"""Shapes without a batch axis, concrete or as intervals, and the arithmetic that rules use.

A dimension is an `int` when known and an `Interval` when it ranges over a whole space, so that
one shape rule serves the checker (intervals) and the plan (integers).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

INFINITE = 1 << 62  # an unknown upper end, e.g. the columns of a table not yet read


@dataclass(frozen=True, slots=True)
class Interval:
    """All integers from `low` to `high`, ends included; low < high (else it is an int)."""

    low: int
    high: int

    def __add__(self, other: Dim) -> Dim:
        return interval(self.low + lower(other), self.high + upper(other))

    __radd__ = __add__

    def __sub__(self, other: Dim) -> Dim:
        return interval(self.low - upper(other), self.high - lower(other))

    def __rsub__(self, other: Dim) -> Dim:
        return interval(lower(other) - self.high, upper(other) - self.low)

    def __mul__(self, other: Dim) -> Dim:
        ends = [a * b for a in (self.low, self.high) for b in (lower(other), upper(other))]
        return interval(min(ends), max(ends))

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        """By positive divisors only."""
        ends = [a // b for a in (self.low, self.high) for b in (lower(other), upper(other))]
        return interval(min(ends), max(ends))

    def __rfloordiv__(self, other: int) -> Dim:
        return interval(other // self.high, other // self.low)

    def __str__(self) -> str:
        return f"{self.low}..{'?' if self.high >= INFINITE else self.high}"


Dim: TypeAlias = int | Interval
Columns: TypeAlias = tuple[tuple[str, int], ...]


def interval(low: int, high: int) -> Dim:
    """The integers low..high as the simplest Dim."""
    high = min(high, INFINITE)
    low = min(low, INFINITE)
    return low if low == high else Interval(low, high)


def lower(dim: Dim) -> int:
    return dim if isinstance(dim, int) else dim.low


def upper(dim: Dim) -> int:
    return dim if isinstance(dim, int) else dim.high


def hull(a: Dim, b: Dim) -> Dim:
    """The smallest Dim that holds both."""
    return interval(min(lower(a), lower(b)), max(upper(a), upper(b)))


def ceil_div(a: Dim, b: Dim) -> Dim:
    """ceil(a / b) for positive b."""
    return (a + b - 1) // b


def at_least(a: Dim, b: Dim) -> bool | None:
    """a >= b: True, False, or None where it depends on the point."""
    if lower(a) >= upper(b):
        return True
    return False if upper(a) < lower(b) else None


def same(a: Dim, b: Dim) -> bool | None:
    """a == b: True, False, or None where it depends on the point."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    return False if upper(a) < lower(b) or upper(b) < lower(a) else None


def divides(b: Dim, a: Dim) -> bool | None:
    """Whether b divides a: True, False, or None where it depends on the point."""
    if isinstance(a, int) and isinstance(b, int):
        return a % b == 0
    return True if b == 1 else None


# What the axes mean. Channels come first; tokens are (count, width).
LAYOUTS = {
    "vector": ("features",),
    "sequence": ("channels", "length"),
    "image": ("channels", "height", "width"),
    "volume": ("channels", "depth", "height", "width"),
    "tokens": ("tokens", "width"),
    "index": ("length",),  # integer symbols, before an embedding
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one sample, without the batch axis, and what its axes mean.

    symbols: of an index, how many there are: its numbers are 0 to symbols - 1. A byte has 256.
    columns: of a table with texts, by name: how many features each takes, one for each of its texts, 1 for numbers.
    """

    dims: tuple[Dim, ...]
    layout: str
    symbols: int = 256
    columns: Columns = ()

    @classmethod
    def restored(cls, dims: Sequence[int], layout: str, columns: Sequence[tuple[str, int]] = ()) -> Shape:
        """From what `stored` gave, through JSON."""
        return cls(tuple(dims), layout, columns=tuple((name, size) for name, size in columns))

    def stored(self) -> list[object]:
        """A concrete shape as lists and plain values."""
        plain: list[object] = [list(self.sizes()), self.layout]
        return [*plain, [list(column) for column in self.columns]] if self.columns else plain

    @property
    def texts(self) -> Columns:
        """The columns of texts."""
        return tuple((name, size) for name, size in self.columns if size > 1)

    @property
    def channels(self) -> Dim:
        """The axis that layers mix: channels, features, or the width of tokens."""
        return self.dims[-1] if self.layout in ("tokens", "vector") else self.dims[0]

    @property
    def spatial(self) -> tuple[Dim, ...]:
        """The axes that a convolution slides over; () for a vector."""
        return () if self.layout in ("vector", "tokens", "index") else self.dims[1:]

    @property
    def concrete(self) -> bool:
        return all(isinstance(d, int) for d in self.dims)

    def sizes(self) -> tuple[int, ...]:
        """The dims of a concrete shape."""
        assert self.concrete, self
        return tuple(d for d in self.dims if isinstance(d, int))

    def numel(self) -> Dim:
        product: Dim = 1
        for d in self.dims:
            product = product * d
        return product

    def __str__(self) -> str:
        inner = ", ".join(str(d) for d in self.dims)
        return f"{self.layout} ({inner})"


def vector(features: Dim) -> Shape:
    return Shape((features,), "vector")


LAYOUTS_BY_AXES = ("vector", "sequence", "image", "volume")


def shape_of(dims: tuple[int, ...]) -> Shape:
    """The layout that the number of axes implies: 1 vector, 2 sequence, 3 image, 4 volume."""
    return Shape(dims, LAYOUTS_BY_AXES[len(dims) - 1])


def hull_shape(a: Shape, b: Shape) -> Shape | None:
    """The smallest shape holding both, or None where their axes differ in meaning."""
    if a.layout != b.layout or len(a.dims) != len(b.dims):
        return None
    if a == b:
        return a
    dims = tuple(hull(x, y) for x, y in zip(a.dims, b.dims, strict=True))
    return Shape(dims, a.layout, max(a.symbols, b.symbols))


def is_whole(x: float) -> bool:
    return math.isfinite(x) and x == int(x)
