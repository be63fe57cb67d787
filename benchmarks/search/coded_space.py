"""A space written as a Python function, with the same walk as a parsed one.

    def program(ask):
        if ask("optimizer", names("sgd", "adam")) == "sgd":
            ask("optimizer/momentum", Reals(0.0, 0.99))

    space = CodedSpace(program)

Tests and benchmarks use it where the tree, not the language, is the point. A program may raise
`DeadEnd`: the last answer is then withdrawn and asked for again without it.
"""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from nasdsl.language.decisions import (
    Answer,
    Decision,
    Domain,
    Integers,
    Options,
    Reals,
    contains,
    draw,
    middle,
)
from nasdsl.language.point import Point


class DeadEnd(Exception):
    """Raised by a program when the answers so far cannot be completed."""


class Ask(Protocol):
    """Opens one decision and returns its answer."""

    def __call__(self, path: str, domain: Domain, kind: str = "choice") -> Answer: ...


def names(*values: Answer) -> Options:
    """Unordered options of equal weight."""
    return Options(values, (1.0,) * len(values))


def scale(*values: float) -> Options:
    """Ordered options of equal weight."""
    return Options(values, (1.0,) * len(values), ordered=True)


@dataclass(frozen=True)
class CodedSpace:
    """The space of all runs of `program`. Every draw follows one order: that of the calls to `ask`."""

    program: Callable[[Ask], None]

    def decide(self, choose: Callable[[Decision], Answer]) -> Point:
        """Run the program; after a DeadEnd the last answer is withdrawn and asked for again."""
        prefix: list[tuple[str, Answer]] = []
        withdrawn: dict[tuple[str, ...], list[Answer]] = {}
        while True:
            answers: dict[str, Answer] = {}

            def ask(path: str, domain: Domain, kind: str = "choice", answers: dict = answers) -> Answer:
                at = len(answers)
                if at < len(prefix):
                    answers[path] = prefix[at][1]
                    return prefix[at][1]
                if withdrawn:
                    domain = _without(domain, withdrawn.get(_place(prefix), []))
                answer = choose(Decision(path, domain, site_of(path), kind))
                if not contains(domain, answer):
                    raise ValueError(f"{path}: {answer!r} is not offered by {domain}")
                prefix.append((path, answer))
                answers[path] = answer
                return answer

            try:
                self.program(ask)
                return Point(answers)
            except DeadEnd:
                _, last = prefix.pop()
                withdrawn.setdefault(_place(prefix), []).append(last)

    def sample(self, seed: int) -> Point:
        """One point, decision by decision from the prior."""
        rng = random.Random(seed)
        return self.decide(lambda decision: draw(decision.domain, rng))

    def count(self) -> int:
        """By enumeration: for small spaces."""
        return sum(1 for _ in self.enumerate())

    def enumerate(self) -> Iterator[Point]:
        """Depth first: the last decision that has a further answer moves on."""
        script: tuple[int, ...] = ()
        while True:
            answers, widths = self._scripted(script)
            if answers is not None:
                yield Point(answers)
            places = list(script) + [0] * (len(widths) - len(script))
            while places and places[-1] + 1 == widths[len(places) - 1]:
                places.pop()
            if not places:
                return
            script = (*places[:-1], places[-1] + 1)

    def _scripted(self, script: tuple[int, ...]) -> tuple[dict[str, Answer] | None, list[int]]:
        """The run that takes the answers numbered by `script`, then first ones; None at a dead end.
        Beside it, how many answers each decision offered."""
        answers: dict[str, Answer] = {}
        widths: list[int] = []

        def ask(path: str, domain: Domain, kind: str = "choice") -> Answer:
            offered = answers_of(domain)
            answers[path] = offered[script[len(widths)] if len(widths) < len(script) else 0]
            widths.append(len(offered))
            return answers[path]

        try:
            self.program(ask)
        except DeadEnd:
            return None, widths
        return answers, widths


@functools.cache
def site_of(path: str) -> str:
    """The path with copy numbers left out."""
    return re.sub(r"\[\d+\]", "[]", path)


def _place(prefix: list[tuple[str, Answer]]) -> tuple[str, ...]:
    return tuple(f"{path}={answer!r}" for path, answer in prefix)


def answers_of(domain: Domain) -> tuple[Answer, ...]:
    """Every answer; of a real interval the middle alone."""
    match domain:
        case Options(values=values):
            return values
        case Integers(low=low, high=high, step=step):
            return tuple(range(low, high + 1, step))
        case Reals():
            return (middle(domain),)


def _without(domain: Domain, withdrawn: list[Answer]) -> Domain:
    if not withdrawn:
        return domain
    if isinstance(domain, Integers):
        domain = scale(*answers_of(domain))
    if not isinstance(domain, Options):
        raise DeadEnd
    kept = [(v, w) for v, w in zip(domain.values, domain.weights, strict=True) if v not in withdrawn]
    if not kept:
        raise DeadEnd
    return replace(domain, values=tuple(v for v, _ in kept), weights=tuple(w for _, w in kept))


def first(space: CodedSpace, n: int) -> list[Point]:
    """The first `n` points in the order of enumeration."""
    return list(itertools.islice(space.enumerate(), n))
