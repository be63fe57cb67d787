"""The use of a block: its arguments bound to its parameters."""

from __future__ import annotations

from nasdsl.language import syntax as s
from nasdsl.language.scope import Checker, Scope, Wanted
from nasdsl.language.tree import PLAIN, Definition, Leave, Statement, Use, ValueTerm
from nasdsl.language.values import value


def use(c: Checker, node: s.Call, definition: Definition, scope: Scope, label: str) -> Statement | None:
    if node.body is not None:
        c.problems.error("no-body", f"block `{node.name}` takes no body", node.body.span)
    scope.references[node.span.start] = c.blocks[definition.name].span
    first = scope.frame.size
    key = scope.prefix + scope.fresh(label or node.name)
    inner_label = scope.frame.cell()
    arguments = _use_arguments(c, node, definition, scope.labelled(inner_label))
    if arguments is None:
        return None
    slots = (first, scope.frame.size)
    return Use((0, 0), definition, arguments, scope.label, key, inner_label, Leave(slots), span=node.span)


def _use_arguments(
    c: Checker, node: s.Call, definition: Definition, scope: Scope
) -> tuple[ValueTerm, ...] | None:
    written = c.blocks[definition.name]
    given: dict[str, s.Value] = {}
    names = [p.name for p in written.parameters]
    for position, argument in enumerate(node.arguments):
        name = argument.name or (names[position] if position < len(names) else None)
        if name is None:
            message = f"block `{node.name}` takes {len(names)} argument{'s' * (len(names) != 1)}"
            c.problems.error("too-many-arguments", message, argument.value.span)
        elif name not in names:
            message = f"block `{node.name}` has no parameter `{name}`"
            c.problems.unknown("unknown-argument", message, argument.span, name, names)
        elif name in given:
            c.problems.error("duplicate-argument", f"`{name}` is given twice", argument.span)
        else:
            given[name] = argument.value
    terms = []
    for parameter in written.parameters:
        chosen = given.get(parameter.name, parameter.default)
        if chosen is None:
            message = f"block `{node.name}` needs `{parameter.name}`"
            where = f"it is defined {c.problems.where(written.span)}"
            c.problems.error("missing-argument", message, node.span, where)
            return None
        terms.append(value(c, chosen, scope, Wanted(parameter.name, None, PLAIN)))
    c.uses.append((definition, tuple(terms)))
    return tuple(terms)
