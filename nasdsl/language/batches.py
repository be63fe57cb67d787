"""Many points at once: walks that come to the same decision are drawn together.

Each point is drawn as a single walk would be, so that a batch has the same distribution; what is shared is the
way to each decision. A walk that comes to a dead end is taken up alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from nasdsl.language.configuration import MAX_DECISIONS
from nasdsl.language.decisions import Answer, Decision, draw, draws
from nasdsl.language.errors import Infeasible
from nasdsl.language.point import Point
from nasdsl.language.walk import Junction, Walks, Way

_TOGETHER = 10_000  # points drawn at once, which bounds the ways that are kept


def sampled(walks: Walks, n: int, rng: random.Random) -> list[Point]:
    """`n` points, every decision by its prior. Raises Infeasible where no point was found."""
    points: list[Point] = []
    while len(points) < n:
        points += _batch(walks, min(_TOGETHER, n - len(points)), rng)
    return points


def _batch(walks: Walks, n: int, rng: random.Random) -> list[Point]:
    answers: list[dict[str, Answer]] = [{} for _ in range(n)]
    stuck: set[int] = set()
    waiting: list[tuple[Way, list[dict[str, Answer]]]] = [(walks.begin(), answers)]
    while waiting:
        way, group = waiting.pop()
        if isinstance(way, Junction):
            waiting += _after(walks, way, group, rng)
        elif not way:
            stuck.update(map(id, group))
    points = []
    for one in answers:
        point = None if id(one) in stuck else Point(one)
        points.append(point if point and walks.accepts(point) else walks.decide(_continuing(one, rng)))
    return points


def _after(
    walks: Walks, at: Junction, group: list[dict[str, Answer]], rng: random.Random
) -> list[tuple[Way, list[dict[str, Answer]]]]:
    """What follows a decision for each walk of a group: the ways on, and who takes them."""
    path = at.decision.path
    if len(group[0]) >= MAX_DECISIONS:
        raise Infeasible(f"a point has more than {MAX_DECISIONS:,} decisions, the limit")
    drawn = draws(at.decision.domain, rng, len(group))
    if not at.forks:
        for one, answer in zip(group, drawn, strict=True):
            one[path] = answer
        return [(walks.follow(at, drawn[0]), group)]
    parted: dict[Answer, list[dict[str, Answer]]] = {}
    for one, answer in zip(group, drawn, strict=True):
        one[path] = answer
        parted.setdefault(answer, []).append(one)
    return [(walks.follow(at, answer), part) for answer, part in parted.items()]


def _continuing(known: dict[str, Answer], rng: random.Random) -> Callable[[Decision], Answer]:
    """Gives each known answer once, then draws: a walk as it was, and on from its dead end."""
    left = dict(known)

    def choose(decision: Decision) -> Answer:
        answer = left.pop(decision.path, None)
        return draw(decision.domain, rng) if answer is None else answer

    return choose
