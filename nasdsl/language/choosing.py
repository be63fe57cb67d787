"""`any(k, …)`: which of several wires are read, as a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from nasdsl.language import syntax as s
from nasdsl.language.decisions import Answer, Integers, Options
from nasdsl.language.errors import Span
from nasdsl.language.scope import Checker, Scope, Wanted
from nasdsl.language.signatures.signature import integer
from nasdsl.language.terms import mark, outcomes
from nasdsl.language.tree import CONTROL, ChoiceHole, Choosing, Constant, RangeHole, Subset, ValueTerm
from nasdsl.language.values import UNKNOWN, value

_MOST_SUBSETS = 4_096  # of wires that one decision may choose from
_NOTHING = "none"  # the answer that reads no wire


@dataclass(frozen=True)
class AnyOf:
    """`any(k, …)` as it is written: how many wires, either `counts` that the decision may be of or a `term` that says
    it; which wires, all earlier ones where there are no `names`; what the decision is called."""

    counts: tuple[int, ...]
    term: ValueTerm | None
    names: tuple[s.Name, ...]
    label: str
    span: Span


def any_of(c: Checker, node: s.Value, scope: Scope) -> AnyOf | None:
    """What `any(2)`, `any(1..3, earlier)`, `any(k, a, b)` and `e: any(1)` pick; None where a value is no such call."""
    label = ""
    if isinstance(node, s.Labelled) and isinstance(node.value, s.Call):
        label, node = node.label, node.value
    if not (isinstance(node, s.Call) and node.name == "any" and node.arguments):
        return None
    names = []
    for argument in node.arguments[1:]:
        if isinstance(argument.value, s.Name) and argument.name is None:
            names.append(argument.value)
            continue
        help = "write `any(2, earlier)`, or list wires: `any(2, a, b, c)`"
        c.problems.error("bad-wire", "`any` picks among wires by name", argument.span, help)
    if s.Name("earlier") in names and "earlier" not in scope.wires:
        if len(names) > 1:
            message = "`earlier` stands for all wires before this one, and others are listed beside it"
            c.problems.error("bad-wire", message, node.span, "leave out one or the other")
        names = []
    counts, term = _how_many(c, node.arguments[0].value, scope)
    return AnyOf(counts, term, tuple(names), label, node.span)


def _how_many(c: Checker, node: s.Value, scope: Scope) -> tuple[tuple[int, ...], ValueTerm | None]:
    """A range or a choice that is written there belongs to the decision itself."""
    match node:
        case s.Range(
            low=s.Number(value=int(low)), high=s.Number(value=int(high)), log=False, step=None, centre=None
        ) if low <= high:
            return tuple(range(low, high + 1)), None
        case s.Choice(alternatives=alternatives) if (written := _numbers(alternatives)) is not None:
            return written, None
        case _:
            term = value(c, node, scope, Wanted("any", integer(0)))
    if isinstance(term, Constant):
        return ((term.value,) if isinstance(term.value, int) else ()), None
    mark(term, CONTROL)
    return (), term


def _numbers(alternatives: tuple[s.Alternative, ...]) -> tuple[int, ...] | None:
    found = [
        one.value.value for one in alternatives if isinstance(one.value, s.Number) and one.weight is None
    ]
    whole = [number for number in found if isinstance(number, int)]
    return tuple(dict.fromkeys(whole)) if len(whole) == len(alternatives) else None


def choosing(c: Checker, scope: Scope, wires: Mapping[str, int], asked: AnyOf, least: int) -> Choosing | None:
    """The decision which of some wires are read, by their numbers among the parts of a join. A range of counts ends
    where there are no more wires; at `least` so many are read."""
    counts = _counts(c, asked, len(wires), least)
    if counts is None:
        return None
    key = scope.fresh(asked.label or "from")
    together = [counts] if asked.term is None else [(count,) for count in counts]
    subsets = {}
    for some in together:
        chosen = _chosen(c, wires, some, asked.span)
        if chosen is None:
            return None
        domain = Options(tuple(chosen), (1.0,) * len(chosen))
        options: dict[Answer, ValueTerm] = {answer: Constant(str(answer)) for answer in chosen}
        path, site = scope.prefix + key, scope.site + key
        hole = ChoiceHole(
            scope.frame.cell(), scope.label, path, site, CONTROL, domain, options, span=asked.span
        )
        subsets[some[0]] = Subset(hole, chosen)
    return Choosing(asked.term, subsets)


def _counts(c: Checker, asked: AnyOf, there: int, least: int) -> tuple[int, ...] | None:
    """How many wires may be read, of those that are there."""
    wires = f"{there} wire{'s' * (there != 1)}"
    if asked.term is not None:
        known = _known(asked.term)
        fitting = [n for n in (known if known is not None else range(there + 1)) if least <= n <= there]
        if fitting:
            return tuple(fitting)
        message = f"`any` picks of {wires}, and its number can be none that fits"
        c.problems.error("bad-range", message, asked.span, f"let it be {least} to {there}")
        return None
    if asked.counts and min(asked.counts) < least:
        message = "a wire is made from at least one source"
        help = "write `any(1..2, …)`, or name a source beside it: `from a, any(0..2, earlier)`"
        c.problems.error("bad-range", message, asked.span, help)
        return None
    fitting = [n for n in asked.counts if n <= there]
    if not fitting:
        if asked.counts:
            message = f"`any({min(asked.counts)}, …)` picks {min(asked.counts)} of {wires}"
            help = f"pick from 1 to {there}, or make more wires before this one"
            c.problems.error("bad-range", message, asked.span, help)
        return None
    return tuple(fitting)


def _known(term: ValueTerm) -> Sequence[int] | None:
    """The numbers that a value can be; None where a parameter or an expression says it."""
    found: list[int] = []
    for one in outcomes(term):
        numbers = numbers_of(one)
        if numbers is None:
            return None
        found += numbers
    return list(dict.fromkeys(found))


def numbers_of(term: ValueTerm) -> Sequence[int] | None:
    """The whole numbers that one outcome of a value stands for, as far as they are written."""
    match term:
        case Constant(value=int(number)):
            return [number]
        case RangeHole(domain=Integers(low=low, high=high, step=step)) if high - low < 1_000:
            return range(low, high + 1, step)
        case RangeHole(domain=Options(values=values)):
            return [n for n in values if isinstance(n, int)]
        case _:
            return [] if term is UNKNOWN else None


def _chosen(
    c: Checker, wires: Mapping[str, int], counts: tuple[int, ...], span: Span
) -> dict[Answer, tuple[int, ...]] | None:
    """Every set of wires: unordered, distinct."""
    chosen: dict[Answer, tuple[int, ...]] = {}
    for count in counts:
        for names in combinations(wires, count):
            answer = "+".join(names) or (_NOTHING if _NOTHING not in wires else f"{_NOTHING}#2")
            chosen[answer] = tuple(wires[name] for name in names)
            if len(chosen) > _MOST_SUBSETS:
                message = f"there are more than {_MOST_SUBSETS:,} ways to pick {count} of {len(wires)} wires"
                c.problems.error("limit", message, span, "pick fewer of them, or from fewer wires")
                return None
    return chosen
