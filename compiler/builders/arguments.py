"""Typed access to decided arguments and concrete shapes, for recipe rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from compiler.builders.recipe import Recipe
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.rules import channels_of, flag, name, spatial_sizes, whole

RecipeRule: TypeAlias = Callable[[Mapping[str, Value], tuple[Shape, ...], Shape], Recipe]

__all__ = ["RecipeRule", "call", "channels_of", "flag", "name", "number", "spatial_sizes", "whole"]


def number(value: Value) -> float:
    """A decided real argument."""
    assert isinstance(value, (int, float)) and not isinstance(value, bool), value
    return float(value)


def call(value: Value) -> Spec:
    """A decided call that is a value, e.g. an activation."""
    assert isinstance(value, Spec), value
    return value
