"""What a method needs of the task, refused in words where it is not so."""

from __future__ import annotations

from nasdsl.training.errors import DataError
from nasdsl.training.protocols import Setup


def need_classes(setup: Setup, name: str) -> None:
    """Raises DataError for a task that does not tell classes apart, one a sample."""
    if setup.kind != "classification":
        raise DataError(
            f"`{name}` is for classes, and this is a {setup.kind} task", help=f"leave `{name}` out"
        )


def need_numbers(setup: Setup, name: str) -> None:
    """Raises DataError where inputs are symbols."""
    if any(shape.layout == "index" for shape in setup.data.shapes.values()):
        raise DataError(f"`{name}` changes numbers, and the inputs are symbols", help=f"leave `{name}` out")


def need_maps(setup: Setup, name: str) -> None:
    """Raises DataError where an input has no axis of positions."""
    for shape in setup.data.shapes.values():
        if shape.layout not in ("sequence", "image", "volume"):
            message = f"`{name}` cuts out positions, and the inputs are {shape}"
            raise DataError(message, help=f"leave `{name}` out; it is for images and sequences")
