"""`require` lines: what must hold of every point, over decisions and quantities."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nasdsl.language import syntax as s
from nasdsl.language.conditions import (
    All,
    Compared,
    Fixed,
    Formula,
    Known,
    Latency,
    Probed,
    found_in,
    holds,
    leaves,
    measured_in,
    quantities_in,
)
from nasdsl.language.decisions import Answer
from nasdsl.language.formulas import Reader
from nasdsl.language.quantities import BOUNDED
from nasdsl.language.scope import Problems
from nasdsl.language.vocabulary import Vocabulary

# When a line is known to hold: as a point is decided, when it is finished, by measuring, or once the data are read.
Proof: TypeAlias = Literal["proved", "bounded", "finished", "measured", "open"]


@dataclass(frozen=True)
class Limit:
    """`params <= 500k`: a bound on one quantity, which prunes while a point is being decided."""

    quantity: str
    limit: float
    upper: bool

    def allows(self, total: int) -> bool:
        """Whether a total of the quantity holds the limit."""
        return total <= self.limit if self.upper else total >= self.limit

    def __str__(self) -> str:
        return f"{self.quantity} {'<=' if self.upper else '>='} {self.limit:,g}"


@dataclass(frozen=True)
class Requirement:
    """One `require` line. `limits` are bounds that every point must hold; `rest` is what else the line
    says. `growing` says of each name whether all its numbers are 0 or more. `memory` are those bounds in the rest
    that limit `train_memory` from above, of which a walk knows the least that there will be."""

    condition: s.Value
    formula: Formula
    limits: tuple[Limit, ...]
    rest: tuple[Formula, ...]
    growing: Mapping[str, bool]
    memory: tuple[Limit, ...] = ()

    def holds(self, point: Mapping[str, Answer], quantities: Mapping[str, float]) -> bool:
        """Whether a finished point satisfies the line."""
        return holds(self.formula, found_in(self.formula, point), quantities)

    @property
    def measured(self) -> Sequence[Latency | Probed]:
        """What the line measures on the untrained network."""
        return measured_in(self.formula)

    @property
    def needs_quantities(self) -> bool:
        """Whether part of the line is only known of a finished network."""
        return any(quantities_in(part) for part in self.rest)

    def settled(self, is_concrete: bool) -> Proof:
        """When it is known that a point holds all of the line. `is_concrete`: the shapes of the data, and
        with them what networks cost, are known."""
        if self.measured:
            return "measured"
        if not is_concrete and (self.limits or self.needs_quantities):
            return "open"
        if not self.needs_quantities:
            return "proved"
        return "bounded" if self.memory else "finished"


def requirements_of(
    problems: Problems,
    items: Sequence[s.Require],
    words: Vocabulary,
    lets: Mapping[str, Sequence[s.Value]],
    apart: Sequence[str] = (),
) -> tuple[Requirement, ...]:
    """Check all `require` lines, once all decisions of the file are known by name. `lets` are the values
    of all lets by name; `apart` are quantities that do not add up layer by layer in this space."""
    reader = Reader(problems, words, lets)
    lines = [_requirement(reader, item, apart) for item in items]
    return tuple(line for line in lines if line is not None)


def _requirement(reader: Reader, node: s.Require, apart: Sequence[str]) -> Requirement | None:
    before = len(reader.problems.errors)
    formula = reader.formula(node.condition)
    if formula is None or len(reader.problems.errors) > before:
        return None
    parts = formula.parts if isinstance(formula, All) else (formula,)
    limits = [_limit(part) for part in parts]
    limits = [None if limit and limit.quantity in apart else limit for limit in limits]
    rest = tuple(part for part, limit in zip(parts, limits, strict=True) if limit is None)
    grows = {leaf.name: reader.words.named[leaf.name].grows for leaf in leaves(formula)}
    memory = tuple(found for part in parts if (found := _limit(part, ("train_memory",))) and found.upper)
    return Requirement(
        node.condition, formula, tuple(limit for limit in limits if limit), rest, grows, memory
    )


def _limit(formula: Formula, quantities: Container[str] = BOUNDED) -> Limit | None:
    """The bound that a comparison is, where it bounds a single quantity by a number."""
    if not isinstance(formula, Compared):
        return None
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
    left, operator, right = formula.left, formula.operator, formula.right
    if isinstance(left, Fixed) and operator in turned:
        left, operator, right = right, turned[operator], left
    if not (isinstance(left, Known) and left.quantity in quantities and isinstance(right, Fixed)):
        return None
    if operator not in turned or not isinstance(right.value, int | float):
        return None
    value = right.value  # quantities are whole numbers
    limit = {"<": math.ceil(value) - 1, ">": math.floor(value) + 1}.get(operator, value)
    return Limit(left.quantity, limit, operator in ("<", "<="))
