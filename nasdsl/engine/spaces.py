"""Spaces from the text stored with a run, bound to the shapes of its data."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from nasdsl.language.check import check
from nasdsl.language.parser import parse
from nasdsl.language.shapes import Shape
from nasdsl.language.space import Space
from nasdsl.language.trusting import look_in


@functools.lru_cache(maxsize=4)
def parse_space(text: str, name: str, trust: bool = False) -> Space:
    """Checked once for each text and process. Raises SpaceError."""
    return Space(check(parse(text, name), trust=trust))


def rebuild(meta: Mapping[str, Any]) -> Space:
    """The space of a run from its meta. Raises SpaceError."""
    look_in(meta.get("uses", {}))
    space = parse_space(meta["space_text"], meta["space_name"])
    data = meta.get("data")
    if data is None:
        return space
    return space.with_task(shapes_from_json(data["inputs"]), data["outputs"])


def shapes_to_json(shapes: Mapping[str, Shape]) -> dict[str, list[Any]]:
    return {name: shape.stored() for name, shape in shapes.items()}


def shapes_from_json(stored: Mapping[str, Any]) -> dict[str, Shape]:
    return {name: Shape.restored(*one) for name, one in stored.items()}
