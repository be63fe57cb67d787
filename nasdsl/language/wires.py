"""Wiring: `parallel`, `dag` and `cell`, from their syntax to joins of wires."""

from __future__ import annotations

from nasdsl.language import syntax as s
from nasdsl.language.errors import Span
from nasdsl.language.scope import Checker
from nasdsl.language.signatures import table
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.terms import may_be_nothing
from nasdsl.language.tree import Keep, Part, Sequence, Sources, Statement, ValueTerm

JOINS = tuple(sorted(name for name, row in table.LAYERS.items() if row.arity != (1, 1)))


def all_of(parts: list[Part]) -> Sources:
    """What is made from all of these, no decision among them."""
    return Sources(tuple(parts), tuple(range(len(parts))))


def merge_named(c: Checker, name: object, span: Span) -> Signature:
    """The operation that joins wires."""
    if name not in JOINS:
        if name is not None:  # what stands there has been refused already
            c.problems.unknown("unknown-option", f"wires are not joined by `{name}`", span, str(name), JOINS)
        name = "add"
    return table.LAYERS[str(name)]


def present(c: Checker, arguments: dict[str, ValueTerm], *names: str) -> None:
    """Report what says how wires run and may be absent by a `?`."""
    for name in names:
        if may_be_nothing(arguments[name]):
            message = f"where `{name}` may be absent, nothing says what holds then"
            help = "write the ways out: `A | B` in place of `A?`"
            c.problems.error("bad-wire", message, arguments[name].span, help)


def sequence(items: list[Statement], slots: tuple[int, int], span: Span) -> Sequence:
    """Statements one after the other."""
    return Sequence(slots, tuple(items), span=span)


def kept(cell: int) -> Keep:
    """The wire goes into a cell."""
    return Keep((0, 0), cell)


def asks_unused(block: s.Block) -> bool:
    """Whether a wire of this dag is made from what nobody has read."""
    return any(s.Name("unused") in wire.sources for wire in _wires(block))


def asks_beside(block: s.Block) -> bool:
    """Whether, in a wire of this dag, something else stands beside what nobody has read."""
    return any(s.Name("unused") in wire.sources and len(wire.sources) > 1 for wire in _wires(block))


def _wires(block: s.Block) -> list[s.Wire]:
    return [one for one in block.statements if isinstance(one, s.Wire)]
