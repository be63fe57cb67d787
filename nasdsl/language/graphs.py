"""The three wrappers that make graphs: `parallel { }`, `dag { }` and `cell { }`."""

from __future__ import annotations

from collections.abc import Callable

from nasdsl.language import syntax as s
from nasdsl.language.errors import Span
from nasdsl.language.scope import Checker, Scope
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.tree import Constant, Join, Part, Statement, ValueTerm
from nasdsl.language.values import bind
from nasdsl.language.wires import any_of, join, kept, merge_named, sequence, subsets

# How a value is resolved as a statement: `statements.do`, handed in since it hands over to here.
Do = Callable[[Checker, s.Value, Scope, str], Statement | None]
Let = Callable[[Checker, s.Let, Scope], None]

_MOST_NODES = 64


def _fixed(c: Checker, arguments: dict[str, ValueTerm], name: str, span: Span) -> object:
    term = arguments[name]
    if isinstance(term, Constant):
        return term.value
    c.problems.error("not-yet", f"`{name}` is not a decision in this version", span)
    return None


def parallel(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, do: Do) -> Statement:
    """Branches on one input, joined. Each statement of the body is a branch."""
    assert node.body is not None
    first = scope.frame.size
    arguments = dict(bind(c, row, node, scope.inner(label)))
    merge = merge_named(c, _fixed(c, arguments, "merge", node.span), node.span)
    inner = scope.inner(label)
    given = scope.frame.cell()
    parts = []
    for statement in node.body.statements:
        if not isinstance(statement, s.Do):
            c.problems.error("bad-member", "a branch is an operation or a block `{ … }`", statement.span)
            continue
        branch = do(c, statement.value, inner, "")
        parts.append(Part(given, branch, scope.frame.cell()))
    if not parts:
        c.problems.error("bad-member", f"`{row.name}` has no branch", node.span)
        parts.append(Part(given, None, scope.frame.cell()))
    joined = join(c, tuple(parts), merge, inner, label or merge.name, first, node.span)
    return sequence([kept(given), joined], (0, 0), node.span)


# --- dag ------------------------------------------------------------------------------------


def dag(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, do: Do, let: Let) -> Statement:
    """Named wires; `output` is what the graph gives."""
    assert node.body is not None
    inner = scope.inner(label)
    first = scope.frame.size
    wires = {"input": scope.frame.cell()}
    read: set[str] = set()
    items: list[Statement] = [kept(wires["input"])]
    has_output = False
    for statement in node.body.statements:
        if isinstance(statement, s.Let):
            let(c, statement, inner)
        elif isinstance(statement, s.Wire):
            name = ".".join(statement.target)
            if has_output or name in wires:
                message = (
                    f"wire `{name}` comes after the output" if has_output else f"`{name}` is wired twice"
                )
                c.problems.error("duplicate-name", message, statement.span)
                continue
            items += _wire(c, statement, name, inner, wires, read, do)
            has_output = name == "output"
        else:
            message = "a dag holds wires: `name = operation from name`"
            c.problems.error("bad-wire", message, statement.span)
    if not has_output:
        c.problems.error("bad-wire", "a dag needs `output = …`", node.span)
    for name in wires:
        if name not in read and name != "output":
            c.problems.warn("unused-wire", f"nothing reads the wire `{name}`", node.span)
    return sequence(items, (first, scope.frame.size), node.span)


def _wire(
    c: Checker,
    node: s.Wire,
    name: str,
    scope: Scope,
    wires: dict[str, int],
    read: set[str],
    do: Do,
) -> list[Statement]:
    """What makes one wire: its sources joined, its operation, its cell."""
    merge = node.value.id if isinstance(node.value, s.Name) and node.value.id in _JOINS else None
    gathered = _gather(c, node, name, merge or "add", scope, wires, read)
    if gathered is None:
        return []
    items: list[Statement] = [gathered]
    if merge is None:
        operation = do(c, node.value, scope.inner(name), "")
        items += [operation] if operation is not None else []
    wires[name] = scope.frame.cell()
    return [*items, kept(wires[name])]


_JOINS = ("add", "concat", "mean", "mul")


