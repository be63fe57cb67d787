"""A Decision is one open question of a space; a domain says what may answer it.

Searchers work on these four frozen types alone. Chance is always an argument.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Answer: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Options:
    """A finite list of answers. `ordered` when all are numbers; weights are the author's prior."""

    values: tuple[Answer, ...]
    weights: tuple[float, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Integers:
    """low, low + step, … up to high (included only if on the grid)."""

    low: int
    high: int
    step: int = 1
    log: bool = False
    centre: float | None = None


@dataclass(frozen=True, slots=True)
class Reals:
    """The closed interval [low, high]; counts as one answer."""

    low: float
    high: float
    log: bool = False
    centre: float | None = None


Domain: TypeAlias = Options | Integers | Reals


@dataclass(frozen=True, slots=True)
class Decision:
    """One question put to `choose`.

    `path` names it within its point (`network/repeat[1]/conv/kernel`); `site` is the same path
    with copy numbers left out (`network/repeat[]/conv/kernel`), equal for homologous decisions.
    The domain is already pruned: every answer in it can be completed as far as bounds can tell.
    """

    path: str
    domain: Domain
    site: str
    kind: str  # "choice" | "number" | "optional" | "count" | "order" | "member" | "wiring"


def size(domain: Domain) -> int:
    """How many answers; a real interval counts as one."""
    match domain:
        case Options(values=values):
            return len(values)
        case Integers(low=low, high=high, step=step):
            return (high - low) // step + 1
        case Reals():
            return 1


def listed(domain: Domain) -> Sequence[Answer]:
    """Every answer, in order; a real interval has none that could be listed."""
    match domain:
        case Options(values=values):
            return values
        case Integers(low=low, high=high, step=step):
            return range(low, high + 1, step)
        case Reals():
            return ()


def contains(domain: Domain, answer: Answer) -> bool:
    """Whether `answer` is offered; `True` is no integer and `1` no boolean."""
    match domain:
        case Options(values=values):
            kind = type(answer)
            for value in values:  # noqa: SIM110  every answer of every walk passes here; any() takes twice as long
                if type(value) is kind and value == answer:
                    return True
            return False
        case Integers(low=low, high=high, step=step):
            return type(answer) is int and low <= answer <= high and (answer - low) % step == 0
        case Reals(low=low, high=high):
            return type(answer) in (int, float) and low <= float(answer) <= high


def draw(domain: Domain, rng: random.Random) -> Answer:
    """One answer from the author's prior: weights `@`, else uniform (on the log scale if `log`)."""
    match domain:
        case Options(values=values, weights=weights):
            if len(set(weights)) == 1:
                return values[rng.randrange(len(values))]
            return rng.choices(values, weights)[0]
        case Integers() | Reals():
            return from_unit(domain, _draw_unit(domain, rng))


def draws(domain: Domain, rng: random.Random, n: int) -> list[Answer]:
    """Several answers, each as `draw` gives one."""
    match domain:
        case Options(values=values, weights=weights):
            equal = len(set(weights)) == 1
            return rng.choices(values, None if equal else weights, k=n)
        case Integers() | Reals():
            return [from_unit(domain, _draw_unit(domain, rng)) for _ in range(n)]


# Prior spread of a centred range, as a share of the (log) range: the centre third holds about
# two thirds of the draws, and both ends stay reachable.
_CENTRE_SPREAD = 1 / 6


def _draw_unit(domain: Integers | Reals, rng: random.Random) -> float:
    if domain.centre is None:
        return rng.random()
    centre = to_unit(domain, domain.centre)
    while True:
        u = rng.gauss(centre, _CENTRE_SPREAD)
        if 0.0 <= u < 1.0:
            return u


def to_unit(domain: Domain, answer: Answer) -> float:
    """The place of an answer in [0, 1], on the scale of the domain; options by their position."""
    match domain:
        case Options(values=values):
            index = next(i for i, v in enumerate(values) if type(v) is type(answer) and v == answer)
            return (index + 0.5) / len(values)
        case Integers() | Reals():
            low, high = _ends(domain)
            number = float(answer)
            value = math.log(number) if domain.log else number
            return 0.5 if high <= low else min(1.0, max(0.0, (value - low) / (high - low)))


def from_unit(domain: Domain, u: float) -> Answer:
    """The answer at place `u` in [0, 1]; inverse of `to_unit` up to rounding to the grid."""
    match domain:
        case Options(values=values):
            return values[min(len(values) - 1, int(u * len(values)))]
        case Integers(low=first, high=last, step=step):
            low, high = _ends(domain)
            value = low + u * (high - low)
            value = math.exp(value) if domain.log else value
            steps = round((value - first) / step)
            return first + step * min((last - first) // step, max(0, steps))
        case Reals(low=first_real, high=last_real):
            low, high = _ends(domain)
            value = low + u * (high - low)
            return min(last_real, max(first_real, math.exp(value) if domain.log else value))


def _ends(domain: Integers | Reals) -> tuple[float, float]:
    """The ends on the scale of the domain. Integers own half a step beyond each end, so that
    every grid value has an equal share of [0, 1] (equal in the log where `log`)."""
    match domain:
        case Integers(low=low, high=high, step=step):
            last = low + (high - low) // step * step
            below, above = low - step / 2, last + step / 2
            if domain.log:
                return math.log(max(below, low / 2)), math.log(above)
            return below, above
        case Reals(low=low_real, high=high_real):
            return (math.log(low_real), math.log(high_real)) if domain.log else (low_real, high_real)


def middle(domain: Domain) -> Answer:
    """The default: the first option, the arithmetic or (log) geometric middle, or the centre."""
    match domain:
        case Options(values=values):
            return values[0]
        case Integers() | Reals():
            if domain.centre is not None:
                return from_unit(domain, to_unit(domain, domain.centre))
            return from_unit(domain, 0.5)


def default(decision: Decision) -> Answer:
    """What a decision is where nothing says otherwise: the middle of its domain; of the count of a repeat the least
    number of copies, unless its author gave a centre."""
    domain = decision.domain
    if decision.kind == "count" and isinstance(domain, Integers) and domain.centre is None:
        return domain.low
    return middle(domain)


def neighbours(domain: Domain, answer: Answer) -> tuple[Answer, ...]:
    """Answers one edit away: the values beside it where ordered, all others where not."""
    match domain:
        case Options(values=values, ordered=ordered):
            at = next(i for i, v in enumerate(values) if type(v) is type(answer) and v == answer)
            if ordered:
                return tuple(values[i] for i in (at - 1, at + 1) if 0 <= i < len(values))
            return tuple(v for i, v in enumerate(values) if i != at)
        case Integers(low=low, high=high, step=step):
            assert isinstance(answer, int)
            jump = _integer_jump(domain, answer)
            around = (answer - jump, answer - step, answer + step, answer + jump)
            return tuple(dict.fromkeys(v for v in around if low <= v <= high and v != answer))
        case Reals():
            u = to_unit(domain, answer)
            places = (u - 0.2, u - 0.05, u + 0.05, u + 0.2)
            return tuple(from_unit(domain, p) for p in places if 0.0 <= p <= 1.0)


def _integer_jump(domain: Integers, answer: int) -> int:
    """A stride of about a tenth of the range, on the grid, so that wide ranges can be crossed."""
    reach = answer if domain.log else domain.high - domain.low
    return max(1, round(reach / (4 if domain.log else 10) / domain.step)) * domain.step
