"""What is known of values before anything is decided: all that they can be, long ranges by their ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias

from nasdsl.language.decisions import Integers, Options
from nasdsl.language.errors import Span
from nasdsl.language.kinds import suits
from nasdsl.language.network import Value
from nasdsl.language.scope import Problems
from nasdsl.language.shapes import INFINITE, Shape, hull, interval, lower, upper
from nasdsl.language.signatures.signature import Argument, ShapeError
from nasdsl.language.tree import (
    Cell,
    ChoiceHole,
    Constant,
    Make,
    Operation,
    OptionalHole,
    Outer,
    Quantity,
    RangeHole,
    ValueTerm,
    Whether,
)

# All shapes that a wire can have: at most one (as intervals) for each meaning of the axes.
Wires: TypeAlias = Mapping[str, Shape]
COMBINATIONS = 64  # combinations of values followed one by one


@dataclass(frozen=True)
class Range:
    """A number between two ends, or any number."""

    low: float
    high: float


@dataclass(frozen=True)
class Called:
    """A call, of which only the name is known."""

    name: str


@dataclass
class Copies:
    """What the operations of a shared repeat got in its first copy, those of its own frame alone."""

    apart: frozenset[str]
    depth: int
    first: dict[int, Wires] = field(default_factory=dict)


MAX_STEPS = 20_000  # statements and combinations gone through in one survey: about half a second


class OutOfReach(Exception):
    """A survey has taken all the steps it may."""


Diagnosed = tuple[str, Span, list[str]]  # a message, its place, the help


@dataclass
class Survey:
    """The findings: whether a point can fail, and the trail of shapes for messages."""

    problems: Problems
    quantities: Mapping[str, Value]
    inputs: Mapping[str, Wires] = field(default_factory=dict)  # of the network
    before: Wires = field(default_factory=dict)  # what any cell so far may have had as its input
    can_fail: bool = False
    trail: list[tuple[Span, str, str]] = field(default_factory=list)
    parameters: list[dict[int, list[Any]]] = field(default_factory=list)
    cells: list[dict[int, Wires]] = field(default_factory=list)
    reported: set[object] = field(default_factory=set)
    decided: int = 0  # how many branches stand around that a decision takes
    fitted: set[object] = field(default_factory=set)  # operations that fit somewhere
    doubtful: dict[object, Diagnosed] = field(default_factory=dict)  # those that did not, on decided branches
    uses: dict[Any, Wires] = field(default_factory=dict)  # what came out of blocks met before
    uncertain: int = 0  # how many bodies stand around that need not run, or not in this place
    sharing: list[Copies] = field(default_factory=list)  # the shared repeats around
    steps: int = 0

    def step(self) -> None:
        """One more statement, or combination of values: nested repeats and blocks can make them very many."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise OutOfReach

    def need(self, condition: bool | None, message: str, help: str) -> None:
        """What a shape rule states: refused where it can never hold, noted where it may not."""
        if condition is False:
            raise ShapeError(message, help)
        self.can_fail = self.can_fail or condition is None


def shape_values(v: Survey, term: ValueTerm, wanted: Argument) -> list[Any]:
    """The values of an argument that matters for shapes, as a rule takes them."""
    values = values_of(v, term)
    if not values:
        v.can_fail = True
        if wanted.kind.type in ("int", "numbers"):
            return [interval(int(wanted.kind.low or 1), INFINITE)]
        return [wanted.default]
    if wanted.kind.type in ("int", "numbers"):
        numbers = [n for n in values if not isinstance(n, bool)]
        whole = [_as_dim(n) for n in numbers if n is not None and not _is_fraction(n)]
        v.can_fail = v.can_fail or any(_is_fraction(n) for n in numbers)
        none = [None] if None in values and not wanted.required else []
        if not whole and not none and wanted.required:
            # No value fits, which the walk finds; what follows is looked at all the same.
            return [interval(int(wanted.kind.low or 1), INFINITE)]
        if not whole:
            return none or [wanted.default]
        joined = whole[0]
        for n in whole[1:]:
            joined = hull(joined, n)
        if wanted.kind.low is not None and lower(joined) < wanted.kind.low:
            v.can_fail = True
            joined = interval(int(wanted.kind.low), max(int(wanted.kind.low), upper(joined)))
        return [joined, *none]
    if wanted.kind.type in ("name", "bool"):  # what else a block is given is refused where it is looked at
        fitting = [one for one in values if one is None or suits(one, wanted.kind)]
        v.can_fail = v.can_fail or len(fitting) < len(values)
        return fitting or [wanted.default]
    return values


