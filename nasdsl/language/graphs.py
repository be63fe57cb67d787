"""Branches and named wires: `parallel { }` and `dag { }`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from nasdsl.language import syntax as s
from nasdsl.language.choosing import AnyOf, any_of, choosing
from nasdsl.language.errors import Span
from nasdsl.language.forking import Do
from nasdsl.language.merging import Joining, joined, operate, ways_of
from nasdsl.language.scope import Binding, Checker, NamedWire, Scope
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.tree import Choosing, Feed, Part, Sources, Statement
from nasdsl.language.values import bind
from nasdsl.language.wires import all_of, asks_beside, asks_unused, kept, merge_named, present, sequence

Let = Callable[[Checker, s.Let, Scope], None]


def parallel(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, do: Do) -> Statement:
    """Branches on one input, joined. Each statement of the body is a branch."""
    assert node.body is not None
    first = scope.frame.size
    arguments = dict(bind(c, row, node, scope.inner(label)))
    merge = arguments["merge"]
    present(c, arguments, "merge")
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
    name = label or (merge_named(c, ways[0], node.span).name if len(ways) == 1 else row.name)
    slots, place = (first, scope.frame.size), inner.fresh_place(name)
    together = joined(c, merge, Joining(all_of(parts), slots, inner.label, place, node.span, is_graph=False))
    return sequence([kept(given), together], (0, 0), node.span)


# --- dag ------------------------------------------------------------------------------------


@dataclass
class _Dag:
    """A dag while it is resolved: the wires that it may read as `earlier` or `unused`, by name, its
    outputs by name, whether it asks for what nobody has read, and with something else beside it."""

    scope: Scope
    asks: bool
    beside: bool
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
    found = _Dag(inner, asks_unused(node.body), asks_beside(node.body), outputs)
    items: list[Statement] = [*_given(c, node, found)]
    for statement in node.body.statements:
        if isinstance(statement, s.Let):
            let(c, statement, inner)
        elif isinstance(statement, s.Wire):
            items += _wire(c, statement, found, do)
        else:
            message = "a dag holds wires: `name = operation from name`"
            what = "the `if`" if isinstance(statement, s.If) else "it"
            help = f"put {what} around the dag, or into a block that makes a wire: `a = part() from input`"
            c.problems.error("bad-wire", message, statement.span, help)
    only_wires = all(isinstance(one, s.Let | s.Wire) for one in node.body.statements)  # else told already
    if only_wires and not outputs and "output" not in found.wires:
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
    count = _number(sources)
    if count != str(takes):
        message = f"`{name}` is a block of {takes} wires, and {count} stand after `from`"
        help = f"write as many, for example `from {', '.join(list(found.scope.wires)[:takes])}`"
        c.problems.error("bad-wire", message, node.span, help)
        return None
    return [Feed((first, scope.frame.size), sources, into, scope.label, span=node.span)], into


def _number(sources: Sources) -> str:
    """How many wires are read, in words."""
    if any(part.spare for part in sources.parts) or any(one.count is not None for one in sources.choosings):
        return "a number that is not known"
    least = most = len(sources.sure)
    for one in sources.choosings:
        counts = {len(numbers) for subset in one.subsets.values() for numbers in subset.chosen.values()}
        least, most = least + min(counts), most + max(counts)
    return str(least) if least == most else f"{least} to {most}"


def _gathered(c: Checker, node: s.Wire, name: str, found: _Dag) -> Joining | None:
    """The sources of a wire that is one."""
    first = found.scope.frame.size
    sources = _sources(c, node, name, found)
    if sources is None:
        return None
    slots, place = (first, found.scope.frame.size), found.scope.fresh_place(name)
    return Joining(sources, slots, found.scope.label, place, node.span)


def _sources(c: Checker, node: s.Wire, name: str, found: _Dag) -> Sources | None:
    """What a wire is made of: the wires that are named, all that nobody has read, and what decisions pick."""
    if not node.sources:
        help = f"say what it reads: `{name} = {_spelt(c, node.value, found)}`"
        c.problems.error("bad-wire", f"the wire `{name}` says no source", node.span, help)
        return None
    asked = [(source, any_of(c, source, found.scope)) for source in node.sources]
    parts: list[Part] = []
    taken: list[NamedWire] = []
    for source in (source for source, one in asked if one is None):
        named = _source(c, source, found)
        if named is None:
            return None
        for wire in named:
            taken.append(wire)
            parts.append(_part(found, wire))
            _read(wire, "yes" if any(wire is own for own in found.wires.values()) else "maybe")
    choosings, there = [], list(parts)
    unused = s.Name("unused") in node.sources
    spare = _unused(found, {id(wire) for wire in taken}) if unused else {}
    taken += [found.wires[name] for name, is_spare in spare.items() if not is_spare]
    for one in (one for _, one in asked if one is not None):
        offered = _offered(c, one, found, taken)
        if offered is None:
            return None
        numbers = {wire: len(parts) + number for number, wire in enumerate(offered)}
        picked = choosing(c, found.scope.inner(name), numbers, one, least=0 if there or unused else 1)
        if picked is None:
            return None
        for wire in offered.values():
            parts.append(_part(found, wire))
            _read(wire, "yes" if _takes_all(picked, len(offered)) else "maybe")
        choosings.append(picked)
    left = [_part(found, found.wires[name], is_spare) for name, is_spare in spare.items()]
    there, parts = there + left, parts + left
    return Sources(tuple(parts), tuple(n for n, part in enumerate(parts) if part in there), tuple(choosings))


def _offered(c: Checker, asked: AnyOf, found: _Dag, taken: list[NamedWire]) -> dict[str, NamedWire] | None:
    """The wires that `any(…)` picks from: those it lists, or all earlier ones that are not named beside it."""
    if not asked.names:
        return {name: one for name, one in found.wires.items() if all(one is not other for other in taken)}
    offered = {}
    for name in asked.names:
        wires = _source(c, name, found)
        if wires is None:
            return None
        if not wires or name.id in offered or any(wires[0] is one for one in taken):
            what = (
                f"`{name.id}` is listed twice"
                if name.id in offered
                else f"`{name.id}` stands beside it, by its name or as `unused`"
            )
            message = f"{what if wires else '`unused` is no wire'}, and `any` picks among distinct ones"
            c.problems.error("bad-wire", message, name.span, "leave it out, or name another wire")
            return None
        offered[name.id] = wires[0]
    return offered


def _takes_all(picked: Choosing, there: int) -> bool:
    """Whether the decision reads every wire that it is offered."""
    return all(len(numbers) == there for one in picked.subsets.values() for numbers in one.chosen.values())


_OF_SIGNS = {"+": "add", "*": "mul"}


def _spelt(c: Checker, node: s.Value, found: _Dag) -> str:
    """What a wire without a source may have meant: another wire, or an operation called with wires."""
    match node:
        case s.Name(id=name) if name in found.scope.wires:
            return f"identity from {name}"
        case s.Call(name=name, arguments=arguments) if arguments and all(
            _is_wire(a.value, found) for a in arguments
        ):
            return f"{name} from {', '.join(c.unparse(a.value) for a in arguments)}"
        case s.Binary(operator=sign, left=left, right=right) if sign in _OF_SIGNS:
            return f"{_OF_SIGNS[sign]} from {c.unparse(left)}, {c.unparse(right)}"
        case _:
            return f"{c.unparse(node)} from input"


def _is_wire(node: s.Value, found: _Dag) -> bool:
    return isinstance(node, s.Name) and node.id in found.scope.wires


def _part(found: _Dag, wire: NamedWire, spare: bool = False) -> Part:
    return Part(wire.cell, None, found.scope.frame.cell(), wire.flag, spare, found.beside)


def _unused(found: _Dag, taken: set[int]) -> dict[str, bool]:
    """Every wire that nobody has read: certainly, or (True) perhaps, by what a decision says."""
    spare = {}
    for name, wire in found.wires.items():
        if id(wire) not in taken and wire.read != "yes":
            spare[name] = wire.read == "maybe"
            _read(wire, "yes")
    return spare


def _read(wire: NamedWire, how: str) -> None:
    if wire.read != "yes":
        wire.read = how
    if wire.binding is not None:
        wire.binding.used = True


def _source(c: Checker, node: s.Value, found: _Dag) -> list[NamedWire] | None:
    """The wire that a source names; none for `unused`; None where a problem has been reported."""
    if not isinstance(node, s.Name):
        message = "after `from` stand wires, `any(2, earlier)` or `any(2, a, b, c)`"
        what = c.unparse(node) if isinstance(node, s.Call) else "…"
        help = f"sources are names of wires: name it first, `p = {what} from …`, then read `p`"
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
