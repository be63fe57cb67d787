"""`cell { }`: a graph of numbered nodes with a fresh body on every edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nasdsl.language import syntax as s
from nasdsl.language.choosing import AnyOf, any_of, choosing, numbers_of
from nasdsl.language.expressions import OPERATORS
from nasdsl.language.forking import Do
from nasdsl.language.merging import Joining, joined
from nasdsl.language.network import Value
from nasdsl.language.scope import Checker, NamedWire, Scope, Wanted
from nasdsl.language.signatures.signature import Signature, name_of
from nasdsl.language.terms import mark, outcomes
from nasdsl.language.tree import (
    CONTROL,
    Branch,
    Choosing,
    Constant,
    Operation,
    Part,
    Previous,
    Remember,
    Sources,
    Statement,
    ValueTerm,
)
from nasdsl.language.values import bind, value
from nasdsl.language.wires import JOINS, all_of, kept, present, sequence

_MOST_NODES = 64
_MOST_UNKNOWN = 16  # nodes of a cell that is told by a parameter how many it has


@dataclass
class _Cell:
    """A cell while it is resolved: what its call says, and the nodes so far. `counts`: the numbers of nodes that it can
    have, and `is_sure` that no other is asked for; `asks`: whether its output is what nobody has read."""

    node: s.Call
    scope: Scope
    arguments: dict[str, ValueTerm]
    edges: AnyOf | None
    inputs: int
    counts: Sequence[int]
    is_sure: bool
    asks: bool
    nodes: list[NamedWire] = field(default_factory=list)


def cell(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, do: Do) -> Statement:
    """A node reads every earlier one (or `any(k)` of them), each through a fresh body.

    Complete: NAS-Bench-201 (Dong & Yang 2020). `edges = any(2)`, `output = concat`: DARTS (Liu et
    al. 2019); `output = concat unused`: NASNet (Zoph et al. 2018). The second input of a cell is the
    input of the cell before it, or its own where there is none.
    """
    first = scope.frame.size
    name = scope.fresh(label or "cell")
    inner = scope.inner(name)
    plain = tuple(a for a in node.arguments if a.name not in ("edges", "output"))
    arguments = dict(bind(c, row, s.Call(node.name, plain, node.body, span=node.span), inner))
    present(c, arguments, "nodes", "inputs", "merge", "shortcut")
    edges, asks = _edges(c, node, inner), any(argument.unused for argument in node.arguments)
    inputs, counts = (
        _numbers(arguments[name], most) for name, most in (("inputs", 2), ("nodes", _MOST_UNKNOWN))
    )
    if not inputs or not counts:
        return sequence([], (0, 0), node.span)  # what stands there has been refused already
    written = _written(arguments["nodes"])
    if max(counts) > _MOST_NODES or max(counts) <= max(inputs) or (written and min(counts) <= min(inputs)):
        message = f"a cell has at least one node beside its inputs, and at most {_MOST_NODES} nodes"
        help = "the inputs count as nodes: `cell(nodes = 4, inputs = 1) { … }`"
        c.problems.error("bad-range", message, node.span, help)
        return sequence([], (0, 0), node.span)
    made = []
    for number in inputs:
        there = inner.alternative()
        fitting = [n for n in counts if n > number]
        is_sure = written and fitting == counts
        one = _Cell(node, there, arguments, edges, number, fitting, is_sure, asks)
        made.append((number, sequence(_items(c, one, do), (0, 0), node.span)))
        inner.absorb(there)
    step: Statement = made[-1][1]
    for number, body in made[:-1]:
        step = Branch((0, 0), _is(arguments["inputs"], "==", number), body, step, span=node.span)
    return sequence([step], (first, scope.frame.size), node.span)


def _numbers(term: ValueTerm, most: int) -> list[int]:
    """What a number can be; up to `most` where a parameter or an expression says it."""
    found: list[int] = []
    for one in outcomes(term):
        numbers = numbers_of(one)
        found += range(1, most + 1) if numbers is None else numbers
    return sorted(set(found))


def _written(term: ValueTerm) -> bool:
    """Whether all that a number can be is written."""
    return all(numbers_of(one) is not None for one in outcomes(term))


def _is(term: ValueTerm, operator: str, number: int) -> ValueTerm:
    """A condition on a number of nodes; what it says decides which decisions open."""
    mark(term, CONTROL)
    return Operation(operator, OPERATORS[operator], (term, Constant(number)))


def _items(c: Checker, cell: _Cell, do: Do) -> list[Statement]:
    """The statements of a cell of so many inputs: its inputs, its inner nodes, what it gives."""
    scope, span = cell.scope, cell.node.span
    cell.nodes.append(NamedWire(scope.frame.cell(), span))
    items: list[Statement] = [kept(cell.nodes[0].cell)]
    if not cell.is_sure:
        items.insert(0, _checked(cell))
    if cell.inputs == 2:
        cell.nodes.append(NamedWire(scope.frame.cell(), span))
        place = scope.fresh_place("previous")
        shortcut = cell.arguments["shortcut"]
        items.append(Previous((0, 0), cell.nodes[1].cell, shortcut, scope.label, place, span=span))
    for number in range(cell.inputs, max(cell.counts)):
        step = _node(c, cell, number, do)
        if step is None:
            return []
        cell.nodes.append(NamedWire(scope.frame.cell(), span, scope.frame.cell() if cell.asks else None))
        made: Statement = sequence([step, kept(cell.nodes[-1].cell)], (0, 0), span)
        if number >= min(cell.counts):
            made = Branch((0, 0), _is(cell.arguments["nodes"], ">", number), made, None, span=span)
        items.append(made)
    items += _cell_output(c, cell)
    return [*items, Remember((0, 0), cell.nodes[0].cell)]


def _checked(cell: _Cell) -> Statement:
    """What turns a walk back where a cell is told to have a number of nodes that it cannot have."""
    counts = tuple(cell.counts)

    def fits(number: Value) -> Value:
        if number not in counts:
            least, most = min(counts), max(counts)
            raise ValueError(f"a cell of {cell.inputs} inputs can have {least} to {most} nodes, not {number}")
        return True

    term = cell.arguments["nodes"]
    mark(term, CONTROL)
    return Branch((0, 0), Operation("nodes", fits, (term,)), sequence([], (0, 0), cell.node.span), None)


def _node(c: Checker, cell: _Cell, number: int, do: Do) -> Statement | None:
    """The edges into a node, joined."""
    inner = cell.scope.inner(f"node[{number}]")
    first = inner.frame.size
    picked = None
    if cell.edges is not None:
        names = {f"{earlier}": earlier for earlier in range(number)}
        picked = choosing(c, inner, names, cell.edges, least=1)
        if picked is None:
            return None
    parts = []
    for earlier, source in enumerate(cell.nodes):
        assert cell.node.body is not None
        edge = do(c, cell.node.body, inner.inner(f"from[{earlier}]"), "")
        parts.append(Part(source.cell, edge, inner.frame.cell(), source.flag))
        certain = number < min(cell.counts) and (picked is None or _takes_all(picked, number))
        source.read = "yes" if certain or source.read == "yes" else "maybe"
    sources = Sources(tuple(parts), (), (picked,)) if picked is not None else all_of(parts)
    merge = cell.arguments["merge"]
    name = str(merge.value) if isinstance(merge, Constant) else "merge"
    slots, place = (first, inner.frame.size), inner.fresh_place(name)
    return joined(c, merge, Joining(sources, slots, inner.label, place, cell.node.span))


def _takes_all(picked: Choosing, there: int) -> bool:
    """Whether a node reads all earlier ones whatever is decided."""
    return all(len(numbers) == there for one in picked.subsets.values() for numbers in one.chosen.values())


def _edges(c: Checker, node: s.Call, scope: Scope) -> AnyOf | None:
    for argument in node.arguments:
        if argument.name == "edges":
            asked = any_of(c, argument.value, scope)
            if asked is None or asked.names:
                message = "`edges` says how many earlier nodes each node reads"
                help = "write `edges = any(2)`, or leave it out: each node then reads all of them"
                c.problems.error("bad-wire", message, argument.span, help)
            return asked
    return None


def _cell_output(c: Checker, cell: _Cell) -> list[Statement]:
    """All inner nodes joined, or those that nobody has read, where the cell has an `output`."""
    for argument in cell.node.arguments:
        if argument.name != "output":
            continue
        scope, nodes = cell.scope, cell.arguments["nodes"]
        merge = value(c, argument.value, scope, Wanted("output", name_of(*JOINS), CONTROL))
        present(c, {"output": merge}, "output")
        name = str(merge.value) if isinstance(merge, Constant) else "output"
        place = scope.fresh_place(name)
        steps = []
        for count in cell.counts:
            first = scope.frame.size
            parts = _left(cell, cell.nodes[cell.inputs : count], argument.unused)
            slots = (first, scope.frame.size)
            joining = Joining(all_of(parts), slots, scope.label, place, argument.span, is_graph=False)
            steps.append((count, joined(c, merge, joining)))
        step = steps[-1][1]
        for count, body in reversed(steps[:-1]):
            step = Branch((0, 0), _is(nodes, "==", count), body, step, span=argument.span)
        return [step]
    return []


def _left(cell: _Cell, inner: list[NamedWire], unused: bool) -> list[Part]:
    """The inner nodes that the output joins."""
    left = [one for one in inner if not (unused and one.read == "yes")]
    return [
        Part(one.cell, None, cell.scope.frame.cell(), one.flag, unused and one.read == "maybe")
        for one in left
    ]
