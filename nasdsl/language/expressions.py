"""Arithmetic and comparison on values, and folding of what is constant."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nasdsl.language.laws import is_law, times
from nasdsl.language.network import Value
from nasdsl.language.tree import Constant, Operation

_LARGEST_EXPONENT = 4096  # keeps `2^10^9` from filling the memory
_LARGEST_BITS = 1_000  # some 300 digits: every whole number still compares with real ones


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and abs(exponent) > _LARGEST_EXPONENT:
        raise ValueError(f"exponent {exponent} is above the limit of {_LARGEST_EXPONENT}")
    if isinstance(base, int) and base.bit_length() * abs(exponent) > _LARGEST_BITS:
        raise ValueError("the power is too large")
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("the root of a negative number")
    return result


def _divide(a: Any, b: Any) -> Any:
    """`/` gives a real, `//` a whole number."""
    return a / b


def _round(a: Any) -> int:
    """Half away from zero, as people expect."""
    return int(math.floor(a + 0.5) if a >= 0 else -math.floor(0.5 - a))


def _numbers(function: Callable[..., Any]) -> Callable[..., Value]:
    def checked(*operands: Any) -> Value:
        for operand in operands:
            if isinstance(operand, bool) or not isinstance(operand, int | float):
                raise TypeError(f"{_plain(operand)!r} is not a number")
        result = function(*operands)
        if isinstance(result, float) and not math.isfinite(result):
            raise OverflowError("the result is not finite")
        if isinstance(result, int) and result.bit_length() > _LARGEST_BITS:
            raise OverflowError("the result is too large")
        return result  # type: ignore[no-any-return]

    return checked


def _times(a: Any, b: Any) -> Value:
    """Of numbers, or a multiple of a law."""
    if is_law(a) or is_law(b):
        return times(a, b) if is_law(a) else times(b, a)
    return _numbers(operator.mul)(a, b)


def _over(a: Any, b: Any) -> Value:
    if is_law(a) and isinstance(b, int | float):
        return times(a, 1 / b)
    return _numbers(_divide)(a, b)


def _plain(value: Any) -> Any:
    """What a value is compared by: a call by its name."""
    return getattr(value, "name", value)


OPERATORS: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "+": _numbers(operator.add),
        "-": _numbers(operator.sub),
        "*": _times,
        "/": _over,
        "//": _numbers(operator.floordiv),
        "^": _numbers(_power),
        "<": _numbers(operator.lt),
        "<=": _numbers(operator.le),
        ">": _numbers(operator.gt),
        ">=": _numbers(operator.ge),
        "==": lambda a, b: _plain(a) == _plain(b),
        "!=": lambda a, b: _plain(a) != _plain(b),
        "and": lambda a, b: bool(a) and bool(b),
        "or": lambda a, b: bool(a) or bool(b),
        "unary -": _numbers(operator.neg),
        "unary +": _numbers(operator.pos),
        "unary not": lambda a: not a,
    }
)
FUNCTIONS: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "min": _numbers(min),
        "max": _numbers(max),
        "mod": _numbers(operator.mod),
        "round": _numbers(_round),
    }
)


def fold(term: Operation) -> Constant | Exception | None:
    """The constant that an operation on constants is; where it has no value, why."""
    if not all(type(operand) is Constant for operand in term.operands):
        return None
    values = [operand.value for operand in term.operands if type(operand) is Constant]
    try:
        return Constant(term.function(*values), span=term.span)
    except (ArithmeticError, ValueError, TypeError) as error:
        return error
