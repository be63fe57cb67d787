"""Numbers that are worked out, held against the kinds of their arguments over the whole space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasdsl.language.estimates import Range, Survey, high_of, low_of, values_of
from nasdsl.language.kinds import refusal, suits
from nasdsl.language.signatures.signature import Kind
from nasdsl.language.terms import parts
from nasdsl.language.tree import Make, ValueTerm


def refuse_unsuited(
    v: Survey, checks: tuple[tuple[str, Kind], ...], arguments: Mapping[str, ValueTerm]
) -> None:
    """Report a number that suits its argument in no point, and note one that does not in some."""
    for name, kind in checks:
        _refuse(v, name, arguments[name], kind)
    for argument in arguments.values():
        for part in parts(argument):
            if isinstance(part, Make) and part.checks:
                given = dict(part.arguments)
                for name, kind in part.checks:
                    _refuse(v, name, given[name], kind)


def _refuse(v: Survey, name: str, term: ValueTerm, kind: Kind) -> None:
    values = values_of(v, term)
    verdicts = {_verdict(value, kind) for value in values if value is not None}
    if not values or verdicts - {True}:
        v.can_fail = True
    if (
        values
        and None not in values
        and verdicts == {False}
        and not v.uncertain
        and id(term) not in v.reported
    ):
        v.reported.add(id(term))
        message, help = refusal(name, values[0], kind)
        v.problems.error("out-of-range", message, term.span, help)


def _verdict(value: Any, kind: Kind) -> bool | None:
    """Whether a value suits; None: some of those between its ends do."""
    if not hasattr(value, "low"):
        return suits(value, kind)
    whole = not isinstance(value, Range)
    ends = [suits(int(end) if whole else float(end), kind) for end in (low_of(value), high_of(value))]
    if all(ends):
        return True if whole or kind.type == "real" else None
    return None
