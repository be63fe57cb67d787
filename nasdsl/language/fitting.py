"""How many points shapes leave out, and which answers no point can give: what `check` says of a space whose networks
do not all fit."""

from __future__ import annotations

from dataclasses import dataclass

from nasdsl.language.configuration import Ask, LimitError, join
from nasdsl.language.decisions import Answer
from nasdsl.language.fold import Edge, Fold, Node, counting, total
from nasdsl.language.machine import Machine
from nasdsl.language.watch import State

_SITUATIONS = 5_000  # gone through at most, with shapes and without: half a second together
_SHOWN = 6  # answers that no point gives


@dataclass(frozen=True)
class Fitting:
    """`points` of `written` have a network that fits; `never`: answers of which none has, by the site that asks."""

    written: int
    points: int
    never: tuple[tuple[str, Answer], ...]

    @property
    def lines(self) -> list[str]:
        """The same in words."""
        if self.points == self.written:
            return ["shapes: every network fits, all points gone through"]
        found = [f"shapes: {self.points:,} of {self.written:,} points fit; the others are never drawn"]
        found += [f"no network fits with `{site} = {answer}`" for site, answer in self.never[:_SHOWN]]
        if len(self.never) > _SHOWN:
            found.append(f"nor with {len(self.never) - _SHOWN} other answers")
        return found


def fitting(sighted: Machine, blind: Machine) -> Fitting | None:
    """By machines of one space with shapes and without them; None where going through it takes too long."""
    alive = _Noting(sighted)
    try:
        points = alive.begin()[1] or 0
        written = counting(blind, _SITUATIONS).begin()[1] or 0
    except LimitError:
        return None
    return Fitting(written, points, alive.never())


class _Noting(Fold):
    """Counts the points, and notes which answers lead to any."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, 1, total, situations=_SITUATIONS)
        self._told: dict[tuple[str, Answer], list[Node]] = {}

    def _edges(self, ask: Ask, state: State, every: bool = False) -> list[Edge]:
        site = join(ask.label.site, ask.site)
        for answer, _, after in self._tried(ask, state, every):
            ends = self._told.setdefault((site, answer), [])
            arrival = self._arrive(ask.resume(answer))
            if arrival is not None:
                ends.append((arrival[1], after))
        return super()._edges(ask, state, every)

    def never(self) -> tuple[tuple[str, Answer], ...]:
        """Answers that no point gives, of decisions that some point makes."""
        living = {key for key, ends in self._told.items() if any(self._values.get(end) for end in ends)}
        made = {site for site, _ in living}
        return tuple(key for key in self._told if key not in living and key[0] in made)
