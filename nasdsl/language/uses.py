"""The use of a block: its arguments bound to its parameters."""

from __future__ import annotations

from nasdsl.language import syntax as s
from nasdsl.language.expressions import OPERATORS
from nasdsl.language.node import replace
from nasdsl.language.recursion import DEPTH, MOST_DEEP
from nasdsl.language.scope import Checker, Scope, Wanted
from nasdsl.language.signatures.signature import integer
from nasdsl.language.surroundings import Surroundings
from nasdsl.language.terms import mark
from nasdsl.language.tree import (
    CONTROL,
    PLAIN,
    Branch,
    Cell,
    Constant,
    Definition,
    Leave,
    Operation,
    Refuse,
    Statement,
    Use,
    ValueTerm,
)
from nasdsl.language.values import refuse_unused, value
from nasdsl.language.wires import kept, sequence


def use(c: Checker, node: s.Call, definition: Definition, scope: Scope, label: str) -> Statement | None:
    if node.body is not None:
        help = f"its body stands where it is defined, {c.problems.where(c.blocks[definition.name].span)}"
        c.problems.error("no-body", f"block `{node.name}` takes no body", node.body.span, help)
    scope.references[node.span.start] = c.blocks[definition.name].span
    definition, hidden = _surrounded(c, definition, scope)
    first = scope.frame.size
    key = scope.prefix + scope.fresh(label or node.name)
    inner_label = scope.frame.cell()
    wires = _wires(c, node, definition, scope)
    node, most = _max_depth(c, node)
    arguments = _use_arguments(c, node, definition, scope.labelled(inner_label), wires)
    if arguments is None:
        return None
    arguments += hidden
    limit = None
    if node.name in c.bounded:
        arguments = (*arguments, _depth(c, node.name))
        # Decided before the block is entered, so it stands beside the block, not within it.
        limit = value(c, most, scope, Wanted(DEPTH, integer(1, MOST_DEEP))) if most else None
    c.uses.append((definition, arguments))
    leave = Leave((first, scope.frame.size))
    used = Use((0, 0), definition, arguments, scope.label, key, inner_label, leave, span=node.span)
    made = used if limit is None else _limited(node.name, used, arguments[-1], limit)
    if len(wires) != 1 or scope.fed:
        return made
    return sequence([kept(wires[0]), made], (0, 0), node.span)


def _max_depth(c: Checker, node: s.Call) -> tuple[s.Call, s.Value | None]:
    """The use without its `max_depth`, and that: it stands where a block uses itself."""
    if node.name not in c.bounded or c.within is None or c.within[0] != node.name:
        return node, None
    given = [argument.value for argument in node.arguments if argument.name == DEPTH]
    if len(given) > 1:
        c.problems.error(
            "duplicate-argument", f"`{DEPTH}` is given twice", node.span, "leave one of them out"
        )
    others = tuple(argument for argument in node.arguments if argument.name != DEPTH)
    return replace(node, arguments=others), given[0] if given else None


def _depth(c: Checker, name: str) -> ValueTerm:
    """How deep in itself a block stands where it is used: 1 from outside, one more from inside."""
    if c.within is None or c.within[0] != name:
        return Constant(1)
    return Operation("+", OPERATORS["+"], (c.within[1], Constant(1)))


def _limited(name: str, used: Use, depth: ValueTerm, limit: ValueTerm) -> Statement:
    """A use that is there as long as the block does not stand too deep in itself."""
    for term in (depth, limit):
        mark(term, CONTROL)
    fits = Operation("<=", OPERATORS["<="], (depth, limit))
    refused = Refuse((0, 0), f"block `{name}` stands deeper in itself than `max_depth` says", span=used.span)
    return Branch((0, 0), fits, used, refused, span=used.span)


def _wires(c: Checker, node: s.Call, definition: Definition, scope: Scope) -> list[int]:
    """The cells of the wires that go into a block, in the order of its parameters."""
    count = len(definition.wires)
    if count < 2 or scope.fed is not None:
        return list(scope.fed or ()) or [scope.frame.cell() for _ in range(count)]
    names = " and ".join(f"`{name}`" for name in definition.parameters if name in definition.wires)
    message = f"block `{node.name}` takes {count} wires, {names}"
    help = f"name them in a dag: `x = {node.name}(…) from {', '.join('abcdefgh'[:count])}`"
    c.problems.error("bad-wire", message, node.span, help)
    return [0] * count


