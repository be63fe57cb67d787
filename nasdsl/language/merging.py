"""What a wire of a dag is made by: its sources, joined as its operation says, or added and put through it.

Where the operation is a decision, each of its alternatives joins the sources in its own way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nasdsl.language import syntax as s
from nasdsl.language.errors import Span
from nasdsl.language.expressions import OPERATORS
from nasdsl.language.forking import Do, choice
from nasdsl.language.network import Value
from nasdsl.language.scope import Checker, Scope
from nasdsl.language.signatures import table
from nasdsl.language.terms import mark, outcomes
from nasdsl.language.tree import (
    CONTROL,
    Branch,
    Cell,
    Constant,
    Join,
    Make,
    Operation,
    Sources,
    Statement,
    ValueTerm,
    Whether,
)
from nasdsl.language.values import bind
from nasdsl.language.wires import JOINS, merge_named, sequence


@dataclass(frozen=True)
class Joining:
    """The sources of a wire, which alternatives may each join in their own way: the cells that are empty again once
    that is done, and where it stands. `is_graph`: as of a Join."""

    sources: Sources
    slots: tuple[int, int]
    label: int
    place: str
    span: Span
    is_graph: bool = True

    def joined(self, merge: str) -> Join:
        """The sources as one wire."""
        row = table.LAYERS[merge]
        defaults: dict[str, Value] = {a.name: a.default for a in row.arguments}
        return Join(
            self.slots, self.sources, row, defaults, self.label, self.place, self.is_graph, span=self.span
        )


def ways_of(merge: ValueTerm) -> list[object]:
    """The ways to join that an argument can name; all of them where a parameter stands for it.
    None: something else, which has been reported."""
    possible = outcomes(merge)
    found: list[object] = [one.value for one in possible if isinstance(one, Constant) and one.value in JOINS]
    if any(isinstance(one, Cell) for one in possible):
        found = list(JOINS)
    return list(dict.fromkeys(found)) or [None]


def joined(c: Checker, merge: ValueTerm, sources: Joining) -> Statement:
    """The sources, joined as an argument says, once it is decided."""
    ways = ways_of(merge)
    if len(ways) == 1:
        return sources.joined(merge_named(c, ways[0], sources.span).name)
    mark(merge, CONTROL)
    step: Statement = sources.joined(str(ways[-1]))
    for way in reversed(ways[:-1]):
        named = Operation("==", OPERATORS["=="], (merge, Constant(str(way))))
        step = Branch((0, 0), named, sources.joined(str(way)), step, span=sources.span)
    return step


def operate(
    c: Checker, node: s.Value, scope: Scope, label: str, sources: Joining, do: Do
) -> Statement | None:
    """The operation of a wire on its sources; None where a problem was reported."""
    match node:
        case s.Labelled(label=name, value=inner) if not isinstance(inner, s.Repeat | s.Pick | s.Permute):
            return operate(c, inner, scope, name, sources, do)
        case s.Choice() if _holds_join(node, scope):

            def alternative(c: Checker, node: s.Value, scope: Scope, label: str) -> Statement | None:
                return operate(c, node, scope, label, sources, do)

            return choice(c, node, scope, label, alternative)
        case s.Optional() if _holds_join(node, scope):
            message = "where a way to join may be absent, nothing says how the wires are joined then"
            c.problems.error("bad-wire", message, node.span, "write both ways: `concat | add`")
            return None
        case s.Block(statements=(s.Do(value=first), *rest)) if _holds_join(first, scope):
            inside = scope.inner(label)
            head = operate(c, first, inside, "", sources, do)
            tail = do(c, s.Block(tuple(rest), span=node.span), inside, "")
            return sequence([one for one in (head, tail) if one is not None], (0, 0), node.span)
        case s.Name() | s.Call() if (written := _join_written(node, scope)) is not None:
            if isinstance(node, s.Call):
                bind(c, table.LAYERS[written], node, scope)
            return sources.joined(written)
        case s.Name(id=name) if (term := scope.find(name)) is not None and _can_join(term):
            return _by_value(c, node, term, scope, label, sources, do)
        case _:
            operation = do(c, node, scope, label)
            joined = sources.joined("add")
            return sequence([joined, *([operation] if operation else [])], (0, 0), node.span)


def _holds_join(node: object, scope: Scope) -> bool:
    """Whether an operation is a way to join wires, or can be by its own decisions."""
    match node:
        case s.Choice(alternatives=alternatives):
            return any(_holds_join(one.value, scope) for one in alternatives)
        case s.Labelled(value=inner) | s.Optional(value=inner) | s.Block(statements=(s.Do(value=inner), *_)):
            return _holds_join(inner, scope)
        case s.Name() | s.Call():
            term = scope.find(node.id) if isinstance(node, s.Name) else None
            return _join_written(node, scope) is not None or (term is not None and _can_join(term))
        case _:
            return False


def _join_written(node: s.Name | s.Call, scope: Scope) -> str | None:
    """The way to join that stands here by its name, which no block and no let hides."""
    name = node.id if isinstance(node, s.Name) else node.name
    hidden = name in scope.definitions or scope.find(name) is not None
    return name if name in JOINS and not hidden else None


def _can_join(term: ValueTerm) -> bool:
    """Whether a let or parameter may stand for a way to join."""
    return any(
        isinstance(one, Cell) or (isinstance(one, Make) and one.signature.name in JOINS)
        for one in outcomes(term)
    )


def _by_value(
    c: Checker, node: s.Name, term: ValueTerm, scope: Scope, label: str, sources: Joining, do: Do
) -> Statement | None:
    """The sources joined as the value of a let or parameter says; added, where it is another operation."""
    mark(term, CONTROL)
    possible = outcomes(term)
    joins = [one.signature.name for one in possible if isinstance(one, Make) and one.signature.name in JOINS]
    ways = list(JOINS) if any(isinstance(one, Cell) for one in possible) else list(dict.fromkeys(joins))
    if len(joins) == len(possible):
        step: Statement | None = sources.joined(ways.pop())
    else:
        step = _operate_on_sum(c, node, scope, label, sources, do)
    for way in ways:
        step = Branch((0, 0), Whether(term, way), sources.joined(way), step, span=node.span)
    return step


def _operate_on_sum(
    c: Checker, node: s.Value, scope: Scope, label: str, sources: Joining, do: Do
) -> Statement | None:
    """The sources added, then the operation, which is no way to join here."""
    operation = do(c, node, replace(scope, joined=True), label)
    return None if operation is None else sequence([sources.joined("add"), operation], (0, 0), node.span)