def _gather(
    c: Checker,
    node: s.Wire,
    name: str,
    merge: str,
    scope: Scope,
    wires: dict[str, int],
    read: set[str],
) -> Join | None:
    if not node.sources:
        c.problems.error("bad-wire", f"`{name}` says no source: `{name} = … from input`", node.span)
        return None
    first = scope.frame.size
    row = merge_named(c, merge, node.span)
    if len(node.sources) == 1:
        count = any_of(c, node.sources[0], scope)
        if count is not None:
            names = list(wires)
            read.update(names)
            picked = subsets(c, scope.inner(name), names, count, "from", node.span)
            if picked is None:
                return None
            parts = tuple(Part(wires[n], None, scope.frame.cell()) for n in names)
            return join(c, parts, row, scope, name, first, node.span, *picked)
    sources = [cell for source in node.sources if (cell := _source(c, source, wires, read)) is not None]
    if len(sources) < len(node.sources):
        return None
    parts = tuple(Part(cell, None, scope.frame.cell()) for cell in sources)
    return join(c, parts, row, scope, name, first, node.span)


def _source(c: Checker, node: s.Value, wires: dict[str, int], read: set[str]) -> int | None:
    if not isinstance(node, s.Name):
        c.problems.error("bad-wire", "after `from` stand wires, or `any(2, earlier)`", node.span)
        return None
    if node.id == "unused":
        c.problems.error("not-yet", "`unused` is not part of this version; name the wires", node.span)
        return None
    if node.id not in wires:
        message = f"no wire is called `{node.id}` here"
        c.problems.unknown("unknown-name", message, node.span, node.id, wires)
        return None
    read.add(node.id)
    return wires[node.id]


# --- cell -----------------------------------------------------------------------------------


def cell(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, do: Do) -> Statement:
    """A node reads every earlier one (or `any(k)` of them), each through a fresh body.

    Complete: NAS-Bench-201 (Dong & Yang 2020). `edges = any(2)`, `output = concat`: DARTS (Liu et
    al. 2019). Both inputs of a cell are the wire it stands on.
    """
    assert node.body is not None
    plain = s.Call(
        node.name, tuple(a for a in node.arguments if a.name not in ("edges", "output")), node.body
    )
    arguments = dict(
        bind(c, row, s.Call(plain.name, plain.arguments, plain.body, span=node.span), scope.inner(label))
    )
    count, inputs = _fixed(c, arguments, "nodes", node.span), _fixed(c, arguments, "inputs", node.span)
    merge = merge_named(c, _fixed(c, arguments, "merge", node.span), node.span)
    if not (isinstance(count, int) and isinstance(inputs, int) and inputs < count <= _MOST_NODES):
        message = f"a cell has at least one node beside its inputs, and at most {_MOST_NODES} nodes"
        c.problems.error("bad-range", message, node.span)
        return sequence([], (0, 0), node.span)
    edges = _edges(c, node, scope)
    name = scope.fresh(label or "cell")
    inner = scope.inner(name)
    first = scope.frame.size
    given = scope.frame.cell()
    nodes = [given] * inputs
    items: list[Statement] = [kept(given)]
    for number in range(inputs, count):
        joined = _node(c, node, inner, nodes, number, edges, merge, do)
        if joined is None:
            return sequence([], (0, 0), node.span)
        nodes.append(scope.frame.cell())
        items += [joined, kept(nodes[-1])]
    items += _cell_output(c, node, scope, nodes[inputs:])
    return sequence(items, (first, scope.frame.size), node.span)


def _node(
    c: Checker,
    node: s.Call,
    scope: Scope,
    nodes: list[int],
    number: int,
    edges: int | None,
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
        parts.append(Part(source, edge, scope.frame.cell()))
    found = picked if picked is not None else (None, None)
    return join(c, tuple(parts), merge, inner, merge.name, first, node.span, *found)


def _edges(c: Checker, node: s.Call, scope: Scope) -> int | None:
    for argument in node.arguments:
        if argument.name == "edges":
            count = any_of(c, argument.value, scope)
            if count is None:
                message = "`edges` says how many earlier nodes each node reads: `edges = any(2)`"
                c.problems.error("bad-wire", message, argument.span)
            return count
    return None


def _cell_output(c: Checker, node: s.Call, scope: Scope, inner: list[int]) -> list[Statement]:
    for argument in node.arguments:
        if argument.name != "output":
            continue
        if not isinstance(argument.value, s.Name):
            c.problems.error(
                "bad-wire", "`output` of a cell is a way to join: `output = concat`", argument.span
            )
            return []
        merge = merge_named(c, argument.value.id, argument.span)
        first = scope.frame.size
        parts = tuple(Part(one, None, scope.frame.cell()) for one in inner)
        return [join(c, parts, merge, scope, merge.name, first, argument.span)]
    return []
