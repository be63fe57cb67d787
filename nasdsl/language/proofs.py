"""What check proves of a whole space: that it has a network at all, and that every `require` can be met.
Spaces too large to go through in the time of a check are left to the walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nasdsl.language.configuration import MAX_DECISIONS, Dead, LimitError
from nasdsl.language.errors import Span
from nasdsl.language.fold import Fold, counting, least, most
from nasdsl.language.machine import MAX_STEPS, Machine, OutOfSteps
from nasdsl.language.network import Value
from nasdsl.language.prospects import rules_of
from nasdsl.language.quantities import ADDITIVE, Cost
from nasdsl.language.requires import Limit, Requirement
from nasdsl.language.scope import Problems
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Signature

_SITUATIONS = 20_000  # gone through at most, for all bounds together: about half a second
_FOLLOWED = 2_000  # by one fold where rules are followed: each may replay a whole tied repeat
_TRIES = 5  # answers for each of them, on average
_STEPS = 80_000  # of the machine
_FEW = 50  # where many lines share that time
_LOOSEN = "loosen it, or widen the decisions that it names"


def prove_a_network(problems: Problems, machine: Machine, network: Span) -> None:
    """Report a space without any network. That of first alternatives mostly settles it; only where it
    does not is the whole space gone through. Raises LimitError where that one is beyond the limits."""
    _totals, reason = _first_network(machine)
    machine.steps_left = _STEPS
    if reason and _value(counting(machine, _SITUATIONS)) == (0, None):
        message = "no point of this space makes a network that fits"
        problems.error("no-network", message, network, f"with first alternatives: {reason}")


def prove_requirements(
    problems: Problems,
    machine: Callable[[bool, bool], Machine],
    lines: Sequence[Requirement],
    has_costs: bool,
    fits: bool,
    memory: Cost | None = None,
) -> None:
    """Report every line that no point can hold, and lines that none can hold together.

    `machine(blind, deep)` makes one that works out no shapes, or whose wires know their depth; `has_costs`: the
    shapes of the data are known; `fits`: every network does; `memory`: what an operation adds to `train_memory` at
    least.
    """
    plain = machine(not has_costs, False)
    totals, reason = _first_network(plain) if has_costs else ({}, "the data are not known")
    unmet = [
        (limit, line.condition.span)
        for line in lines
        for limit in (line.limits if has_costs else ())
        if limit.quantity in ADDITIVE and (reason or not limit.allows(totals[limit.quantity]))
    ]
    plain.steps_left = _STEPS
    for limit, span in unmet:
        _refuse_unmet(problems, plain, limit, ADDITIVE[limit.quantity], span, _SITUATIONS // len(unmet))
    limited = [(limit, line.condition.span) for line in lines for limit in line.memory]
    for limit, span in limited if memory is not None and has_costs else ():
        assert memory is not None
        _refuse_unmet(problems, plain, limit, memory, span, _SITUATIONS // len(limited))
    if problems.errors:
        return
    together = _can_hold(machine, lines, has_costs, fits, _FOLLOWED)
    if together:
        return
    for line in lines:
        if _can_hold(machine, [line], has_costs, fits, max(_FEW, _FOLLOWED // len(lines))) is False:
            problems.error("unsatisfiable", "no point holds this line", line.condition.span, _LOOSEN)
    if together is False and not problems.errors:
        others = ", ".join(str(line.condition.span.line) for line in lines[:-1])
        several = "s" * (len(lines) > 2)
        message = f"no point holds this line together with the one{several} on line{several} {others}"
        problems.error("unsatisfiable", message, lines[-1].condition.span, _LOOSEN)


def _first_network(machine: Machine) -> tuple[dict[str, int], str]:
    """The costs of the network of first alternatives and lowest numbers, or why it does not fit."""
    totals = dict.fromkeys(ADDITIVE, 0)

    def note(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> None:
        for name, cost in ADDITIVE.items():
            totals[name] += cost(row, dict(arguments), source, target)

    configuration = machine.start()
    machine.on_layer = None if machine.blind else note
    machine.steps_left = MAX_STEPS + 1
    try:
        for _ in range(MAX_DECISIONS):
            _, ask = machine.run(configuration)
            if ask is None:
                return totals, ""
            configuration = ask.resume(ask.first())
    except Dead as dead:
        return totals, str(dead)
    except OutOfSteps:
        message = (
            f"the first point of this space has more than {MAX_STEPS:,} statements, the limit of one point"
        )
        raise LimitError(message) from None
    finally:
        machine.on_layer = None
    raise LimitError(
        f"the first point of this space has more than {MAX_DECISIONS:,} decisions, the limit of one point"
    )


def _value(fold: Fold) -> tuple[int, int | None] | None:
    """What a fold finds from the start; None where it is out of reach."""
    try:
        return fold.begin()
    except LimitError:
        return None


def _refuse_unmet(
    problems: Problems, machine: Machine, limit: Limit, cost: Cost, span: Span, situations: int
) -> None:
    found = _value((least if limit.upper else most)(machine, cost, situations))
    if found is None or found[1] is None:
        return
    reached = found[0] + found[1]
    if limit.allows(reached):
        return
    if limit.quantity not in ADDITIVE:
        help = f"no network of this space takes less than {reached:,} bytes in training"
    else:
        help = f"the {'least' if limit.upper else 'most'} that a network of this space has is {reached:,}"
    problems.error("unsatisfiable", f"no point holds `{limit}`", span, help)


def _can_hold(
    machine: Callable[[bool, bool], Machine],
    lines: Sequence[Requirement],
    has_costs: bool,
    fits: bool,
    situations: int,
) -> bool | None:
    """Whether some point holds lines over decisions and depth, and each of their bounds on a cost; None
    where that is out of reach."""
    limits = [limit for line in lines for limit in line.limits] if has_costs else []
    rules = rules_of(lines, limits)
    if rules is None:
        return True
    costs = [limit for limit in limits if limit.quantity in ADDITIVE]
    runs = machine(fits and not costs and not rules.depths, bool(rules.depths))
    runs.steps_left = _STEPS * situations // _FOLLOWED
    each = max(_FEW, 2 * situations // len(costs)) if len(costs) > 2 else situations
    folds: list[tuple[Fold, Limit | None]] = [
        ((least if limit.upper else most)(runs, ADDITIVE[limit.quantity], each, rules), limit)
        for limit in costs
    ]
    verdict: bool | None = True
    for fold, limit in folds or [(counting(runs, each, rules), None)]:
        fold.tries_left = _TRIES * each
        found = _value(fold)
        if found is None:
            verdict = None
        elif found[1] is None or (limit is not None and not limit.allows(found[0] + found[1])):
            return False
    return verdict
