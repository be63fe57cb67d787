"""Decisions between statements: `A | B` and `X?`, from their syntax to forks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from nasdsl.language import syntax as s
from nasdsl.language.alternatives import answers_of, weights_of
from nasdsl.language.configuration import YES_OR_NO
from nasdsl.language.decisions import Answer, Options
from nasdsl.language.scope import Checker, Scope
from nasdsl.language.tree import CONTROL, ChoiceHole, Constant, Fork, Statement, ValueTerm

# How a value is resolved as a statement: `statements.do`, handed in since it hands over to here.
Do: TypeAlias = Callable[[Checker, s.Value, Scope, str], Statement | None]


def choice(c: Checker, node: s.Choice, scope: Scope, label: str, do: Do) -> Statement:
    """One of several statements."""
    first = scope.frame.size
    name = scope.fresh(label or "choice")
    cell = scope.frame.cell()
    bodies: dict[Answer, Statement | None] = {}
    alternatives = []
    for answer, alternative in zip(answers_of(c, node, None), node.alternatives, strict=True):
        inner = scope.inner(name if label else "", str(answer)).alternative()
        bodies[answer] = do(c, alternative.value, inner, "")
        alternatives.append(inner)
    scope.absorb(*alternatives)
    domain = Options(tuple(bodies), weights_of(c, node))
    key, site = scope.prefix + name, scope.site + name
    places = [one.span for one in node.alternatives]
    options: dict[Answer, ValueTerm] = {
        answer: Constant(str(answer), span=at) for answer, at in zip(bodies, places, strict=True)
    }
    hole = ChoiceHole(cell, scope.label, key, site, CONTROL, domain, options, span=node.span)
    return Fork((first, cell + 1), hole, bodies, span=node.span)


def optional(c: Checker, node: s.Value, inner: s.Value, scope: Scope, label: str, do: Do) -> Statement:
    """A statement or nothing."""
    first = scope.frame.size
    name = scope.fresh(label or name_of(inner))
    cell = scope.frame.cell()
    there = scope.inner(name, "yes")
    done = do(c, inner, there, "")
    key, site = scope.prefix + name, scope.site + name
    options: dict[Answer, ValueTerm] = {False: Constant(False), True: Constant(True)}
    hole = ChoiceHole(cell, scope.label, key, site, CONTROL, YES_OR_NO, options, span=node.span)
    return Fork((first, cell + 1), hole, {False: None, True: done}, span=node.span)


def name_of(node: s.Value) -> str:
    """What the decision whether a statement is there is called."""
    match node:
        case s.Name(id=name) | s.Call(name=name) | s.Labelled(label=name):
            return name
        case _:
            return "optional"
