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
JOINS = tuple(sorted(name for name, row in table.LAYERS.items() if row.arity != (1, 1)))


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
    is_graph: bool = False,
) -> Join:
    """A join whose cells from `first` on are its own; `is_graph`: its parts are edges of a graph."""
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
        is_graph,
        span=span,
    )


def merge_named(c: Checker, name: object, span: Span) -> Signature:
    """The operation that joins wires."""
    if name not in JOINS:
        if name is not None:  # what stands there has been refused already
            c.problems.unknown("unknown-option", f"wires are not joined by `{name}`", span, str(name), JOINS)
        name = "add"
    return table.LAYERS[str(name)]


def subsets(
    c: Checker, scope: Scope, names: list[str], counts: range, wanted: str, span: Span
) -> tuple[ChoiceHole, dict[Answer, tuple[int, ...]]] | None:
    """The decision which of several wires are read, and how many: unordered, distinct. A range of
    counts ends where there are no more wires."""
    least = counts.start
    if not 1 <= least <= len(names):
        there = f"{len(names)} wire{'s' * (len(names) != 1)}"
        help = f"pick from 1 to {len(names)}, or make more wires before this one"
        c.problems.error("bad-range", f"`any({least}, …)` picks {least} of {there}", span, help)
        return None
    chosen: dict[Answer, tuple[int, ...]] = {}
    for count in range(least, min(counts.stop, len(names) + 1)):
        for combination in combinations(range(len(names)), count):
            chosen["+".join(names[number] for number in combination)] = combination
            if len(chosen) > _MOST_SUBSETS:
                message = f"there are more than {_MOST_SUBSETS:,} ways to pick {count} of {len(names)} wires"
                c.problems.error("limit", message, span, "pick fewer of them, or from fewer wires")
                return None
    key = scope.fresh(wanted)
    domain = Options(tuple(chosen), (1.0,) * len(chosen))
    options: dict[Answer, ValueTerm] = {answer: Constant(str(answer)) for answer in chosen}
    cell = scope.frame.cell()
    hole = ChoiceHole(
        cell, scope.label, scope.prefix + key, scope.site + key, CONTROL, domain, options, span=span
    )
    return hole, chosen


def any_of(c: Checker, node: s.Value, scope: Scope) -> range | None:
    """How many wires `any(2)`, `any(2, earlier)` and `any(1..3, earlier)` pick; None where a value is
    no such call."""
    if not (isinstance(node, s.Call) and node.name == "any" and node.arguments):
        return None
    named = [a.value for a in node.arguments[1:]]
    if any(not (isinstance(n, s.Name) and n.id == "earlier") for n in named):
        message = "`any` picks from all `earlier` wires, and not from some that are named"
        help = "write `any(2, earlier)`; to choose among some wires only, put them into a `dag` of their own"
        c.problems.error("bad-wire", message, node.span, help)
    match node.arguments[0].value:
        case s.Range(
            low=s.Number(value=int(low)), high=s.Number(value=int(high)), log=False, step=None, centre=None
        ) if 1 <= low <= high:
            return range(low, high + 1)
        case count:
            term = value(c, count, scope, Wanted("any", integer(1)))
    if isinstance(term, Constant) and isinstance(term.value, int):
        return range(term.value, term.value + 1)
    message = "`any` takes a whole number, or a range of them from 1 on, that stands fixed"
    c.problems.error("bad-wire", message, node.span, "for example `any(2, earlier)` or `any(1..3, earlier)`")
    return range(1, 2)


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
