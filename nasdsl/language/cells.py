"""`cell { }`: a graph of numbered nodes with a fresh body on every edge."""

from __future__ import annotations

from nasdsl.language import syntax as s
from nasdsl.language.forking import Do
from nasdsl.language.graphs import fixed
from nasdsl.language.remedies import one_of
from nasdsl.language.scope import Checker, NamedWire, Scope
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.tree import Join, Part, Previous, Remember, Statement
from nasdsl.language.values import bind
from nasdsl.language.wires import JOINS, any_of, join, kept, merge_named, sequence, subsets

_MOST_NODES = 64


def cell(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, do: Do) -> Statement:
    """A node reads every earlier one (or `any(k)` of them), each through a fresh body.

    Complete: NAS-Bench-201 (Dong & Yang 2020). `edges = any(2)`, `output = concat`: DARTS (Liu et
    al. 2019); `output = concat unused`: NASNet (Zoph et al. 2018). The second input of a cell is the
    input of the cell before it, or its own where there is none.
    """
    assert node.body is not None
    plain = s.Call(
        node.name, tuple(a for a in node.arguments if a.name not in ("edges", "output")), node.body
    )
    arguments = dict(
        bind(c, row, s.Call(plain.name, plain.arguments, plain.body, span=node.span), scope.inner(label))
    )
    count, inputs = fixed(c, arguments, "nodes", node.span), fixed(c, arguments, "inputs", node.span)
    merge = merge_named(c, fixed(c, arguments, "merge", node.span), node.span)
    shortcut = str(fixed(c, arguments, "shortcut", node.span))
    if not (isinstance(count, int) and isinstance(inputs, int) and inputs < count <= _MOST_NODES):
        message = f"a cell has at least one node beside its inputs, and at most {_MOST_NODES} nodes"
        help = "the inputs count as nodes: `cell(nodes = 4, inputs = 1) { … }`"
        c.problems.error("bad-range", message, node.span, help)
        return sequence([], (0, 0), node.span)
    edges = _edges(c, node, scope)
    name = scope.fresh(label or "cell")
    inner = scope.inner(name)
    first = scope.frame.size
    asks = any(argument.unused for argument in node.arguments)
    nodes = [NamedWire(scope.frame.cell(), node.span)]
    items: list[Statement] = [kept(nodes[0].cell)]
    if inputs == 2:
        nodes.append(NamedWire(scope.frame.cell(), node.span))
        place = inner.fresh_place("previous")
        items.append(Previous((0, 0), nodes[1].cell, shortcut, scope.label, place, span=node.span))
    for number in range(inputs, count):
        joined = _node(c, node, inner, nodes, number, edges, merge, do)
        if joined is None:
            return sequence([], (0, 0), node.span)
        flag = scope.frame.cell() if asks else None
        nodes.append(NamedWire(scope.frame.cell(), node.span, flag))
        items += [joined, kept(nodes[-1].cell)]
    items += _cell_output(c, node, scope, nodes[inputs:])
    items.append(Remember((0, 0), nodes[0].cell))
    return sequence(items, (first, scope.frame.size), node.span)


def _node(
    c: Checker,
    node: s.Call,
    scope: Scope,
    nodes: list[NamedWire],
    number: int,
    edges: range | None,
    merge: Signature,
    do: Do,
) -> Join | None:
    inner = scope.inner(f"node[{number}]")
    first = scope.frame.size
    picked = None
    if edges is not None:
        names = [f"{earlier}" for earlier in range(len(nodes))]
        picked = subsets(c, inner, names, edges, "from", node.span)
        if picked is None:
            return None
    parts = []
    for earlier, source in enumerate(nodes):
        assert node.body is not None
        edge = do(c, node.body, inner.inner(f"from[{earlier}]"), "")
        parts.append(Part(source.cell, edge, scope.frame.cell(), source.flag))
        certain = edges is None or edges.start == len(nodes)
        source.read = "yes" if certain or source.read == "yes" else "maybe"
    hole, chosen = picked or (None, None)
    return join(c, tuple(parts), merge, inner, merge.name, first, node.span, hole, chosen, is_graph=True)


def _edges(c: Checker, node: s.Call, scope: Scope) -> range | None:
    for argument in node.arguments:
        if argument.name == "edges":
            count = any_of(c, argument.value, scope)
            if count is None:
                message = "`edges` says how many earlier nodes each node reads"
                help = "write `edges = any(2)`, or leave it out: each node then reads all of them"
                c.problems.error("bad-wire", message, argument.span, help)
            return count
    return None


def _cell_output(c: Checker, node: s.Call, scope: Scope, inner: list[NamedWire]) -> list[Statement]:
    for argument in node.arguments:
        if argument.name != "output":
            continue
        if not isinstance(argument.value, s.Name):
            help = f"write `output = concat`; {one_of(JOINS)}"
            c.problems.error("bad-wire", "`output` of a cell is a way to join", argument.span, help)
            return []
        merge = merge_named(c, argument.value.id, argument.span)
        first = scope.frame.size
        left = [one for one in inner if not (argument.unused and one.read == "yes")]
        parts = tuple(
            Part(one.cell, None, scope.frame.cell(), one.flag, argument.unused and one.read == "maybe")
            for one in left
        )
        return [join(c, parts, merge, scope, merge.name, first, argument.span)]
    return []
