"""`lo..hi`, with `log`, `step` and `@`: from its syntax to a decision."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from nasdsl.language import syntax as s
from nasdsl.language.decisions import Domain, Integers, Options, Reals
from nasdsl.language.kinds import check_constant, describe
from nasdsl.language.network import Value
from nasdsl.language.remedies import for_example
from nasdsl.language.scope import Checker, Scope, Wanted
from nasdsl.language.tree import Cell, Constant, Operation, RangeHole, ValueTerm

Resolve = Callable[[Checker, s.Value, Scope, Wanted], ValueTerm]

_MOST_STEPS = 1_000_000


class BadRange(ValueError):
    """No range at all: the message says why, `help` what to write."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


def range_hole(c: Checker, node: s.Range, scope: Scope, wanted: Wanted, resolve: Resolve) -> ValueTerm:
    """The decision of a range. `resolve` is `values.value`, for the ends."""
    kind = wanted.kind
    if kind is not None and kind.type not in ("int", "real", "numbers"):
        message = f"`{wanted.called}` takes {describe(kind)}, not a range of numbers"
        c.problems.error("wrong-kind", message, node.span, for_example(wanted.called, kind))
        return Constant(None)
    if node.online:
        message = "`online` is reserved, and not part of this version"
        c.problems.error("not-yet", message, node.span, "leave it out: the searcher then decides")
    plain = Wanted(wanted.name, None, wanted.role)
    low, high = resolve(c, node.low, scope, plain), resolve(c, node.high, scope, plain)
    whole = _is_whole(node, kind.type if kind else None)
    log, step, centre = node.log, _number(c, node.step, scope, plain, resolve), None
    centre = _number(c, node.centre, scope, plain, resolve)
    name = scope.fresh(wanted.name or "value")
    at = (scope.frame.cell(), scope.label, scope.prefix + name, scope.site + name, wanted.role)

    def build(low_value: Value, high_value: Value) -> Domain:
        return domain_of(low_value, high_value, whole, log, step, centre)

    if not (isinstance(low, Constant) and isinstance(high, Constant)):
        c.index_ranges |= {(id(scope.frame), slot) for end in (low, high) for slot in _cells(end)}
        return RangeHole(*at, None, low, high, build, span=node.span)
    if low.value is None or high.value is None:
        return Constant(None)
    try:
        domain = build(low.value, high.value)
    except BadRange as error:
        c.problems.error("bad-range", str(error), node.span, error.help)
        return Constant(None)
    fine = [check_constant(c.problems, end, kind, node.span, wanted.called) for end in _ends(domain)]
    return RangeHole(*at, domain, span=node.span) if all(fine) else Constant(None)


def _cells(term: ValueTerm) -> Iterator[int]:
    """The cells of its own frame that a term reads."""
    match term:
        case Cell(slot=slot):
            yield slot
        case Operation(operands=operands):
            for operand in operands:
                yield from _cells(operand)
        case _:
            return


def _ends(domain: Domain) -> tuple[Value, Value]:
    if isinstance(domain, Options):
        return domain.values[0], domain.values[-1]
    return domain.low, domain.high


def _is_whole(node: s.Range, kind: str | None) -> bool:
    """Integer or real: the argument's kind decides; without one, how both ends are written."""
    if kind is not None:
        return kind in ("int", "numbers")
    return not any(isinstance(part, s.Number) and _is_real(part) for part in (node.low, node.high, node.step))


def _is_real(number: s.Number) -> bool:
    return isinstance(number.value, float) or number.unit == "%"


def _number(
    c: Checker, node: s.Value | None, scope: Scope, wanted: Wanted, resolve: Resolve
) -> int | float | None:
    if node is None:
        return None
    term = resolve(c, node, scope, wanted)
    if isinstance(term, Constant) and isinstance(term.value, int | float):
        return term.value
    help = "for example `16..64 step 16`, or `1e-4..1 log @ 1e-3`"
    c.problems.error("bad-range", "`step` and `@` take a number that stands fixed", node.span, help)
    return None


def domain_of(
    low: Value, high: Value, whole: bool, log: bool, step: int | float | None, centre: int | float | None
) -> Domain:
    """The domain of a range. Raises BadRange saying what is wrong with it."""
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        raise BadRange(f"a range needs numbers at both ends, not {low} and {high}", "for example `16..64`")
    if low > high:
        message = f"the range {low:g}..{high:g} is empty: its lower end is above its upper end"
        raise BadRange(message, f"the lower end comes first: `{high:g}..{low:g}`")
    if log and low <= 0:
        start = "1" if whole else f"{high / 1000:g}"
        help = f"for example `{start}..{high:g} log`; or leave out `log`" if high > 0 else "leave out `log`"
        raise BadRange(f"a `log` range starts above 0, and this one at {low:g}", help)
    if step is not None and (log or step <= 0):
        help = (
            "leave out one of the two"
            if log
            else f"for example `{low:g}..{high:g} step {(high - low) / 4 or 1:g}`"
        )
        raise BadRange("`step` is above 0, and does not go with `log`", help)
    if centre is not None and not low <= centre <= high:
        message = f"the centre {centre:g} after `@` lies outside {low:g}..{high:g}"
        raise BadRange(message, f"write a number from {low:g} to {high:g}, or a range that holds {centre:g}")
    if whole:
        return _integers(low, high, log, step, centre)
    if step is not None:
        return _grid(float(low), float(high), float(step))
    return Reals(float(low), float(high), log, centre)


def _integers(
    low: int | float, high: int | float, log: bool, step: int | float | None, centre: int | float | None
) -> Domain:
    for number in (low, high, step or 1):
        if number != int(number):
            help = f"for example `{math.floor(low)}..{math.ceil(high)}`"
            raise BadRange(f"whole numbers are expected here, and {number:g} is none", help)
    return Integers(int(low), int(high), int(step or 1), log, centre)


def _grid(low: float, high: float, step: float) -> Domain:
    """Real numbers on a grid are finitely many: an ordered list."""
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > _MOST_STEPS:
        message = f"`step` makes {count:,} values, above the limit of {_MOST_STEPS:,}"
        raise BadRange(message, f"leave out `step`, or take one of at least {(high - low) / _MOST_STEPS:g}")
    digits = max(0, 12 - math.floor(math.log10(step)))
    values = tuple(round(low + i * step, digits) for i in range(count))
    return Options(values, (1.0,) * count, ordered=True)
