"""Several weight methods on one weight: `weight = low_rank(8) + nm_sparse(2, 4)`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TypeAlias

from nasdsl.language import syntax as s
from nasdsl.language.scope import Checker, Scope, Wanted
from nasdsl.language.signatures import table
from nasdsl.language.signatures.methods import STACK, clash
from nasdsl.language.signatures.rules import WEIGHT
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.terms import outcomes
from nasdsl.language.tree import Make, ValueTerm

Value: TypeAlias = Callable[[Checker, s.Value, Scope, Wanted], ValueTerm]
_ROW = Signature(STACK, "weight", "Both methods on one weight.")
_MOST_COMBINATIONS = 1000


def is_stack(node: s.Binary, wanted: Wanted) -> bool:
    """Whether `a + b` joins weight methods, and is no sum of numbers."""
    if node.operator != "+":
        return False
    if wanted.kind is not None:
        return wanted.kind == WEIGHT.kind
    return _is_method(node.left) or _is_method(node.right)


def _is_method(node: s.Value) -> bool:
    match node:
        case s.Name(id=name) | s.Call(name=name):
            return table.find(name, WEIGHT.kind.groups) is not None
        case s.Binary(operator="+", left=left, right=right):
            return _is_method(left) or _is_method(right)
        case s.Choice(alternatives=alternatives):
            return all(_is_method(one.value) for one in alternatives)
        case _:
            return False


def stack(c: Checker, node: s.Binary, scope: Scope, wanted: Wanted, value: Value) -> ValueTerm:
    """The term of both. Whatever methods the decisions in it lead to must go together."""
    inner = Wanted(wanted.name, WEIGHT.kind, wanted.role)
    terms = tuple(value(c, one, scope, inner) for one in (node.left, node.right))
    term = Make(_ROW, (("first", terms[0]), ("second", terms[1])), span=node.span)
    for one in (node.left, node.right):
        if isinstance(one, s.Name | s.Call) and (one.id if isinstance(one, s.Name) else one.name) == "plain":
            c.problems.error(
                "weight-clash", "`plain` adds nothing to another method", one.span, "leave it out"
            )
    for names in methods_in(term)[:_MOST_COMBINATIONS]:
        problem = clash(names)
        if problem is not None:
            c.problems.error("weight-clash", problem[0], node.span, problem[1])
            break
    return term


def methods_in(term: ValueTerm) -> list[tuple[str, ...]]:
    """The names of the methods that a weight can come down to, joined ones together; of what is not known
    here (a block's parameter) nothing."""
    found: list[tuple[str, ...]] = []
    for one in outcomes(term):
        if not isinstance(one, Make):
            continue
        if one.signature is not _ROW:
            found.append(() if one.signature.name == "plain" else (one.signature.name,))
            continue
        halves = [methods_in(argument) for _, argument in one.arguments]
        found += [first + second for first, second in product(*halves)]
    return found
