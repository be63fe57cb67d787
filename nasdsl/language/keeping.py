"""Whether a body gives back the shape that it gets, also where that is only known as an interval.

Two equal intervals do not say so: `conv2d(8 | 16)` twice gives 8..16 both times. So each operation is asked about the
ends of what comes into it; what is not certain counts as a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nasdsl.language.estimates import Survey
from nasdsl.language.facts import Facts
from nasdsl.language.network import Value
from nasdsl.language.scope import Problems
from nasdsl.language.shapes import INFINITE, Shape, lower, upper
from nasdsl.language.signatures.signature import ShapeError, Signature
from nasdsl.language.survey import combinations_of
from nasdsl.language.terms import outcomes
from nasdsl.language.tree import (
    Apply,
    ApplyValue,
    Around,
    Branch,
    Definition,
    Fork,
    Loop,
    Make,
    Permute,
    Pick,
    Residual,
    Sequence,
    Statement,
    Use,
    ValueTerm,
)


class Keeping:
    """Answers for the statements of one checked space; `facts` are what its check learnt of shapes."""

    def __init__(self, problems: Problems, facts: Facts, quantities: Mapping[str, Value]) -> None:
        self._facts = facts
        self._survey = Survey(problems, quantities, parameters=[{}])
        self._open: set[Definition] = set()

    def keeps(self, term: Statement | None) -> bool:
        """Whether what comes out of a statement certainly has the shape of what goes in."""
        match term:
            case None:
                return True
            case Sequence(items=items):
                return self._all(items)
            case Apply(signature=row, arguments=arguments):
                return self._passes(term, row, arguments)
            case ApplyValue(value=value):
                return all(
                    isinstance(one, Make) and self._passes(term, one.signature, one.arguments)
                    for one in outcomes(value)
                )
            case Fork(bodies=bodies):
                return self._all(bodies.values())
            case Branch(then=then, otherwise=otherwise):
                return self._all((then, otherwise))
            case Loop(body=body) | Residual(body=body) | Around(body=body):
                return self.keeps(body)
            case Permute(members=members) | Pick(members=members):
                return self._all(members.values())
            case Use(definition=definition):
                return self._block(definition)
            case _:
                return False

    def _all(self, terms: Iterable[Statement | None]) -> bool:
        return all(self.keeps(one) for one in terms)

    def _block(self, definition: Definition) -> bool:
        """A block inside itself changes nothing that its other statements do not."""
        if definition in self._open:
            return True
        self._open.add(definition)
        try:
            return self.keeps(definition.body)
        finally:
            self._open.discard(definition)

    def _passes(self, term: Statement, row: Signature, arguments: tuple[tuple[str, ValueTerm], ...]) -> bool:
        before, _ = self._facts.flows.get(term.span, ({}, {}))
        given = combinations_of(self._survey, row, arguments)
        try:
            return bool(before) and all(
                row.shape is not None and row.shape(values, (end,), _suppose) == end
                for shape in before.values()
                for end in _ends(shape)
                for values in given
            )
        except ShapeError:
            return False


def _suppose(condition: bool | None, message: str, help: str) -> None:
    """What a rule needs is taken to hold: points in which it does not are none."""


def _ends(shape: Shape) -> list[Shape]:
    if shape.concrete:
        return [shape]
    least = Shape(tuple(lower(dim) for dim in shape.dims), shape.layout)
    most = Shape(
        tuple(upper(dim) if upper(dim) < INFINITE else lower(dim) + 7 for dim in shape.dims), shape.layout
    )
    return [least, most]