def _use_arguments(
    c: Checker, node: s.Call, definition: Definition, scope: Scope, wires: list[int]
) -> tuple[ValueTerm, ...] | None:
    written = c.blocks[definition.name]
    given: dict[str, s.Value] = {}
    names = [p.name for p in written.parameters if p.name not in definition.wires]
    for position, argument in enumerate(node.arguments):
        name = argument.name or (names[position] if position < len(names) else None)
        if name is None:
            message = f"block `{node.name}` takes {len(names)} argument{'s' * (len(names) != 1)}"
            c.problems.error("too-many-arguments", message, argument.value.span, _usage(c, written))
        elif name in definition.wires:
            help = f"write `x = {node.name}(…) from …` in a dag"
            c.problems.error("bad-wire", f"the wire `{name}` goes after `from`", argument.span, help)
        elif argument.unused:
            refuse_unused(c, argument)
        elif name not in names:
            message = f"block `{node.name}` has no parameter `{name}`"
            help = f"`{DEPTH}` stands where a block uses itself: in the body of `{node.name}`"
            c.problems.unknown(
                "unknown-argument", message, argument.span, name, names, help if name == DEPTH else ""
            )
        elif name in given:
            c.problems.error(
                "duplicate-argument", f"`{name}` is given twice", argument.span, _usage(c, written)
            )
        else:
            given[name] = argument.value
    outer, c.beside = c.beside, given
    terms = _terms(c, node, definition, scope, wires, given)
    c.beside = outer
    return terms


def _terms(
    c: Checker,
    node: s.Call,
    definition: Definition,
    scope: Scope,
    wires: list[int],
    given: dict[str, s.Value],
) -> tuple[ValueTerm, ...] | None:
    written = c.blocks[definition.name]
    terms: list[ValueTerm] = []
    left = iter(wires)
    for parameter in written.parameters:
        if parameter.name in definition.wires:
            terms.append(Cell(next(left), parameter.name))
            continue
        chosen = given.get(parameter.name, parameter.default)
        if chosen is None:
            message = f"block `{node.name}` needs `{parameter.name}`"
            where = f"{_usage(c, written)}, defined {c.problems.where(written.span)}"
            c.problems.error("missing-argument", message, node.span, where)
            return None
        terms.append(value(c, chosen, scope, Wanted(parameter.name, None, PLAIN)))
    return tuple(terms)


def _usage(c: Checker, block: s.BlockDefinition) -> str:
    """`usage: f(width, rate = 0.1)`."""
    given = [p for p in block.parameters if p.kind != "wire"]
    shown = [p.name if p.default is None else f"{p.name} = {c.unparse(p.default)}" for p in given]
    return f"usage: {block.name}({', '.join(shown)})"


def _surrounded(c: Checker, definition: Definition, scope: Scope) -> tuple[Definition, tuple[ValueTerm, ...]]:
    """The block as it is within `with`, `frozen` or `pretrained`, and what their names stand for here."""
    around = scope.surroundings
    if not around:
        return definition, ()
    names = around.free_names()
    hidden = tuple(_meaning(around, name) for name in names)
    key = (definition.name, around.key(), names)
    found = c.surrounded.get(key)
    if found is None:
        written = c.blocks[definition.name]
        own = tuple(parameter.name for parameter in written.parameters)
        depth = (DEPTH,) if definition.name in c.bounded else ()
        found = c.surrounded[key] = Definition(definition.name, (*own, *names, *depth), definition.wires)
        c.define(written, found, around)
    return found, hidden


def _meaning(around: Surroundings, name: str) -> ValueTerm:
    """What a free name of the defaults stands for where they are written."""
    wheres = (one.where for one in around.defaults.values() if one.where.is_local(name))
    term = next(wheres).find(name)
    assert term is not None
    return term
