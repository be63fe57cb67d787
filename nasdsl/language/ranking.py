"""Between points and their numbers, in the order in which decisions open."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nasdsl.language.configuration import Ask
from nasdsl.language.decisions import Answer, Decision, Integers, Options, Reals, contains, size
from nasdsl.language.errors import AnswerError
from nasdsl.language.fold import Fold, answers
from nasdsl.language.machine import Machine
from nasdsl.language.point import Point


def unrank(machine: Machine, count: Fold, index: int, real: Callable[[Decision], Answer]) -> Point:
    """The point at `index`; `real` answers the real ranges, which do not count."""
    total = count.after(machine.start())[1] or 0
    if not 0 <= index < total:
        raise IndexError(f"the space has {total} points, and none at {index}")
    found: dict[str, Answer] = {}
    configuration = machine.start()
    while True:
        _, ask = machine.run(configuration)
        if ask is None:
            return Point(found)
        answer, index = _at(ask, count, index, real)
        found[ask.decision(ask.domain).path] = answer
        configuration = ask.resume(answer)


def _at(ask: Ask, count: Fold, index: int, real: Callable[[Decision], Answer]) -> tuple[Answer, int]:
    """The answer whose points `index` is among, and its place among them."""
    domain = ask.domain
    if isinstance(domain, Reals):
        fitting = count.fitting(ask, domain) if ask.structural else domain
        assert fitting is not None  # else there were no points here
        return real(ask.decision(fitting)), index
    if not ask.structural:  # all answers have as many points
        first = next(iter(answers(domain)))
        each = count.after(ask.resume(first))[1] or 0
        return _nth(domain, index // each), index % each
    for answer in answers(domain):
        points = count.after(ask.resume(answer))[1] or 0
        if index < points:
            return answer, index
        index -= points
    raise AssertionError("the counts of the answers add up to the count")


def _nth(domain: Options | Integers, index: int) -> Answer:
    return domain.values[index] if isinstance(domain, Options) else domain.low + index * domain.step


def rank(machine: Machine, count: Fold, point: Mapping[str, Answer]) -> int:
    """The number of a point. Raises AnswerError where it is no point."""
    index = 0
    configuration = machine.start()
    used = 0
    while True:
        _, ask = machine.run(configuration)
        if ask is None:
            break
        path = ask.decision(ask.domain).path
        if path not in point or not contains(ask.domain, point[path]):
            raise AnswerError(f"`{path}` has no answer that the space offers")
        index += _before(ask, count, point[path])
        configuration = ask.resume(point[path])
        used += 1
        if count.after(configuration)[1] is None:
            raise AnswerError(f"no network fits what the point answers to `{path}`")
    if used != len(point):
        raise AnswerError("the point answers decisions that do not open")
    return index


def _before(ask: Ask, count: Fold, answer: Answer) -> int:
    """How many points come before those of an answer."""
    domain = ask.domain
    if isinstance(domain, Reals):
        return 0
    if not ask.structural:
        each = count.after(ask.resume(answer))[1] or 0
        return each * _index(domain, answer)
    total = 0
    for other in answers(domain):
        if other == answer:
            return total
        total += count.after(ask.resume(other))[1] or 0
    raise AssertionError("the answer is one of the domain")


def _index(domain: Options | Integers, answer: Answer) -> int:
    if isinstance(domain, Options):
        return domain.values.index(answer)
    assert isinstance(answer, int) and size(domain)
    return (answer - domain.low) // domain.step
