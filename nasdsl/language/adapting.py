"""How the input of a residual is brought to the shape of its body's output: visibly, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape, same
from nasdsl.language.signatures.signature import Need
from nasdsl.language.signatures.table import LAYERS
from nasdsl.language.signatures.wiring import adaptation


def same_shape(a: Shape, b: Shape) -> bool | None:
    """Whether two shapes are equal: True, False, or None where it depends on the point."""
    if a.layout != b.layout or len(a.dims) != len(b.dims):
        return False
    verdicts = [same(x, y) for x, y in zip(a.dims, b.dims, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


_DOES = {"residual": "adds", "cell": "fits what the cell before it got,"}


def adapt(
    shortcut: str, source: Shape, target: Shape, need: Need, op: str = "residual"
) -> tuple[str, Mapping[str, Value]]:
    """The operation, and its arguments, that turn `source` into `target`. Raises ShapeError."""
    need(
        shortcut != "error" and source.layout == target.layout,
        f"`{op}` {_DOES[op]} {source} to {target}",
        f"keep the shape, or write `{op}(shortcut = project)`",
    )
    row = LAYERS[shortcut]
    arguments = {a.name: a.default for a in row.arguments} | dict(adaptation(target))
    assert row.shape is not None
    row.shape(arguments, (source,), need)
    return shortcut, arguments
