"""Wiring: `parallel`, `dag` and `cell`, from their syntax to joins of wires."""

from __future__ import annotations

from itertools import combinations

from nasdsl.language import syntax as s
from nasdsl.language.decisions import Answer, Options
from nasdsl.language.errors import Span
from nasdsl.language.network import Value
from nasdsl.language.scope import Checker, Scope, Wanted
from nasdsl.language.signatures import table
from nasdsl.language.signatures.signature import Signature, integer
from nasdsl.language.tree import (
    CONTROL,
    ChoiceHole,
    Constant,
    Join,
    Keep,
    Part,
    Sequence,
    Statement,
    ValueTerm,
)
from nasdsl.language.values import value

_MOST_SUBSETS = 4_096  # of wires that one decision may choose from
_MERGES = ("add", "concat", "mean", "mul")


def join(
    c: Checker,
    parts: tuple[Part, ...],
    merge: Signature,
    scope: Scope,
    name: str,
    first: int,
    span: Span,
    hole: ChoiceHole | None = None,
    chosen: dict[Answer, tuple[int, ...]] | None = None,
    arguments: dict[str, Value] | None = None,
) -> Join:
    """A join whose cells from `first` on are its own."""
    defaults: dict[str, Value] = {a.name: a.default for a in merge.arguments}
    return Join(
        (first, scope.frame.size),
        parts,
        hole,
        chosen or {},
        merge,
        defaults | (arguments or {}),
        scope.label,
        scope.fresh_place(name),
        span=span,
    )


def merge_named(c: Checker, name: object, span: Span) -> Signature:
    """The operation that joins wires."""
    if name not in _MERGES:
        c.problems.unknown("unknown-option", f"wires are not joined by `{name}`", span, str(name), _MERGES)
        name = "add"
    return table.LAYERS[str(name)]


def subsets(
    c: Checker, scope: Scope, names: list[str], count: int, wanted: str, span: Span
) -> tuple[ChoiceHole, dict[Answer, tuple[int, ...]]] | None:
    """The decision which `count` of several wires are read: unordered, distinct."""
    if not 1 <= count <= len(names):
        there = f"{len(names)} wire{'s' * (len(names) != 1)}"
        c.problems.error("bad-range", f"`any({count}, …)` picks {count} of {there}", span)
        return None
    chosen: dict[Answer, tuple[int, ...]] = {}
    for combination in combinations(range(len(names)), count):
        chosen["+".join(names[number] for number in combination)] = combination
        if len(chosen) > _MOST_SUBSETS:
            message = f"there are more than {_MOST_SUBSETS:,} ways to pick {count} of {len(names)} wires"
            c.problems.error("limit", message, span)
            return None
    key = scope.fresh(wanted)
    domain = Options(tuple(chosen), (1.0,) * len(chosen))
    options: dict[Answer, ValueTerm] = {answer: Constant(str(answer)) for answer in chosen}
    cell = scope.frame.cell()
    hole = ChoiceHole(
        cell, scope.label, scope.prefix + key, scope.site + key, CONTROL, domain, options, span=span
    )
    return hole, chosen


def any_of(c: Checker, node: s.Value, scope: Scope) -> int | None:
    """The number in `any(2)` or `any(2, earlier)`; None where a value is no such call."""
    if not (isinstance(node, s.Call) and node.name == "any" and node.arguments):
        return None
    named = [a.value for a in node.arguments[1:]]
    if any(not (isinstance(n, s.Name) and n.id == "earlier") for n in named):
        c.problems.error("bad-wire", "`any` picks from `earlier` wires: `any(2, earlier)`", node.span)
    term = value(c, node.arguments[0].value, scope, Wanted("any", integer(1)))
    if isinstance(term, Constant) and isinstance(term.value, int):
        return term.value
    c.problems.error("bad-wire", "`any` takes a whole number that stands fixed", node.span)
    return 1


def sequence(items: list[Statement], slots: tuple[int, int], span: Span) -> Sequence:
    """Statements one after the other."""
    return Sequence(slots, tuple(items), span=span)


def kept(cell: int) -> Keep:
    """The wire goes into a cell."""
    return Keep((0, 0), cell)


def asks_unused(block: s.Block) -> bool:
    """Whether a wire of this dag is made from what nobody has read."""
    wires = [one for one in block.statements if isinstance(one, s.Wire)]
    return any(source == s.Name("unused") for wire in wires for source in wire.sources)
