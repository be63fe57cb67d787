"""Looking through value terms: what stands in them, and what they can come down to."""

from __future__ import annotations

from nasdsl.language.tree import (
    Cell,
    ChoiceHole,
    Hole,
    Make,
    Operation,
    OptionalHole,
    Outer,
    RangeHole,
    ValueTerm,
    Whether,
)


def is_open(node: object) -> bool:
    """Whether a decision is or may be asked here: a parameter may stand for one that is not answered yet."""
    return isinstance(node, Hole) or (isinstance(node, Cell) and not node.is_index)


def may_ask(term: ValueTerm) -> bool:
    """Whether working out a term may ask a decision."""
    return any(is_open(part) for part in parts(term))


def has_hole(term: ValueTerm) -> bool:
    """Whether a decision stands in a term."""
    return any(isinstance(part, Hole) for part in parts(term))


def parts(term: ValueTerm) -> list[ValueTerm]:
    """A term and all terms in it."""
    found: list[ValueTerm] = []
    waiting: list[ValueTerm] = [term]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            found.append(one)
            waiting += children(one)
    return found


def children(term: ValueTerm) -> list[ValueTerm]:
    """The terms right below a term."""
    match term:
        case Outer(inner=inner) | OptionalHole(inner=inner) | Whether(value=inner):
            return [inner]
        case Operation(operands=operands):
            return list(operands)
        case Make(arguments=arguments):
            return [argument for _, argument in arguments]
        case ChoiceHole(options=options):
            return list(options.values())
        case RangeHole(low=low, high=high):
            return [end for end in (low, high) if end is not None]
        case _:
            return []


def outcomes(term: ValueTerm) -> list[ValueTerm]:
    """The terms that a term can come down to, once its own decisions are answered."""
    match term:
        case Outer(inner=inner) | OptionalHole(inner=inner):
            return outcomes(inner)
        case ChoiceHole(options=options):
            return [one for option in options.values() for one in outcomes(option)]
        case _:
            return [term]


def mark(term: ValueTerm, role: int) -> bool:
    """A let or parameter is used in this role: note it on its decisions. True where it is news."""
    news = False
    for part in parts(term):
        if isinstance(part, Hole | Cell) and part.role < role:
            part.__dict__["role"] = role
            news = True
    return news
