"""What check proves of a whole space: that it has a network at all, and that each `require` on a
quantity can be met. Spaces too large to go through in the time of a check are left to the walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nasdsl.language.configuration import Dead, LimitError
from nasdsl.language.errors import Span
from nasdsl.language.fold import Fold, counting, least, most
from nasdsl.language.machine import Machine
from nasdsl.language.network import Value
from nasdsl.language.quantities import ADDITIVE
from nasdsl.language.requires import Limit, Requirement
from nasdsl.language.scope import Problems
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Signature

_SITUATIONS = 20_000  # gone through at most: about half a second


def prove(problems: Problems, machine: Machine, requirements: tuple[Requirement, ...], network: Span) -> None:
    """Report a space without any network, and every bound that no network can hold.

    The network of first alternatives mostly settles both; only where it does not is the whole
    space gone through.
    """
    limits = [(limit, line.condition.span) for line in requirements for limit in line.limits]
    totals, reason = _first_network(machine)
    if reason and _try(lambda: counting(machine, _SITUATIONS), machine) == (0, None):
        message = "no point of this space makes a network that fits"
        problems.error("no-network", message, network, f"with first alternatives: {reason}")
        return
    for limit, span in limits:
        if reason or not limit.allows(totals[limit.quantity]):
            _refuse_unmet(problems, machine, limit, span)


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


def _try(fold: Callable[[], Fold], machine: Machine) -> tuple[int, int | None] | None:
    """What a fold finds from the start; None where it is out of reach."""
    try:
        return fold().after(machine.start())
    except LimitError:
        return None


def _refuse_unmet(problems: Problems, machine: Machine, limit: Limit, span: Span) -> None:
    cost = ADDITIVE[limit.quantity]
    found = _try(lambda: (least if limit.upper else most)(machine, cost, _SITUATIONS), machine)
    if found is None or found[1] is None:
        return
    reached = found[0] + found[1]
    if limit.allows(reached):
        return
    word, sign = ("least", "<=") if limit.upper else ("most", ">=")
    message = f"no point holds `{limit.quantity} {sign} {limit.limit:,g}`"
    help = f"the {word} that a network of this space has is {reached:,}"
    problems.error("unsatisfiable", message, span, help)
