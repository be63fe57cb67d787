"""Values that are worked out or left out, held against the kinds of their arguments over the whole space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasdsl.language.errors import NOWHERE, Span
from nasdsl.language.estimates import Called, Range, Survey, high_of, low_of, values_or_calls
from nasdsl.language.kinds import is_called, refusal, suits
from nasdsl.language.network import Spec
from nasdsl.language.signatures.signature import Argument
from nasdsl.language.terms import parts
from nasdsl.language.tree import Make, ValueTerm


def refuse_unsuited(
    v: Survey, checks: tuple[Argument, ...], arguments: Mapping[str, ValueTerm], span: Span
) -> None:
    """Report a value that suits its argument in no point, and note one that does not in some. A block's parameter has
    no place of its own: then `span` is said."""
    for one in checks:
        _refuse(v, one, arguments[one.name], span)
    for argument in arguments.values():
        for part in parts(argument):
            if isinstance(part, Make) and part.checks:
                given = dict(part.arguments)
                for one in part.checks:
                    _refuse(v, one, given[one.name], span)


def _refuse(v: Survey, argument: Argument, term: ValueTerm, span: Span) -> None:
    values, kind = values_or_calls(v, term), argument.kind
    verdicts = {_verdict(value, argument) for value in values}
    if not values or verdicts - {True}:
        v.can_fail = True
    if values and verdicts == {False} and not v.uncertain and id(term) not in v.reported:
        v.reported.add(id(term))
        shown = Spec(values[0].name, {}) if isinstance(values[0], Called) else values[0]
        message, help = refusal(argument.name, shown, kind)
        numbers = kind.type in ("int", "real", "numbers") and not isinstance(shown, Spec | str | None)
        v.problems.error(
            "out-of-range" if numbers else "wrong-kind",
            message,
            span if term.span == NOWHERE else term.span,
            help,
        )


def _verdict(value: Any, argument: Argument) -> bool | None:
    """Whether a value suits; None: some of those between its ends do."""
    kind = argument.kind
    if value is None:
        return not argument.required
    if isinstance(value, Called):
        return kind.type == "call" and is_called(value.name, kind)
    if not hasattr(value, "low"):
        return suits(value, kind)
    whole = not isinstance(value, Range)
    ends = [suits(int(end) if whole else float(end), kind) for end in (low_of(value), high_of(value))]
    if all(ends):
        return True if whole or kind.type == "real" else None
    return None
