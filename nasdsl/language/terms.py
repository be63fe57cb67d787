"""Looking through value terms: what stands in them, and what they can come down to."""

from __future__ import annotations

from collections.abc import Sequence

from nasdsl.language.decisions import Integers, Reals
from nasdsl.language.tree import (
    Cell,
    ChoiceHole,
    Constant,
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


def mark_bent(term: ValueTerm) -> bool:
    """What is worked out of a term may fall where it rises: note it on its ranges. True where it is news."""
    news = False
    for part in parts(term):
        if isinstance(part, RangeHole | Cell) and not part.bends:
            part.__dict__["bends"] = True
            news = True
    return news


_RISING = ("+", "unary +", "min", "max", "round")


def bent_operands(name: str, operands: Sequence[ValueTerm]) -> list[ValueTerm]:
    """The operands with which the value of an operation may fall."""
    if name in _RISING:
        return []
    least = [_is_positive(operand) for operand in operands]
    match name:
        case "*":
            return [one for i, one in enumerate(operands) if not all(least[:i] + least[i + 1 :])]
        case "-":
            return [operands[1]]
        case "/" | "//":
            return [operands[1]] if least[1] else list(operands)
        case "^" if isinstance(operands[0], Constant) and _is_positive(operands[0], 1):
            return []
        case "^" if all(least):
            return [operands[1]]
        case _:
            return list(operands)


def _is_positive(term: ValueTerm, least: float = 0) -> bool:
    """Whether a number is certainly not below `least`."""
    match term:
        case Constant(value=value):
            return isinstance(value, int | float) and value >= least
        case Outer(inner=inner):
            return _is_positive(inner, least)
        case ChoiceHole(options=options):
            return all(_is_positive(option, least) for option in options.values())
        case RangeHole(domain=Integers(low=low) | Reals(low=low)):
            return low >= least
        case Cell():
            return term.is_index
        case _:
            return False


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


def may_be_nothing(term: ValueTerm) -> bool:
    """Whether a decision that stands here may leave the value out."""
    match term:
        case OptionalHole():
            return True
        case Outer(inner=inner):
            return may_be_nothing(inner)
        case ChoiceHole(options=options):
            return any(may_be_nothing(option) for option in options.values())
        case _:
            return False


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
