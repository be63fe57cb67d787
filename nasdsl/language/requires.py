"""`require`: what must hold, over decisions and the quantities that are known before training.

A name stands for the answers of all decisions of that name in a point (one per copy of a repeat);
a comparison holds when it holds for each of them, and where none is active.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from nasdsl.language import syntax as s
from nasdsl.language.decisions import Answer
from nasdsl.language.expressions import FUNCTIONS, OPERATORS
from nasdsl.language.point import Point
from nasdsl.language.quantities import ADDITIVE, QUANTITIES
from nasdsl.language.scope import Checker

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {"all": all, "max": max, "min": min, "sum": sum}


@dataclass(frozen=True)
class Limit:
    """`params <= 500k`: a bound on one quantity, which prunes while a point is being decided."""

    quantity: str
    limit: float
    upper: bool

    def allows(self, total: int) -> bool:
        """Whether a total of the quantity holds the limit."""
        return total <= self.limit if self.upper else total >= self.limit


@dataclass(frozen=True)
class Requirement:
    """One `require` line."""

    condition: s.Value
    limits: tuple[Limit, ...]
    is_bounded: bool  # the limits are all that the line says

    def holds(self, point: Point, quantities: Mapping[str, int]) -> bool:
        """Whether a finished point satisfies the line."""
        return all(bool(v) for v in _values(self.condition, point, quantities))


def _values(node: s.Value, point: Point, known: Mapping[str, int]) -> list[Any]:
    """All values an expression has in a point: one for each combination of active copies."""
    match node:
        case s.Number(value=value) | s.String(value=value):
            return [value]
        case s.Name(id=name):
            return [known[name]] if name in known else _answers(name, point)
        case s.Attribute():
            return _answers(_dotted(node), point)
        case s.Unary(operator=operator, operand=operand):
            return [OPERATORS[f"unary {operator}"](v) for v in _values(operand, point, known)]
        case s.Binary(operator=operator, left=left, right=right):
            return _binary(operator, _values(left, point, known), _values(right, point, known))
        case s.Call(name=name, arguments=arguments):
            return _call(name, [_values(a.value, point, known) for a in arguments])
        case _:
            return []


def _binary(operator: str, left: list[Any], right: list[Any]) -> list[Any]:
    pairs = [OPERATORS[operator](a, b) for a, b in product(left, right)]
    if operator in _COMPARISONS:
        return [all(pairs)]
    return pairs


def _call(name: str, operands: list[list[Any]]) -> list[Any]:
    if name in _AGGREGATES and len(operands) == 1:
        values = operands[0]
        return [_AGGREGATES[name](values)] if values or name == "all" else []
    return [FUNCTIONS[name](*combination) for combination in product(*operands)]


def _answers(name: str, point: Point) -> list[Answer]:
    """`width`: of every decision with that last name; `conv.width`: of those inside a `conv`."""
    *owners, last = name.split(".")
    found = []
    for path, answer in point.items():
        segments = [segment.split("[")[0].split("#")[0] for segment in path.split("/")]
        if segments[-1] == last and all(owner in segments[:-1] for owner in owners):
            found.append(answer)
    return found


def _dotted(node: s.Attribute) -> str:
    owner = node.owner
    inner = (
        owner.id if isinstance(owner, s.Name) else _dotted(owner) if isinstance(owner, s.Attribute) else ""
    )
    return f"{inner}.{node.name}"


# --- checking -------------------------------------------------------------------------------


def requirement(c: Checker, node: s.Require) -> Requirement | None:
    """Check one `require` line, once all decisions of the file are known by name."""
    before = len(c.problems.errors)
    _check(c, node.condition, c.decisions)
    if len(c.problems.errors) > before:
        return None
    limits = tuple(limit for limit in _limits(node.condition) if not _is_shared(c, limit))
    return Requirement(node.condition, limits, len(limits) == _conjuncts(node.condition))


def _check(c: Checker, node: s.Value, decisions: set[str]) -> None:
    match node:
        case s.Number() | s.String():
            return
        case s.Name(id=name):
            if name not in QUANTITIES and name not in decisions:
                message = f"`{name}` is neither a decision of this space nor a quantity"
                c.problems.unknown("unknown-name", message, node.span, name, [*QUANTITIES, *decisions])
        case s.Attribute():
            if _dotted(node).split(".")[-1] not in decisions:
                message = f"no decision is called `{_dotted(node)}`"
                c.problems.unknown("unknown-name", message, node.span, node.name, decisions)
        case s.Unary(operand=operand):
            _check(c, operand, decisions)
        case s.Binary(left=left, right=right):
            _check(c, left, decisions)
            _check(c, right, decisions)
        case s.Call(name=name, arguments=arguments):
            if _is_function(c, node, name):
                for argument in arguments:
                    _check(c, argument.value, decisions)
        case _:
            message = "`require` takes a comparison of decisions and quantities"
            c.problems.error("bad-require", message, node.span, "for example `require params <= 500k`")


def _is_function(c: Checker, node: s.Call, name: str) -> bool:
    if name in _AGGREGATES or name in FUNCTIONS:
        return True
    if name == "latency_ms":
        message = "`latency_ms` is measured, and measured requirements are not part of this version"
        c.problems.error("not-yet", message, node.span)
    else:
        known = [*_AGGREGATES, *FUNCTIONS]
        c.problems.unknown("unknown-name", f"`{name}` is no function of `require`", node.span, name, known)
    return False


def _conjuncts(node: s.Value) -> int:
    if isinstance(node, s.Binary) and node.operator == "and":
        return _conjuncts(node.left) + _conjuncts(node.right)
    return 1


def _is_shared(c: Checker, limit: Limit) -> bool:
    """Whether what is limited does not add up layer by layer: `intrinsic` counts once for many."""
    return c.shares_vectors and limit.quantity in ("params", "trainable_params")


def _limits(node: s.Value) -> list[Limit]:
    """The bounds on single quantities among the parts joined by `and`."""
    if not isinstance(node, s.Binary):
        return []
    if node.operator == "and":
        return [*_limits(node.left), *_limits(node.right)]
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
    left, operator, right = node.left, node.operator, node.right
    if isinstance(left, s.Number) and operator in turned:
        left, operator, right = right, turned[operator], left
    if not (isinstance(left, s.Name) and left.id in ADDITIVE and isinstance(right, s.Number)):
        return []
    if operator not in turned:
        return []
    value = right.value  # quantities are whole numbers
    limit = {"<": math.ceil(value) - 1, ">": math.floor(value) + 1}.get(operator, value)
    return [Limit(left.id, limit, operator in ("<", "<="))]
