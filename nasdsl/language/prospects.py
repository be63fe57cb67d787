"""What can still come of a walk: the folds and rules that prune it, for one checked program."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nasdsl.language.configuration import LimitError
from nasdsl.language.fold import MAX_SITUATIONS, Fold, counting, least, most
from nasdsl.language.machine import Machine
from nasdsl.language.quantities import ADDITIVE, Cost
from nasdsl.language.requires import Limit, Requirement
from nasdsl.language.rules import Rules, ends_of
from nasdsl.language.walk import CostBound
from nasdsl.language.watch import Watch
from nasdsl.language.weaving import Unwoven

_AFFORDABLE = 50_000  # situations that are gone through to follow rules exactly: about a second
_TRIES = 5  # answers told apart for each of them, on average


@dataclass(frozen=True)
class Prospects:
    """`machine` runs the walks. `exists` is None where every walk that breaks no rule on its way ends
    well, or where finding out is out of reach; `follows`: it goes by the rules. `open_lines` are those
    that only a finished network shows to hold."""

    machine: Machine
    rules: Rules | None
    exists: Fold | None
    follows: bool
    bounds: tuple[CostBound, ...]
    open_lines: tuple[Requirement, ...]

    @property
    def is_proved(self) -> bool:
        """Whether every walk that ends well is a valid point."""
        return not self.open_lines


def prospects(
    machine: Callable[[bool, bool, bool], Machine],
    requirements: Sequence[Requirement],
    can_fail: bool,
    is_concrete: bool,
    weaves: bool = False,
    count: Fold | None = None,
    situations: int = MAX_SITUATIONS,
    memory: Cost | None = None,
) -> Prospects:
    """What prunes the walks of a program. `machine(blind, deep, weaves)` makes a machine; `is_concrete`: the
    shapes of the data are known, and with them what networks cost; `weaves`: some repeat is tied. `count` is a fold
    that counts the points of a program that can fail; `memory`: what an operation adds to `train_memory` at least. Raises LimitError where what costs come to is out of reach."""
    limits = [limit for line in requirements for limit in line.limits] if is_concrete else []
    rules = rules_of(requirements, limits)
    costs = ADDITIVE if memory is None else {**ADDITIVE, "train_memory": memory}
    limits_ahead = [*limits, *(limit for line in requirements if is_concrete for limit in line.memory)]
    additive = _tightest([limit for limit in limits_ahead if limit.quantity in costs])
    deep = rules is not None and bool(rules.depths)
    fits = not can_fail or not is_concrete
    lines = tuple(line for line in requirements if line.needs_quantities or (line.limits and not is_concrete))

    def along(runs: Machine) -> Prospects:
        known = count if count and runs is count.machine else None
        exists, follows = _existence(runs, rules, known, fits, situations)
        bounds = tuple(
            _bound(runs, limit, costs[limit.quantity], rules if follows else None, situations)
            for limit in additive
        )
        return Prospects(runs, rules, exists, follows, bounds, lines)

    if additive and weaves:
        try:
            return _all_ways(along(machine(False, deep, True)), situations)
        except Unwoven:
            pass  # the copies of some repeat differ in more than what they cost: then one after another
    if count and not fits and not deep:
        return along(count.machine)
    return along(machine(fits and not additive and not deep, deep, False))


def _tightest(limits: Sequence[Limit]) -> list[Limit]:
    """Of all limits from one side on one quantity the one that implies the others."""
    found: dict[tuple[str, bool], Limit] = {}
    for limit in limits:
        known = found.setdefault((limit.quantity, limit.upper), limit)
        if known.allows(math.floor(limit.limit) if limit.upper else math.ceil(limit.limit)):
            found[limit.quantity, limit.upper] = limit
    return list(found.values())


def _all_ways(found: Prospects, situations: int) -> Prospects:
    """The same, once all ways have been tried. Raises Unwoven where some walk could."""
    for bound in found.bounds:
        bound.fold.begin()
    if any(bound.fold.leaves_out for bound in found.bounds):
        counting(found.machine, situations).begin()
    return found


def rules_of(requirements: Sequence[Requirement], limits: Sequence[Limit]) -> Rules | None:
    """The rules that the answers of a walk must follow; None where there are none."""
    formulas = [formula for line in requirements for formula in line.rest]
    depths = tuple(limit for limit in limits if limit.quantity == "depth")
    if not formulas and not depths:
        return None
    growing = {name: grows for line in requirements for name, grows in line.growing.items()}
    return Rules(Watch(formulas, growing), depths, ends_of(formulas))


def _existence(
    machine: Machine, rules: Rules | None, count: Fold | None, fits: bool, situations: int
) -> tuple[Fold | None, bool]:
    """Whether a walk can end well, as a fold; and whether that goes by the rules."""
    if rules is not None:
        found = counting(machine, min(situations, _AFFORDABLE), rules)
        found.tries_left = _TRIES * min(situations, _AFFORDABLE)
        try:
            found.begin()
        except LimitError:
            pass  # out of reach: the rules still prune what is broken on the way, and dead ends turn back
        else:
            return found, True
    if fits:
        return None, False
    found = count if count and count.n_places else counting(machine, min(situations, _AFFORDABLE))
    try:
        found.begin()
    except LimitError:
        return None, False  # as above: networks that do not fit are dead ends, which turn back
    return found, False


def _bound(machine: Machine, limit: Limit, cost: Cost, rules: Rules | None, situations: int) -> CostBound:
    """The fold that bounds a cost, by the rules where that is affordable."""
    fold = least if limit.upper else most
    if rules is not None:
        found = fold(machine, cost, min(situations, _AFFORDABLE), rules)
        found.tries_left = _TRIES * min(situations, _AFFORDABLE)
        try:
            found.begin()
        except LimitError:
            pass  # as above: then the bound holds for more than the points that follow the rules
        else:
            return CostBound(found, limit, follows=True)
    return CostBound(fold(machine, cost, situations), limit)