def _is_fraction(n: Any) -> bool:
    """Whether a number can stand for no whole one: the points with it are pruned."""
    return isinstance(n, float) and not n.is_integer()


def _as_dim(n: Any) -> Any:
    if isinstance(n, Range):
        return interval(int(n.low), int(min(n.high, INFINITE)))
    return n if not isinstance(n, float) else int(n)


def low_of(n: Any) -> float:
    return float(n.low) if isinstance(n, Range) else n.low if hasattr(n, "low") else n


def high_of(n: Any) -> float:
    return float(n.high) if isinstance(n, Range) else n.high if hasattr(n, "high") else n


def values_of(v: Survey, term: ValueTerm) -> list[Any]:
    """All values a term can have, numbers in between left out; []: not known, or calls."""
    found = values_or_calls(v, term)
    return [] if any(isinstance(one, Called) for one in found) else found


def values_or_calls(v: Survey, term: ValueTerm) -> list[Any]:
    """The same, where calls stand for themselves (`Called`)."""
    match term:
        case Constant(value=value):
            return [value]
        case Cell(slot=slot):
            return v.parameters[-1].get(slot, [])
        case Outer(inner=inner):
            return values_or_calls(v, inner)
        case Quantity(name=name):
            return [v.quantities[name]]
        case RangeHole(domain=domain):
            if isinstance(domain, Integers):
                return [interval(domain.low, domain.high)]
            if isinstance(domain, Options):
                return list(domain.values)
            return [Range(domain.low, domain.high)] if domain is not None else []
        case ChoiceHole(options=options):
            return _together(v, list(options.values()))
        case OptionalHole(inner=inner):
            return [None, *values_or_calls(v, inner)]
        case Make(signature=signature):
            return [Called(signature.name)]
        case Whether(value=inner, name=name):
            found = values_or_calls(v, inner)
            return list(dict.fromkeys(one == Called(name) for one in found))
        case Operation(name=name, operands=operands):
            return _worked_out(v, name, term, operands)
        case _:
            return []


def _together(v: Survey, options: list[ValueTerm]) -> list[Any]:
    several = [values_or_calls(v, option) for option in options]
    if any(not values for values in several):
        return []
    return list(dict.fromkeys(value for values in several for value in values))


_MONOTONE = frozenset({"<", "<=", ">", ">="})


def _worked_out(v: Survey, name: str, term: Operation, operands: tuple[ValueTerm, ...]) -> list[Any]:
    """The value of an expression at the ends of its operands; exact for monotone operators."""
    several = [_ends(values_of(v, operand)) for operand in operands]
    if any(not ends for ends in several) or product_size(several) > COMBINATIONS:
        return []
    results: list[Any] = []
    for combination in product(*several):
        try:
            results.append(term.function(*combination))
        except (ArithmeticError, ValueError, TypeError):
            v.can_fail = True
    if results and all(isinstance(r, bool) for r in results):
        exact = all(not hasattr(value, "low") for operand in operands for value in values_of(v, operand))
        agreed = name in _MONOTONE and len(set(results)) == 1  # at both ends, so everywhere between
        return list(dict.fromkeys(results)) if exact or agreed else []
    if not results or any(isinstance(r, bool) or not isinstance(r, int | float) for r in results):
        return []
    between = any(hasattr(value, "low") for operand in operands for value in values_of(v, operand))
    if any(isinstance(r, float) for r in results) and not between:
        return list(dict.fromkeys(results))
    if name == "mod":
        return []
    low, high = min(results), max(results)
    return [interval(low, high) if isinstance(low, int) and isinstance(high, int) else Range(low, high)]


def _ends(values: list[Any]) -> list[Any]:
    ends: list[Any] = []
    for value in values:
        ends += [low_of(value), high_of(value)] if hasattr(value, "low") else [value]
    return list(dict.fromkeys(ends))


def product_size(choices: list[list[Any]]) -> int:
    count = 1
    for options in choices:
        count *= len(options)
    return count
