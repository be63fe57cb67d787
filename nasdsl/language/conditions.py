"""What a `require` line says: a formula of comparisons, and its value.

A name stands for the answers of all decisions of that name in a point. A comparison holds when it
holds for each combination of them, and where none is active. `not` has been pushed down into the
comparisons, so that this is so beneath it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, TypeAlias

from nasdsl.language.decisions import Answer
from nasdsl.language.expressions import OPERATORS
from nasdsl.language.node import Node


class Condition(Node):
    """The base of all parts of a line. They compare by identity."""


class Fixed(Condition):
    value: Any


class Asked(Condition):
    """The answers of the decisions called `name`, below all `owners` where there are any.

    `meaning` has the values of alternatives that are written as a name.
    """

    owners: tuple[str, ...]
    name: str
    meaning: Mapping[Answer, Any]

    def matches(self, segments: tuple[str, ...]) -> bool:
        """Whether a path, as `segments_of` gives it, is that of such a decision."""
        if segments[-1] != self.name:
            return False
        place = 0
        for owner in self.owners:
            if owner not in segments[place:-1]:
                return False
            place = segments.index(owner, place) + 1
        return True


class Known(Condition):
    """A quantity of the whole network: `params`."""

    quantity: str


class Latency(Condition):
    """`latency_ms(device = cpu, batch = 1, threads = 1)`: measured on the untrained network, and true of
    everything until it is."""

    device: str
    batch: int
    threads: int

    @property
    def key(self) -> str:
        """What it is called among quantities."""
        return f"latency_ms(device = {self.device}, batch = {self.batch}, threads = {self.threads})"


class Probed(Condition):
    """`synflow`, `chi`: measured on the untrained network, and true of everything until it is."""

    measure: str

    @property
    def key(self) -> str:
        """What it is called among quantities."""
        return self.measure


class Worked(Condition):
    """`a + b`, `round(a)`."""

    function: Callable[..., Any]
    operands: tuple[Condition, ...]


class Gathered(Condition):
    """`max( )`, `min( )` or `sum( )` over the copies."""

    aggregate: str
    operand: Condition


class Compared(Condition):
    operator: str
    left: Condition
    right: Condition


class All(Condition):
    parts: tuple[Formula, ...]


class Any_(Condition):
    parts: tuple[Formula, ...]


Formula: TypeAlias = Compared | All | Any_
# What is known of the leaves: the values of each Asked, and of each Gathered that is kept as one number.
Found: TypeAlias = Mapping[int, list[Any]]
AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {"max": max, "min": min, "sum": sum}
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_NO_VALUE = float("nan")  # of `1 / 0`: no comparison with it holds


def segments_of(path: str) -> tuple[str, ...]:
    """The names along a path, numbers of copies and of equal siblings left out."""
    return tuple(segment.split("[")[0].split("#")[0] for segment in path.split("/"))


def opposite(formula: Formula) -> Formula:
    """What holds where the formula does not, each comparison still true of what is inactive."""
    match formula:
        case Compared(operator=operator, left=left, right=right):
            return Compared(_OPPOSITE[operator], left, right)
        case All(parts=parts):
            return Any_(tuple(opposite(part) for part in parts))
        case Any_(parts=parts):
            return All(tuple(opposite(part) for part in parts))


def holds(formula: Formula, found: Found, quantities: Mapping[str, float]) -> bool:
    """Whether a formula holds when nothing more will be answered."""
    match formula:
        case All(parts=parts):
            return all(holds(part, found, quantities) for part in parts)
        case Any_(parts=parts):
            return any(holds(part, found, quantities) for part in parts)
        case Compared(operator=operator, left=left, right=right):
            pairs = product(values(left, found, quantities), values(right, found, quantities))
            return all(compare(operator, a, b) for a, b in pairs)


def compare(operator: str, a: Any, b: Any) -> bool:
    """Whether one value stands in a relation to another. Of what is no number only `==` and `!=` say anything."""
    if operator not in ("==", "!=") and not (_is_number(a) and _is_number(b)):
        return True
    return bool(OPERATORS[operator](a, b))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def values(node: Condition, found: Found, quantities: Mapping[str, float]) -> list[Any]:
    """All values an expression has: one for each combination of active copies."""
    if id(node) in found:
        return found[id(node)]
    match node:
        case Fixed(value=value):
            return [value]
        case Known(quantity=name):
            return [quantities[name]] if name in quantities else []
        case Latency() | Probed():
            name = node.key
            return [quantities[name]] if name in quantities else []
        case Worked(function=function, operands=operands):
            several = [values(operand, found, quantities) for operand in operands]
            worked = (_work_out(function, combination) for combination in product(*several))
            return [value for value in worked if value is not None]
        case Gathered(aggregate=aggregate, operand=operand):
            numbers = [v for v in values(operand, found, quantities) if _is_number(v)]
            return [AGGREGATES[aggregate](numbers)] if numbers else []
        case _:
            raise AssertionError(node)


def _work_out(function: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
    """None where an operand is no number."""
    if not all(_is_number(operand) for operand in operands):
        return None
    try:
        return function(*operands)
    except (ArithmeticError, ValueError):
        return _NO_VALUE


def leaves(node: Condition) -> list[Asked]:
    """All names in a formula or expression."""
    match node:
        case Asked():
            return [node]
        case Worked(operands=operands):
            return [leaf for operand in operands for leaf in leaves(operand)]
        case Gathered(operand=operand):
            return leaves(operand)
        case Compared(left=left, right=right):
            return [*leaves(left), *leaves(right)]
        case All(parts=parts) | Any_(parts=parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case _:
            return []


def quantities_in(node: Condition) -> set[str]:
    """All quantities in a formula or expression."""
    match node:
        case Known(quantity=name):
            return {name}
        case Worked(operands=operands):
            return set().union(*(quantities_in(operand) for operand in operands))
        case Gathered(operand=operand):
            return quantities_in(operand)
        case Compared(left=left, right=right):
            return quantities_in(left) | quantities_in(right)
        case All(parts=parts) | Any_(parts=parts):
            return set().union(*(quantities_in(part) for part in parts))
        case _:
            return set()


def found_in(formula: Formula, point: Mapping[str, Answer]) -> Found:
    """The answers of a finished point to the names of a formula."""
    asked = leaves(formula)
    found: dict[int, list[Any]] = {id(leaf): [] for leaf in asked}
    for path, answer in point.items():
        segments = segments_of(path)
        for leaf in asked:
            if leaf.matches(segments):
                found[id(leaf)].append(leaf.meaning.get(answer, answer))
    return found


def measured_in(node: Condition) -> list[Latency | Probed]:
    """All that is measured on the untrained network, in a formula or expression."""
    match node:
        case Latency() | Probed():
            return [node]
        case Worked(operands=operands):
            return [one for operand in operands for one in measured_in(operand)]
        case Gathered(operand=operand):
            return measured_in(operand)
        case Compared(left=left, right=right):
            return [*measured_in(left), *measured_in(right)]
        case All(parts=parts) | Any_(parts=parts):
            return [one for part in parts for one in measured_in(part)]
        case _:
            return []
