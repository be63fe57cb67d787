"""The condition of a `require` line, from its syntax to a formula. Every problem is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nasdsl.language import syntax as s
from nasdsl.language.conditions import (
    AGGREGATES,
    All,
    Any_,
    Asked,
    Compared,
    Condition,
    Fixed,
    Formula,
    Gathered,
    Known,
    Latency,
    Probed,
    Worked,
    opposite,
)
from nasdsl.language.expressions import FUNCTIONS, OPERATORS
from nasdsl.language.flat import flat_value
from nasdsl.language.quantities import QUANTITIES
from nasdsl.language.remedies import sum_up
from nasdsl.language.scope import Problems
from nasdsl.language.signatures.measures import MEASURES, PROXIES, UNTRAINED
from nasdsl.language.vocabulary import Named, Vocabulary

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_ORDERINGS = ("<", "<=", ">", ">=")
_TRUTH: Mapping[str, bool] = {"yes": True, "true": True, "no": False, "false": False}
_UNKNOWN = Fixed(None)  # stands where a problem has been reported


@dataclass
class Reader:
    """From the syntax of conditions to formulas."""

    problems: Problems
    words: Vocabulary
    lets: Mapping[str, Sequence[s.Value]]
    opened: list[str] = field(default_factory=list)  # the lets that are being written out

    def formula(self, node: s.Value) -> Formula | None:
        """A condition that is true or false; None where it is none."""
        match node:
            case s.Binary(operator="and" | "or" as operator, left=left, right=right):
                parts = [self.formula(left), self.formula(right)]
                return _joined(operator, [part for part in parts if part is not None])
            case s.Binary(operator=operator) if operator in _COMPARISONS:
                return self._comparison(node)
            case s.Unary(operator="not", operand=operand):
                inner = self.formula(operand)
                return None if inner is None else opposite(inner)
            case s.Call(name="all", arguments=arguments) if len(arguments) == 1:
                return self.formula(arguments[0].value)
            case s.Name(id=name) if name in _TRUTH and name not in self.words.named:
                return Compared("==", Fixed(_TRUTH[name]), Fixed(True))
            case s.Name() | s.Attribute():
                return self._alone(node)
            case _:
                self._refuse(node)
                return None

    def _alone(self, node: s.Name | s.Attribute) -> Formula | None:
        """A decision that is itself yes or no, or a let that stands for a condition."""
        if isinstance(node, s.Name) and self._stands_for(node):
            stands_for: Formula | None = self._written_out(node, self.formula)
            return stands_for
        found = self.expression(node)
        if isinstance(found, Asked) and not self.words.named[found.name].has_truth:
            self._refuse(node)
            return None
        if isinstance(found, Known | Latency | Probed):
            self._refuse(node)
            return None
        return Compared("==", found, Fixed(True))

    def _refuse(self, node: s.Value) -> None:
        message = "`require` takes a comparison of decisions and quantities"
        self.problems.error("bad-require", message, node.span, "for example `require params <= 500k`")

    def _comparison(self, node: s.Binary) -> Formula | None:
        if node.operator in _ORDERINGS:
            sides = (self.expression(node.left), self.expression(node.right))
            for side, written in zip(sides, (node.left, node.right), strict=True):
                self._need_numbers(side, written)
            return Compared(node.operator, *sides)
        left = self.expression(node.left, self._partner(node.right))
        right = self.expression(node.right, self._partner(node.left))
        return Compared(node.operator, left, right)

    def _partner(self, node: s.Value) -> Named | None:
        """The decision that the other side of `==` may be an option of."""
        name = _path_of(node)[-1] if isinstance(node, s.Name | s.Attribute) else ""
        return self.words.named.get(name)

    def expression(self, node: s.Value, partner: Named | None = None) -> Condition:
        """A value, out of decisions, quantities and numbers."""
        match node:
            case s.Number(value=value) | s.String(value=value):
                return Fixed(value)
            case s.Name() | s.Attribute():
                return self._name(node, partner)
            case s.Unary(operator="-" | "+" as operator, operand=operand):
                return self._worked(OPERATORS[f"unary {operator}"], [operand])
            case s.Binary(operator=operator) if operator not in (*_COMPARISONS, "and", "or"):
                return self._worked(OPERATORS[operator], [node.left, node.right])
            case s.Call():
                return self._call(node)
            case _:
                self._refuse(node)
                return _UNKNOWN

    def _worked(self, function: Callable[..., Any], operands: Sequence[s.Value]) -> Condition:
        terms = [self.expression(operand) for operand in operands]
        for term, operand in zip(terms, operands, strict=True):
            self._need_numbers(term, operand)
        if all(isinstance(term, Fixed) and term.value is not None for term in terms):
            try:
                return Fixed(function(*(term.value for term in terms if isinstance(term, Fixed))))
            except (ArithmeticError, ValueError, TypeError) as error:
                message = f"this cannot be worked out: {error}"
                self.problems.error("bad-expression", message, operands[0].span, sum_up(error))
                return _UNKNOWN
        return Worked(function, tuple(terms))

    def _need_numbers(self, term: Condition, node: s.Value) -> None:
        if isinstance(term, Fixed) and isinstance(term.value, str | bool):
            message = f"`{term.value}` is no number, and can only be compared by `==` and `!=`"
            help = "for example `require width >= 16`, or `require act == relu`"
            self.problems.error("wrong-kind", message, node.span, help)
        if not isinstance(term, Asked):
            return
        named = self.words.named[term.name]
        if named.unclear is not None:
            message = f"what `{term.name} = {named.unclear}` comes to is not known to `require`"
            help = "write its alternatives as numbers, or compare the decisions it is made of"
            self.problems.error("unclear-decision", message, node.span, help)
        elif not named.has_numbers:
            words = sorted(named.words)
            answers = ", ".join(f"`{word}`" for word in words) or "yes or no"
            message = f"`{term.name}` is no number but {answers}, and can only be compared by `==` and `!=`"
            help = f"for example `{term.name} == {words[0] if words else 'yes'}`"
            self.problems.error("wrong-kind", message, node.span, help)

    def _call(self, node: s.Call) -> Condition:
        operands = [argument.value for argument in node.arguments]
        if node.body is None and len(operands) == 1 and node.name == "all":
            return self.expression(operands[0])
        if node.body is None and len(operands) == 1 and node.name in AGGREGATES:
            inner = self.expression(operands[0])
            self._need_numbers(inner, operands[0])
            return Gathered(node.name, inner)
        if node.name == "latency_ms" and node.body is None:
            return self._latency(node)
        if node.name in FUNCTIONS and operands:
            return self._worked(FUNCTIONS[node.name], operands)
        if node.name in ("all", *AGGREGATES):
            message = f"`{node.name}( )` in `require` takes one decision"
            self.problems.error("bad-require", message, node.span, "for example `max(width) <= 64`")
            return _UNKNOWN
        known = list(dict.fromkeys(["all", *AGGREGATES, *FUNCTIONS, "latency_ms"]))
        message = f"`{node.name}` is no function of `require`"
        help = "the functions are " + ", ".join(f"`{name}`" for name in known)
        self.problems.unknown("unknown-name", message, node.span, node.name, known, help)
        return _UNKNOWN

    def _latency(self, node: s.Call) -> Condition:
        """`latency_ms(device = cpu, batch = 1, threads = 1)`, all arguments by name."""
        given: dict[str, Any] = {"device": "cpu", "batch": 1, "threads": 1}
        for argument in node.arguments:
            value = argument.value
            if argument.name not in given:
                message = f"`latency_ms` has no argument `{argument.name or flat_value(value)}`"
                help = "usage: latency_ms(device = cpu, batch = 1, threads = 1)"
                self.problems.error("unknown-argument", message, value.span, help)
            elif argument.name == "device" and isinstance(value, s.Name) and value.id in ("cpu", "cuda"):
                given["device"] = value.id
            elif argument.name != "device" and isinstance(value, s.Number) and _is_count(value.value):
                given[argument.name] = value.value
            else:
                wanted = "`cpu` or `cuda`" if argument.name == "device" else "a whole number of 1 or more"
                message = f"`{argument.name}` of `latency_ms` is {wanted}"
                help = f"for example `{argument.name} = {given[argument.name]}`"
                self.problems.error("wrong-kind", message, value.span, help)
        return Latency(**given)

    # --- names --------------------------------------------------------------------------------

    def _name(self, node: s.Name | s.Attribute, partner: Named | None) -> Condition:
        *owners, name = _path_of(node)
        if isinstance(node, s.Name) and self._stands_for(node):
            return self._written_out(node, self.expression) or _UNKNOWN
        if isinstance(node, s.Name) and name in QUANTITIES and name not in self.lets:
            self._say_which(node, name)
            return Known(name)
        if isinstance(node, s.Name) and name == "latency_ms" and name not in self.words.named:
            return Latency("cpu", 1, 1)
        if isinstance(node, s.Name) and name in PROXIES and name not in self.words.named:
            return Probed(name)
        named = self.words.named.get(name)
        if named is not None and self._are_known(owners, node):
            return Asked(tuple(owners), name, named.meaning)
        if named is not None:
            return _UNKNOWN
        if not owners and partner is not None and (name in partner.words or name in _TRUTH):
            return Fixed(name if name in partner.words else _TRUTH[name])
        self._report_unknown(node, owners, name, partner)
        return _UNKNOWN

    def _say_which(self, node: s.Value, name: str) -> None:
        """A warning where a decision has the name of a quantity: the quantity is meant."""
        if name in self.words.named:
            message = f"`{name}` is the quantity here, not the decision of that name"
            help = "give the decision another name where it is meant to be bounded"
            self.problems.warn("shadowed-name", message, node.span, help)

    def _are_known(self, owners: Sequence[str], node: s.Value) -> bool:
        for owner in owners:
            if owner not in self.words.segments:
                message = f"no block's use and no decision is called `{owner}`"
                self.problems.unknown(
                    "unknown-name", message, node.span, owner, self.words.segments, self._vocabulary()
                )
                return False
        return True

    def _report_unknown(self, node: s.Value, owners: Sequence[str], name: str, partner: Named | None) -> None:
        if owners:
            message = f"no decision is called `{'.'.join([*owners, name])}`"
            named = self.words.named
            self.problems.unknown("unknown-name", message, node.span, name, named, self._vocabulary())
        elif partner is not None and partner.words and not partner.has_numbers:
            listed = ", ".join(f"`{word}`" for word in sorted(partner.words))
            message = f"`{name}` is neither a decision nor one of {listed}"
            words = partner.words
            self.problems.unknown("unknown-option", message, node.span, name, words, "write one of these")
        elif name in MEASURES and name not in UNTRAINED:
            message = f"`{name}` is known of trained networks alone"
            verb = "maximize" if MEASURES[name].larger else "minimize"
            help = f"make it an objective, `{verb} {name}`; `require` takes what is known before training"
            self.problems.error("known-later", message, node.span, help)
        else:
            message = f"`{name}` is neither a decision of this space nor a quantity"
            known = [*QUANTITIES, *UNTRAINED, *self.words.named]
            self.problems.unknown("unknown-name", message, node.span, name, known, self._vocabulary())

    def _vocabulary(self) -> str:
        """What a line can speak of: some decisions of this space, and quantities."""
        named = list(self.words.named)
        shown = ", ".join(f"`{name}`" for name in named[:_MOST_SHOWN]) + ", …" * (len(named) > _MOST_SHOWN)
        decided = f"this space decides {shown}; " if named else "this space names no decision: `let` does; "
        return decided + "quantities are `params`, `macs`, `depth`, …"

    def _stands_for(self, node: s.Name) -> bool:
        """Whether a name is a let that is worked out, rather than a decision of its own."""
        return any(_is_worked_out(value) for value in self.lets.get(node.id, ()))

    def _written_out(self, node: s.Name, read: Callable[[s.Value], Any]) -> Any:
        """The value of a let in place of its name."""
        name, several = node.id, self.lets[node.id]
        if any(value != several[0] for value in several):
            message = f"`{name}` is let in several places, and not to the same value"
            self.problems.error("ambiguous-name", message, node.span, "give them names of their own")
            return None
        if name in self.opened or len(self.opened) > _MOST_OPENED:
            message = f"what `{name}` stands for cannot be written out here"
            self.problems.error("bad-require", message, node.span, "compare the decisions it is made of")
            return None
        self.opened.append(name)
        try:
            return read(_with_own_decision(name, several[0]))
        finally:
            self.opened.pop()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 1 <= value <= 1_000_000


_MOST_SHOWN = 8  # names in a help line
_MOST_OPENED = 100  # lets inside one another


def lets_of(file: s.File) -> Mapping[str, Sequence[s.Value]]:
    """The values of all lets of a file by name, wherever they stand."""
    found: dict[str, list[s.Value]] = {}
    waiting: list[object] = list(reversed(file.items))
    while waiting:
        one = waiting.pop()
        if isinstance(one, s.Let):
            found.setdefault(one.name, []).append(one.value)
        if isinstance(one, tuple):
            waiting += reversed(one)
        elif isinstance(one, s.Syntax):
            waiting += [getattr(one, name) for name in one._fields]
    return found


def _is_worked_out(value: s.Value) -> bool:
    if isinstance(value, s.Call):
        return value.name in (*FUNCTIONS, *AGGREGATES)
    return not isinstance(value, s.Choice | s.Range | s.Optional)


def _with_own_decision(name: str, value: s.Value) -> s.Value:
    """`let w = 8 * (1 | 2)` has a decision `w`: in what `w` stands for, its place is taken by a name."""
    match value:
        case s.Labelled(label=label):
            return _decision(label, value)
        case s.Choice() | s.Range() | s.Optional():
            return _decision(name, value)
        case s.Binary(operator=operator, left=left, right=right):
            sides = (_with_own_decision(name, left), _with_own_decision(name, right))
            return s.Binary(operator, *sides, span=value.span)
        case s.Unary(operator=operator, operand=operand):
            return s.Unary(operator, _with_own_decision(name, operand), span=value.span)
        case _:
            return value


def _decision(name: str, value: s.Value) -> s.Value:
    """The name of a decision that no let of that name stands before."""
    return s.Attribute(s.Name("", span=value.span), name, span=value.span)


def _path_of(node: s.Name | s.Attribute) -> list[str]:
    """`a.b.c` as names; an owner without a name is none (see `_decision`)."""
    if isinstance(node, s.Name):
        return [node.id]
    owner = node.owner
    inner = _path_of(owner) if isinstance(owner, s.Name | s.Attribute) else []
    return [*(name for name in inner if name), node.name]


def _joined(operator: str, parts: Sequence[Formula]) -> Formula | None:
    """`and` and `or` in one list each."""
    if not parts:
        return None
    kind: type[All] | type[Any_] = All if operator == "and" else Any_
    flat: list[Formula] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else [part]
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
