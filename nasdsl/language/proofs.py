"""What check proves of a whole space: that it has a network at all, and that every `require` can be met.
Spaces too large to go through in the time of a check are left to the walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nasdsl.language.configuration import Dead, LimitError
from nasdsl.language.errors import Span
from nasdsl.language.fold import Fold, counting, least, most
from nasdsl.language.machine import Machine
from nasdsl.language.network import Value
from nasdsl.language.prospects import rules_of
from nasdsl.language.quantities import ADDITIVE
from nasdsl.language.requires import Limit, Requirement
from nasdsl.language.rules import Rules
from nasdsl.language.scope import Problems
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Signature

_SITUATIONS = 20_000  # gone through at most: about half a second
_FOLLOWED = 2_000  # the same where rules are followed: each may replay a whole tied repeat


def prove_a_network(problems: Problems, machine: Machine, network: Span) -> None:
    """Report a space without any network. That of first alternatives mostly settles it; only where it
    does not is the whole space gone through."""
    _totals, reason = _first_network(machine)
    if reason and _value(counting(machine, _SITUATIONS)) == (0, None):
        message = "no point of this space makes a network that fits"
        problems.error("no-network", message, network, f"with first alternatives: {reason}")


def prove_requirements(
    problems: Problems,
    machine: Callable[[bool, bool], Machine],
    lines: Sequence[Requirement],
    has_costs: bool,
    fits: bool,
) -> None:
    """Report every line that no point can hold, and lines that none can hold together.

    `machine(blind, deep)` makes one that works out no shapes, or whose wires know their depth; `has_costs`: the
    shapes of the data are known; `fits`: every network does.
    """
    plain = machine(not has_costs, False)
    totals, reason = _first_network(plain) if has_costs else ({}, "the data are not known")
    for line in lines:
        for limit in line.limits if has_costs else ():
            if limit.quantity in ADDITIVE and (reason or not limit.allows(totals[limit.quantity])):
                _refuse_unmet(problems, plain, limit, line.condition.span)
    if problems.errors:
        return
    for line in lines:
        _refuse_unfollowed(problems, machine, [line], has_costs, fits)
    if len(lines) > 1 and not problems.errors:
        _refuse_unfollowed(problems, machine, lines, has_costs, fits)


def _first_network(machine: Machine) -> tuple[dict[str, int], str]:
    """The costs of the network of first alternatives and lowest numbers, or why it does not fit."""
    totals = dict.fromkeys(ADDITIVE, 0)

    def note(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> None:
        for name, cost in ADDITIVE.items():
            totals[name] += cost(row, dict(arguments), source, target)

    configuration = machine.start()
    machine.on_layer = note
    try:
        while True:
            _, ask = machine.run(configuration)
            if ask is None:
                return totals, ""
            configuration = ask.resume(ask.first())
    except Dead as dead:
        return totals, str(dead)
    finally:
        machine.on_layer = None


def _value(fold: Fold) -> tuple[int, int | None] | None:
    """What a fold finds from the start; None where it is out of reach."""
    try:
        return fold.begin()
    except LimitError:
        return None


def _refuse_unmet(problems: Problems, machine: Machine, limit: Limit, span: Span) -> None:
    cost = ADDITIVE[limit.quantity]
    found = _value((least if limit.upper else most)(machine, cost, _SITUATIONS))
    if found is None or found[1] is None:
        return
    reached = found[0] + found[1]
    if limit.allows(reached):
        return
    help = f"the {'least' if limit.upper else 'most'} that a network of this space has is {reached:,}"
    problems.error("unsatisfiable", f"no point holds `{limit}`", span, help)


def _refuse_unfollowed(
    problems: Problems,
    machine: Callable[[bool, bool], Machine],
    lines: Sequence[Requirement],
    has_costs: bool,
    fits: bool,
) -> None:
    """Report lines over decisions and depth that no point holds, each bound on a cost included."""
    limits = [limit for line in lines for limit in line.limits] if has_costs else []
    rules = rules_of(lines, limits)
    if rules is None:
        return
    costs = [limit for limit in limits if limit.quantity in ADDITIVE]
    runs = machine(fits and not costs and not rules.depths, bool(rules.depths))
    folds = [(counting(runs, _FOLLOWED, rules), None)] if not costs else _cost_folds(runs, costs, rules)
    for fold, limit in folds:
        found = _value(fold)
        if found is None:
            continue
        cost, further = found
        if further is not None and (limit is None or limit.allows(cost + further)):
            continue
        span = lines[-1].condition.span
        if len(lines) == 1:
            problems.error("unsatisfiable", "no point holds this line", span)
        else:
            others = ", ".join(str(line.condition.span.line) for line in lines[:-1])
            message = (
                f"no point holds this line together with the one{'s' * (len(lines) > 2)} on line {others}"
            )
            problems.error("unsatisfiable", message, span)
        return


def _cost_folds(machine: Machine, limits: Sequence[Limit], rules: Rules) -> list[tuple[Fold, Limit | None]]:
    return [
        ((least if limit.upper else most)(machine, ADDITIVE[limit.quantity], _FOLLOWED, rules), limit)
        for limit in limits
    ]
