"""Branches and named wires: `parallel { }` and `dag { }`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from nasdsl.language import syntax as s
from nasdsl.language.decisions import Answer
from nasdsl.language.errors import Span
from nasdsl.language.forking import Do
from nasdsl.language.merging import Sources, decided, operate, ways_of
from nasdsl.language.scope import Binding, Checker, NamedWire, Scope
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.tree import ChoiceHole, Constant, Feed, Part, Statement, ValueTerm
from nasdsl.language.values import bind
from nasdsl.language.wires import any_of, asks_unused, join, kept, merge_named, sequence, subsets

Let = Callable[[Checker, s.Let, Scope], None]


def fixed(c: Checker, arguments: dict[str, ValueTerm], name: str, span: Span) -> object:
    term = arguments[name]
    if isinstance(term, Constant):
        return term.value
    help = f"write one value for `{name}`, or alternatives around it: `{{ … }} | {{ … }}`"
    c.problems.error("not-yet", f"`{name}` is not a decision in this version", span, help)
    return None


def parallel(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, do: Do) -> Statement:
    """Branches on one input, joined. Each statement of the body is a branch."""
    assert node.body is not None
    first = scope.frame.size
    arguments = dict(bind(c, row, node, scope.inner(label)))
    merge = arguments["merge"]
    inner = scope.inner(label)
    given = scope.frame.cell()
    parts = []
    for statement in node.body.statements:
        if not isinstance(statement, s.Do):
            help = (
                "a `let` goes before the `parallel`"
                if isinstance(statement, s.Let)
                else "put it into braces: `{ … }`"
            )
            c.problems.error(
                "bad-member", "a branch is an operation or a block `{ … }`", statement.span, help
            )
            continue
        branch = do(c, statement.value, inner, "")
        parts.append(Part(given, branch, scope.frame.cell()))
    if not parts:
        help = f"each line of the body is a branch: `{row.name} {{ conv2d(16); max_pool(3, stride = 1) }}`"
        c.problems.error("bad-member", f"`{row.name}` has no branch", node.span, help)
        parts.append(Part(given, None, scope.frame.cell()))
    ways = ways_of(merge)
    if len(ways) == 1:
        row = merge_named(c, ways[0], node.span)
        joined: Statement = join(c, tuple(parts), row, inner, label or row.name, first, node.span)
    else:
        slots, place = (first, scope.frame.size), inner.fresh_place(label or row.name)
        sources = Sources(tuple(parts), None, {}, slots, inner.label, place, node.span)
        joined = decided(merge, ways, sources)
    return sequence([kept(given), joined], (0, 0), node.span)


# --- dag ------------------------------------------------------------------------------------


@dataclass
class _Dag:
    """A dag while it is resolved: the wires that it may read as `earlier` or `unused`, by name, its
    outputs by name, and whether it asks for what nobody has read."""

    scope: Scope
    asks: bool
    outputs: dict[str, int]
    wires: dict[str, NamedWire] = field(default_factory=dict)
    done_outputs: set[str] = field(default_factory=set)

    def name(self, name: str, cell: int, span: Span, binding: Binding | None = None) -> None:
        flag = self.scope.frame.cell() if self.asks else None
        self.wires[name] = self.scope.wires[name] = NamedWire(cell, span, flag, binding=binding)


def dag(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, do: Do, let: Let) -> Statement:
    """Named wires; `output` is what the graph gives, or each `output.name` of a network."""
    assert node.body is not None
    outputs = _outputs(c, node, scope)
    inner = replace(scope.inner(label), wires=dict(scope.wires), fed=None)
    first = scope.frame.size
    found = _Dag(inner, asks_unused(node.body), outputs)
    items: list[Statement] = [*_given(c, node, found)]
    for statement in node.body.statements:
        if isinstance(statement, s.Let):
            let(c, statement, inner)
        elif isinstance(statement, s.Wire):
            items += _wire(c, statement, found, do)
        else:
            message = "a dag holds wires: `name = operation from name`"
            help = "put it around the dag, or into a block that makes a wire: `a = part() from input`"
            c.problems.error("bad-wire", message, statement.span, help)
    if not outputs and "output" not in found.wires:
        help = "say what it gives as its last wire, for example `output = add from a, b`"
        c.problems.error("bad-wire", "a dag needs `output = …`", node.span, help)
    _warn_unread(c, node, found, bool(scope.wires))
    return sequence(items, (first, scope.frame.size), node.span)


def _outputs(c: Checker, node: s.Call, scope: Scope) -> dict[str, int]:
    """The cells of `output.cls`, `output.box`, …: they outlive the dag."""
    assert node.body is not None
    targets = [one.target for one in node.body.statements if isinstance(one, s.Wire)]
    names = dict.fromkeys(".".join(target[1:]) for target in targets if target[0] == "output" and target[1:])
    if not names:
        return {}
    if c.outputs is None or id(node) not in c.last_statements:
        message = "several outputs are those of the network: they stand in a dag that ends it"
        c.problems.error("bad-wire", message, node.span, "in another graph, give the wires plain names")
        return dict.fromkeys(names, 0)
    c.outputs |= {name: scope.frame.cell() for name in names}
    return c.outputs


def _given(c: Checker, node: s.Call, found: _Dag) -> Iterator[Statement]:
    """The wires that are there: `input`, and those of the block or network that the dag is all of."""
    named = found.scope.wires if id(node) in c.whole_bodies else {}
    for name, wire in list(named.items()):
        found.name(name, wire.cell, wire.span, wire.binding)
    if named:
        found.scope.wires["input"] = found.wires[next(iter(named))]
        return
    cell = found.scope.frame.cell()
    found.name("input", cell, node.span)
    yield kept(cell)


def _warn_unread(c: Checker, node: s.Call, found: _Dag, has_others: bool) -> None:
    """`has_others`: wires with names stand around, and what flows in need not be read."""
    for name, wire in found.wires.items():
        if (
            wire.read != "no"
            or wire.binding is not None
            or name == "output"
            or (name == "input" and has_others)
        ):
            continue
        help = "begin a wire with `from input`" if name == "input" else "leave it out, or read it with `from`"
        c.problems.warn("unused-wire", f"nothing reads the wire `{name}`", wire.span, help)


def _wire(c: Checker, node: s.Wire, found: _Dag, do: Do) -> list[Statement]:
    """What makes one wire: its sources joined, its operation, its cell."""
    name = _target(c, node, found)
    if name is None:
        return []
    inner, items = found.scope.inner(name), list[Statement]()
    takes = _takes(c, node, found.scope)
    if takes is not None:
        fed = _fed(c, node, name, takes, found)
        items, into = fed if fed is not None else ([], (0,) * takes)
        operation = do(c, node.value, replace(inner, fed=into), "")
    else:
        gathered = _gathered(c, node, name, found)
        operation = operate(c, node.value, inner, "", gathered, do) if gathered is not None else None
    items += [operation] if operation is not None else []
    if name.startswith("output."):
        return [*items, kept(found.outputs[name.removeprefix("output.")])]
    cell = found.scope.frame.cell()
    found.name(name, cell, node.span)
    return [*items, kept(cell)]


def _target(c: Checker, node: s.Wire, found: _Dag) -> str | None:
    """The name of a wire; None where it cannot have it."""
    name = ".".join(node.target)
    if len(node.target) > 1 and node.target[0] != "output":
        message = "a name with a `.` is an output of the network: `output.cls = …`"
        c.problems.error("bad-wire", message, node.span, f"call the wire `{'_'.join(node.target)}`")
    elif "output" in found.wires:
        c.problems.error(
            "duplicate-name", f"wire `{name}` comes after the output", node.span, "put `output` last"
        )
    elif name == "output" and found.outputs:
        message = "`output` and outputs with names do not go together"
        c.problems.error("duplicate-name", message, node.span, "give this one a name too: `output.main = …`")
    elif name in found.wires or name == "input":
        what = "is what flows into the dag" if name == "input" else "is wired twice"
        c.problems.error("duplicate-name", f"`{name}` {what}", node.span, "give this wire another name")
    else:
        if not name.startswith("output."):
            return name
        done = found.done_outputs
        if name not in done:
            done.add(name)
            return name
        c.problems.error(
            "duplicate-name", f"`{name}` is wired twice", node.span, "give this one another name"
        )
    return None


def _takes(c: Checker, node: s.Wire, scope: Scope) -> int | None:
    """How many wires the block of a wire takes; None where it is no block of several."""
    counts = [_count(leaf, scope) for leaf in _leaves(node.value)]
    most = max(counts)
    if most < 2:
        return None
    if min(counts) < most:
        message = f"one alternative takes {most} wires, another does not"
        c.problems.error("bad-wire", message, node.span, "give every alternative a block of as many wires")
    return most


def _count(node: s.Value, scope: Scope) -> int:
    name = node.id if isinstance(node, s.Name) else node.name if isinstance(node, s.Call) else ""
    return len(scope.definitions[name].wires) if name in scope.definitions else 0


def _leaves(node: s.Value) -> list[s.Value]:
    """What a value can come down to, where it stands as a statement."""
    match node:
        case s.Choice(alternatives=alternatives):
            return [leaf for one in alternatives for leaf in _leaves(one.value)]
        case s.Labelled(value=s.Repeat() | s.Pick() | s.Permute()):
            return [s.Block(())]
        case s.Labelled(value=inner):
            return _leaves(inner)  # type: ignore[arg-type]
        case _:
            return [node]


# --- sources --------------------------------------------------------------------------------


def _fed(
    c: Checker, node: s.Wire, name: str, takes: int, found: _Dag
) -> tuple[list[Statement], tuple[int, ...]] | None:
    """The wires that go into a block of several, and the cells that they go into."""
    scope = found.scope
    into = tuple(scope.frame.cell() for _ in range(takes))
    first = scope.frame.size
    sources = _sources(c, node, name, found)
    if sources is None:
        return None
    parts, picked, count = sources
    if count != str(takes) or any(part.spare for part in parts):
        there = "a number that is not known" if any(part.spare for part in parts) else count
        message = f"`{name}` is a block of {takes} wires, and {there} stand after `from`"
        help = f"write as many, for example `from {', '.join(list(found.scope.wires)[:takes])}`"
        c.problems.error("bad-wire", message, node.span, help)
        return None
    hole, chosen = picked or (None, {})
    return [Feed((first, scope.frame.size), parts, hole, chosen, into, scope.label, span=node.span)], into


def _gathered(c: Checker, node: s.Wire, name: str, found: _Dag) -> Sources | None:
    """The sources of a wire that is one."""
    first = found.scope.frame.size
    sources = _sources(c, node, name, found)
    if sources is None:
        return None
    parts, picked, _ = sources
    hole, chosen = picked or (None, {})
    slots, place = (first, found.scope.frame.size), found.scope.fresh_place(name)
    return Sources(parts, hole, chosen, slots, found.scope.label, place, node.span)


Picked: TypeAlias = tuple[ChoiceHole, dict[Answer, tuple[int, ...]]]


def _sources(
    c: Checker, node: s.Wire, name: str, found: _Dag
) -> tuple[tuple[Part, ...], Picked | None, str] | None:
    """The parts that a wire is made of, which of them is the decision, and how many it is made of, in words."""
    if not node.sources:
        help = f"say what it reads: `{name} = {c.unparse(node.value)} from input`"
        c.problems.error("bad-wire", f"the wire `{name}` says no source", node.span, help)
        return None
    if len(node.sources) == 1 and (counts := any_of(c, node.sources[0], found.scope)) is not None:
        wires = found.wires
        picked = subsets(c, found.scope.inner(name), list(wires), counts, "from", node.span)
        if picked is None:
            return None
        for wire in wires.values():
            _read(wire, "yes" if counts.start == len(wires) else "maybe")
        is_fixed = len(counts) == 1 or counts.start == len(wires)
        many = str(counts.start) if is_fixed else f"{counts.start} to {counts.stop - 1}"
        return tuple(_part(found, wire) for wire in wires.values()), picked, many
    parts: list[Part] = []
    taken: set[int] = set()
    for source in node.sources:
        named = _source(c, source, found)
        if named is None:
            return None
        for wire in named:
            taken.add(id(wire))
            parts.append(_part(found, wire))
            _read(wire, "yes" if any(wire is own for own in found.wires.values()) else "maybe")
    if s.Name("unused") in node.sources:
        parts += _unused(found, taken)
    return tuple(parts), None, str(len(parts))


def _part(found: _Dag, wire: NamedWire, spare: bool = False) -> Part:
    return Part(wire.cell, None, found.scope.frame.cell(), wire.flag, spare)


def _unused(found: _Dag, taken: set[int]) -> list[Part]:
    """Every wire that nobody has read: certainly, or perhaps by what a decision says."""
    parts = []
    for wire in found.wires.values():
        if id(wire) not in taken and wire.read != "yes":
            parts.append(_part(found, wire, wire.read == "maybe"))
            _read(wire, "yes")
    return parts


def _read(wire: NamedWire, how: str) -> None:
    if wire.read != "yes":
        wire.read = how
    if wire.binding is not None:
        wire.binding.used = True


def _source(c: Checker, node: s.Value, found: _Dag) -> list[NamedWire] | None:
    """The wire that a source names; none for `unused`; None where a problem has been reported."""
    if not isinstance(node, s.Name):
        message = "after `from` stand wires, or `any(2, earlier)` alone"
        help = "make a wire of it first: `a = … from …`, then read `a`"
        c.problems.error("bad-wire", message, node.span, help)
        return None
    if node.id == "unused" and "unused" not in found.scope.wires:
        return []
    if node.id not in found.scope.wires:
        message = f"no wire is called `{node.id}` here"
        c.problems.unknown("unknown-name", message, node.span, node.id, found.scope.wires)
        return None
    wire = found.scope.wires[node.id]
    found.scope.references[node.span.start] = wire.span
    return [wire]
