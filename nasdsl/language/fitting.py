"""How many points shapes leave out, and which answers no point can give: counted, or tried on points that are drawn."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from nasdsl.language.configuration import MAX_DECISIONS, Ask, Configuration, Dead, LimitError, join
from nasdsl.language.decisions import Answer, contains, draw
from nasdsl.language.fold import Edge, Fold, Node, answers, counting, total
from nasdsl.language.machine import Machine, OutOfSteps
from nasdsl.language.point import Point
from nasdsl.language.watch import State

_SITUATIONS = 5_000  # gone through at most, with shapes and without: half a second together
_DRAWS = 100
_TRIES = 5  # for each point that is to be drawn
_STEPS = 20_000  # of the machine for all draws together


@dataclass(frozen=True)
class Never:
    """Answers of a decision that no point gives, each with what stands against it in the first way on from there: why,
    and what would help. `path`: of one copy; `living`: the answers of which some point has each."""

    path: str
    dead: Mapping[Answer, tuple[str, str]]
    living: tuple[Answer, ...]


@dataclass(frozen=True)
class Fitting:
    """`points` of `written` have a network that fits; `never`: the decisions with answers of which none has, by their
    path without numbers of copies."""

    written: int
    points: int
    never: Mapping[str, Never]


@dataclass(frozen=True)
class Trying:
    """`fit` of `drawn` points, drawn without regard to shapes, have a network."""

    drawn: int
    fit: int


def fitting(sighted: Machine, blind: Machine) -> Fitting | None:
    """By machines of one space with shapes and without them; None where going through it takes too long."""
    alive = _Noting(sighted)
    try:
        points = alive.begin()[1] or 0
        written = counting(blind, _SITUATIONS).begin()[1] or 0
    except LimitError:
        return None
    return Fitting(written, points, alive.never())


def trying(sighted: Machine, blind: Machine) -> Trying:
    """The same by points drawn from the author's prior, as many as the steps allow."""
    rng = random.Random(0)
    drawn = fit = 0
    for machine in (sighted, blind):
        machine.steps_left = _STEPS
    try:
        for _ in range(_TRIES * _DRAWS):
            answers = _drawn(blind, rng) if drawn < _DRAWS else None
            if answers is None:
                continue
            fits = _fits(sighted, answers)
            drawn, fit = drawn + 1, fit + fits
    except OutOfSteps:
        pass  # what has been drawn so far is what is told
    finally:
        for machine in (sighted, blind):
            machine.steps_left = sys.maxsize
    return Trying(drawn, fit)


def drawn(machine: Machine, n: int) -> list[Point]:
    """Points that fit, from the author's prior: at most `n`, and as many as the steps allow."""
    rng = random.Random(0)
    machine.steps_left = _STEPS
    found: list[Point] = []
    try:
        for _ in range(_TRIES * n):
            answers = _drawn(machine, rng)
            if answers is not None:
                found.append(Point(answers))
            if len(found) == n:
                break
    except OutOfSteps:
        pass  # those found so far
    finally:
        machine.steps_left = sys.maxsize
    return found


def _drawn(machine: Machine, rng: random.Random) -> dict[str, Answer] | None:
    """A point as the machine sees them; None where what is drawn ends in none."""
    answers: dict[str, Answer] = {}
    configuration = machine.start()
    try:
        for _ in range(MAX_DECISIONS):
            _, ask = machine.run(configuration)
            if ask is None:
                return answers
            answer = answers[join(ask.label.path, ask.key)] = draw(ask.domain, rng)
            configuration = ask.resume(answer)
    except Dead:
        return None
    return None


def _fits(machine: Machine, answers: Mapping[str, Answer]) -> bool:
    configuration = machine.start()
    try:
        while True:
            _, ask = machine.run(configuration)
            if ask is None:
                return True
            answer = answers[join(ask.label.path, ask.key)]
            if not contains(ask.domain, answer):
                return False
            configuration = ask.resume(answer)
    except Dead:
        return False


class _Noting(Fold):
    """Counts the points, and notes which answers lead to any."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, 1, total, situations=_SITUATIONS)
        self._told: dict[tuple[str, Answer], list[Node]] = {}
        self._paths: dict[str, str] = {}
        self._ways: dict[tuple[str, Answer], Configuration] = {}  # the first on from each answer

    def _edges(self, ask: Ask, state: State, every: bool = False) -> list[Edge]:
        site = join(ask.label.site, ask.site)
        self._paths.setdefault(site, join(ask.label.path, ask.key))
        for answer, _, after in self._tried(ask, state, every):
            ends = self._told.setdefault((site, answer), [])
            on = ask.resume(answer)
            self._ways.setdefault((site, answer), on)
            arrival = self._arrive(on)
            if arrival is not None:
                ends.append((arrival[1], after))
        return super()._edges(ask, state, every)

    def never(self) -> dict[str, Never]:
        """Decisions that some point makes, with answers that no point gives."""
        found: dict[str, Never] = {}
        for site, path in self._paths.items():
            told = {answer: ends for (place, answer), ends in self._told.items() if place == site}
            living = tuple(a for a, ends in told.items() if any(self._values.get(end) for end in ends))
            dead = tuple(answer for answer in told if answer not in living)
            if living and dead:
                why = {answer: self._against(self._ways[site, answer]) for answer in dead}
                found[site] = Never(path, why, living)
        return found

    def _against(self, configuration: Configuration) -> tuple[str, str]:
        """Why a way that nothing survives ends, where the first answers are taken."""
        try:
            while True:
                _, ask = self.machine.run(configuration)
                if ask is None:
                    return "", ""
                configuration = ask.resume(next(iter(answers(ask.domain))))
        except Dead as dead:
            return str(dead), dead.help
