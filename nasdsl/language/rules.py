"""What every point must hold, as it bears on a walk: answers, and the depth of the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from nasdsl.language.conditions import Asked, Compared, Fixed, Formula, segments_of
from nasdsl.language.configuration import Ask, Configuration, join
from nasdsl.language.decisions import Answer, Domain, Integers, Reals, size
from nasdsl.language.deep import depth_of
from nasdsl.language.requires import Limit
from nasdsl.language.watch import State, Watch

MOST_ANSWERS = 4_096  # of one decision that are told apart


@dataclass(frozen=True)
class Ends:
    """`rate <= 0.3`: bounds on all answers of one name."""

    asked: Asked
    low: float = -math.inf
    high: float = math.inf


@dataclass
class Rules:
    """`watch` follows all lines over decisions; `depths` are limits on the depth of the network, which
    the wires of the machine must know; `ends` bound single answers."""

    watch: Watch
    depths: tuple[Limit, ...]
    ends: tuple[Ends, ...]
    _seen: dict[str, bool] = field(default_factory=dict)

    @property
    def start(self) -> State:
        return self.watch.start

    @property
    def effort(self) -> int:
        """What telling one answer from another takes, in pairs of comparisons."""
        return -(-len(self.watch.start) // 2)

    def offered(self, ask: Ask) -> Domain | None:
        """The domain of a decision within the bounds on it; None where nothing is."""
        domain = ask.domain
        if not self.ends or not isinstance(domain, Integers | Reals):
            return domain
        segments = segments_of(path_of(ask))
        low = max((e.low for e in self.ends if e.asked.matches(segments)), default=-math.inf)
        high = min((e.high for e in self.ends if e.asked.matches(segments)), default=math.inf)
        return _cut(domain, low, high)

    def observes(self, ask: Ask) -> bool:
        """Whether answers must be told apart; those of long ranges are not."""
        domain = ask.domain
        if isinstance(domain, Reals) or size(domain) > MOST_ANSWERS:
            return False
        return self.watch.observes(path_of(ask))

    def is_blurred(self, ask: Ask) -> bool:
        """Whether a line depends on answers that are not told apart."""
        return self.watch.observes(path_of(ask)) and not self.observes(ask)

    def after(self, state: State, ask: Ask, answer: Answer) -> State | None:
        """The state after an answer; None where a line can no longer hold."""
        return self.watch.after(state, path_of(ask), answer)

    def accept(self, end: Configuration, state: State, otherwise: bool = True) -> bool:
        """Whether a finished walk holds all of them; `otherwise` stands for comparisons of quantities."""
        if not self.watch.holds(state, otherwise):
            return False
        return all(limit.allows(depth_of(end[1])) for limit in self.depths)


def path_of(ask: Ask) -> str:
    """The path of a decision."""
    return join(ask.label.path, ask.key)


def ends_of(formulas: Sequence[Formula]) -> tuple[Ends, ...]:
    """The bounds that single comparisons put on answers."""
    found = []
    for formula in formulas:
        if not isinstance(formula, Compared):
            continue
        left, operator, right = formula.left, formula.operator, formula.right
        if isinstance(left, Fixed):
            turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
            left, operator, right = right, turned.get(operator, operator), left
        if isinstance(left, Asked) and isinstance(right, Fixed) and not isinstance(right.value, str | bool):
            value = right.value
            if operator in ("<", "<="):
                found.append(Ends(left, high=value))
            elif operator in (">", ">="):
                found.append(Ends(left, low=value))
    return tuple(found)


def _cut(domain: Integers | Reals, least: float, most: float) -> Domain | None:
    """A range within ends; the watch sees to the difference between `<` and `<=`."""
    if isinstance(domain, Reals):
        low, high = max(domain.low, least), min(domain.high, most)
        if low > high:
            return None
        centre = domain.centre if domain.centre is not None and low <= domain.centre <= high else None
        return domain if (low, high) == (domain.low, domain.high) else Reals(low, high, domain.log, centre)
    first = domain.low
    if least > first:
        first += math.ceil((least - first) / domain.step) * domain.step
    last = domain.high if most >= domain.high else math.floor(most)
    last = first + (last - first) // domain.step * domain.step
    if first > last:
        return None
    centre = domain.centre if domain.centre is not None and first <= domain.centre <= last else None
    same = first == domain.low and last > domain.high - domain.step
    return domain if same else Integers(first, last, domain.step, domain.log, centre)
