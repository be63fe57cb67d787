"""The statements of `train { }`: settings get values."""

from __future__ import annotations

from dataclasses import replace

from nasdsl.language import syntax as s
from nasdsl.language.errors import Span
from nasdsl.language.scope import Checker, Scope, Wanted
from nasdsl.language.signatures import table
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.terms import has_hole
from nasdsl.language.tree import PLAIN, Assign, Statement
from nasdsl.language.values import make, needs_check, refuse_later, value


def assign(c: Checker, node: s.Wire, scope: Scope) -> Statement | None:
    name = ".".join(node.target)
    if not scope.in_train:
        message = f"`{name} = …` names a wire, and wires belong into `dag {{ }}`"
        help = f"write `let {name} = …` to name a value"
        if isinstance(node.value, s.Call):
            help = f"leave out `{name} =`: each line takes what the line above gives; or put it into a `dag {{ }}`"
        c.problems.error("misplaced-wire", message, node.span, help)
        return None
    if node.sources:
        c.problems.error("misplaced-wire", "a setting takes no `from`", node.span, f"write `{name} = …`")
        return None
    row = table.find(name, ("setting",))
    if row is None:
        known = table.names(("setting",))
        help = f"settings are {', '.join(f'`{one}`' for one in known)}"
        if name in table.names(("regularizer", "augmentation")):
            help = f"it is a call: `{name}({c.unparse(node.value)})`"
        c.problems.unknown("unknown-setting", f"no setting is called `{name}`", node.span, name, known, help)
        return None
    if refuse_later(c, row, node.span) or not _first_setting(c, name, node.span, scope):
        return None
    c.problems.facts.rows[node.span.start] = row
    first = scope.frame.size
    argument = row.arguments[0]
    term = value(c, node.value, scope, Wanted(name, argument.kind, PLAIN))
    checked = replace(argument, name=name, required=False) if needs_check(term, argument) else None
    return Assign((first, scope.frame.size), name, term, checked, span=node.span)


def _first_setting(c: Checker, name: str, span: Span, scope: Scope) -> bool:
    """Once in a point: alternatives that exclude each other may each set it."""
    key = f"={name}"  # no decision is called so
    if key in scope.taken:
        help = f"leave one out, or let it be a choice: `{name} = … | …`"
        c.problems.error("duplicate-setting", f"`{name}` is set twice", span, help)
        return False
    scope.taken.add(key)
    return True


def setting_call(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str) -> Statement | None:
    if not _first_setting(c, row.name, node.span, scope):
        return None
    first = scope.frame.size
    named = scope.prefix.endswith(f"{row.name}/" if scope.in_augment else "/")
    term = make(c, row, node, scope.inner(label or ("" if named else row.name)))
    slots = (first, scope.frame.size) if has_hole(term) else (0, 0)
    return Assign(slots, row.name, term, span=node.span)
