"""Small edits of a point: mutate, neighbours, crossover; all of them through the one walk `decide`.

An edit never builds a point by hand. It states which answers it wants, and `follow` walks the
space with them: wanted answers are kept where they are still offered, the rest is drawn anew. So
every result is a valid point, also where an edit opens or closes whole branches.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from nasdsl.language.decisions import (
    Answer,
    Decision,
    Domain,
    Integers,
    Reals,
    contains,
    default,
    draw,
    from_unit,
    size,
    to_unit,
)
from nasdsl.language.decisions import neighbours as beside
from nasdsl.language.point import Point

Choose = Callable[[Decision], Answer]


class Walkable(Protocol):
    """Whatever can be walked: `nasdsl.language.space.Space`, or a function in a test."""

    def decide(self, choose: Choose) -> Point: ...


# Shares of one edit. Ordered answers mostly take a small step (a smooth scale rewards it), yet
# every answer keeps a positive chance, so that no part of the space is cut off.
_STEP_SHARE = 0.7
_REGROW_SHARE = 0.15
_COPY_EDIT_SHARE = 0.7
_REAL_STEP = 0.2  # standard deviation of a step, as a share of the (log) range
_ATTEMPTS = 20


def walk(space: Walkable, choose: Choose) -> tuple[Point, tuple[Decision, ...]]:
    """One walk: the point, and beside it the decisions that it answers, with their pruned domains."""
    opened: dict[str, Decision] = {}

    def noting(decision: Decision) -> Answer:
        opened[decision.path] = decision
        return choose(decision)

    point = space.decide(noting)
    return point, tuple(opened[path] for path in point)


def keeping(wanted: Mapping[str, Answer], complete: Choose) -> Choose:
    """Keeps each wanted answer that is offered and leaves the rest to `complete`."""

    def choose(decision: Decision) -> Answer:
        answer = wanted.get(decision.path)
        if answer is not None and contains(decision.domain, answer):
            return answer
        return complete(decision)

    return choose


def follow(space: Walkable, wanted: Mapping[str, Answer], complete: Choose) -> Point:
    """The point that keeps each wanted answer that is offered and leaves the rest to `complete`."""
    return space.decide(keeping(wanted, complete))


def trace(space: Walkable, point: Point) -> tuple[Decision, ...]:
    """The decisions that `point` answers, in the order they open, with their pruned domains."""
    return walk(space, keeping(point, default))[1]


def is_open(domain: Domain) -> bool:
    """Whether there is anything to choose."""
    return (isinstance(domain, Reals) and domain.low < domain.high) or size(domain) > 1


def is_ordered(domain: Domain) -> bool:
    """Whether answers of the domain have a scale: numbers do, names do not."""
    return isinstance(domain, Integers | Reals) or domain.ordered


def under(root: str, path: str) -> bool:
    """Whether `path` is `root` or lies in its subtree (`a/b` and `a[0]/b` lie under `a`)."""
    return path == root or (path.startswith(root) and path[len(root)] in "/[")


# ---------------------------------------------------------------------------------------------
# mutate


def mutate(space: Walkable, point: Point, rng: random.Random, edits: int = 1) -> Point:
    """`point` after `edits` random edits; another point whenever the space has one within reach."""
    for _ in range(edits):
        point = _edited(space, point, rng)
    return point


def _edited(space: Walkable, point: Point, rng: random.Random) -> Point:
    decisions = [d for d in trace(space, point) if is_open(d.domain)]
    if not decisions:
        return point
    for _ in range(_ATTEMPTS):
        wanted = edit(decisions[rng.randrange(len(decisions))], point, rng)
        child = follow(space, wanted, lambda d: draw(d.domain, rng))
        if child != point:
            return child
    return point


def edit(decision: Decision, point: Mapping[str, Answer], rng: random.Random) -> dict[str, Answer]:
    """The wanted answers after one random edit at `decision`, which `point` answers."""
    answer = point[decision.path]
    if decision.kind == "count" and rng.random() < _COPY_EDIT_SHARE:
        assert isinstance(answer, int)
        edited = edit_copies(decision, answer, point, rng)
        if edited is not None:
            return edited
    wanted = dict(point)
    if rng.random() < _REGROW_SHARE:
        for path in [p for p in wanted if under(decision.path, p)]:
            del wanted[path]
    wanted[decision.path] = another(decision.domain, answer, rng)
    return wanted


def another(domain: Domain, answer: Answer, rng: random.Random) -> Answer:
    """An answer other than `answer`: a step where ordered, else a draw from the author's prior."""
    if not contains(domain, answer):
        return draw(domain, rng)
    if is_ordered(domain) and rng.random() < _STEP_SHARE:
        return _step(domain, answer, rng)
    for _ in range(_ATTEMPTS):
        drawn = draw(domain, rng)
        if drawn != answer:
            return drawn
    return rng.choice(beside(domain, answer) or (answer,))


def _step(domain: Domain, answer: Answer, rng: random.Random) -> Answer:
    if isinstance(domain, Reals):
        place = to_unit(domain, answer) + rng.gauss(0.0, _REAL_STEP)
        return from_unit(domain, min(1.0, max(0.0, place)))
    return rng.choice(beside(domain, answer) or (answer,))


# ---------------------------------------------------------------------------------------------
# copies of a repeat


def edit_copies(
    decision: Decision, n: int, point: Mapping[str, Answer], rng: random.Random
) -> dict[str, Answer] | None:
    """Insert, delete or swap one copy of the repeat counted by `decision`; None where none can be.

    An inserted copy is the twin of its neighbour or drawn anew, with equal chance.
    """
    edits = []
    if n > 1:
        edits.append("swap")
    if contains(decision.domain, n - 1):
        edits.append("delete")
    if contains(decision.domain, n + 1):
        edits.append("insert")
    if not edits:
        return None
    order: list[int | None] = list(range(n))
    match rng.choice(edits):
        case "swap":
            i, j = rng.sample(range(n), 2)
            order[i], order[j] = order[j], order[i]
        case "delete":
            del order[rng.randrange(n)]
        case _:
            twin = rng.randrange(n) if n and rng.random() < 0.5 else None
            order.insert(rng.randrange(n + 1) if twin is None else twin, twin)
    return with_copies(decision.path, order, point, point)


def with_copies(
    path: str, order: Sequence[int | None], point: Mapping[str, Answer], source: Mapping[str, Answer]
) -> dict[str, Answer]:
    """`point` with the copies of the repeat at `path` taken from `source` in `order`; None: a new one."""
    copies = _copies(path, source)
    wanted = {p: a for p, a in point.items() if not p.startswith(f"{path}[")}
    wanted[path] = len(order)
    for place, origin in enumerate(order):
        if origin is not None:
            wanted.update({f"{path}[{place}]{rest}": a for rest, a in copies.get(origin, ())})
    return wanted


def _copies(path: str, point: Mapping[str, Answer]) -> dict[int, list[tuple[str, Answer]]]:
    """copy number -> [(path within the copy, answer)]."""
    pattern = re.compile(re.escape(path) + r"\[(\d+)\](.*)", re.DOTALL)
    copies: dict[int, list[tuple[str, Answer]]] = {}
    for p, answer in point.items():
        if found := pattern.fullmatch(p):
            copies.setdefault(int(found[1]), []).append((found[2], answer))
    return copies


# ---------------------------------------------------------------------------------------------
# neighbours


def neighbours(space: Walkable, point: Point, complete: Choose | None = None) -> Iterator[Point]:
    """The points one edit away, each once, lazily.

    An edit gives one decision an answer beside its own, or deletes, doubles or swaps adjacent
    copies of a repeat. Decisions that an edit opens go to `complete`, by default their middle.
    """
    finish = complete or default
    seen = {point}
    for wanted in _one_edit_away(trace(space, point), point):
        near = follow(space, wanted, finish)
        if near not in seen:
            seen.add(near)
            yield near


def _one_edit_away(decisions: Sequence[Decision], point: Point) -> Iterator[dict[str, Answer]]:
    for decision in decisions:
        answer = point[decision.path]
        if decision.kind == "count" and isinstance(answer, int):
            yield from _copy_edits(decision, answer, point)
        if contains(decision.domain, answer):
            for value in beside(decision.domain, answer):
                yield {**point, decision.path: value}


def _copy_edits(decision: Decision, n: int, point: Point) -> Iterator[dict[str, Answer]]:
    copies = list(range(n))
    for i in range(n):
        if contains(decision.domain, n - 1):
            yield with_copies(decision.path, copies[:i] + copies[i + 1 :], point, point)
        if contains(decision.domain, n + 1):
            yield with_copies(decision.path, copies[: i + 1] + copies[i:], point, point)
        if i + 1 < n:
            swapped = [*copies[:i], i + 1, i, *copies[i + 2 :]]
            yield with_copies(decision.path, swapped, point, point)


# ---------------------------------------------------------------------------------------------
# crossover


def crossover(space: Walkable, a: Point, b: Point, rng: random.Random) -> Point:
    """A child of two points.

    Half of the time a subtree of `a` gives way to a homologous one of `b` (same site, so also
    another copy of the repeat); else every top subtree comes from either parent.
    """
    wanted = crossed(trace(space, a), trace(space, b), a, b, rng)
    return follow(space, wanted, lambda d: draw(d.domain, rng))


def crossed(
    opened_by_a: Sequence[Decision],
    opened_by_b: Sequence[Decision],
    a: Mapping[str, Answer],
    b: Mapping[str, Answer],
    rng: random.Random,
) -> dict[str, Answer]:
    """The wanted answers of one crossover."""
    if rng.random() < 0.5:
        return _transplanted(opened_by_a, opened_by_b, a, b, rng)
    return _mixed(a, b, rng)


def _transplanted(
    opened_by_a: Sequence[Decision],
    opened_by_b: Sequence[Decision],
    a: Mapping[str, Answer],
    b: Mapping[str, Answer],
    rng: random.Random,
) -> dict[str, Answer]:
    donors: dict[str, list[str]] = {}
    for decision in opened_by_b:
        donors.setdefault(decision.site, []).append(decision.path)
    places = [d for d in opened_by_a if d.site in donors]
    if not places:
        return dict(a)
    place = rng.choice(places)
    donor = rng.choice(donors[place.site])
    wanted = {p: answer for p, answer in a.items() if not under(place.path, p)}
    wanted.update({place.path + p[len(donor) :]: answer for p, answer in b.items() if under(donor, p)})
    return wanted


def _mixed(a: Mapping[str, Answer], b: Mapping[str, Answer], rng: random.Random) -> dict[str, Answer]:
    """Per top decision a coin says which parent its subtree comes from."""
    wanted: dict[str, Answer] = {**b, **a}
    coins: dict[str, bool] = {}
    for path in wanted:
        top = next((root for root in coins if under(root, path)), path)
        if top not in coins:
            coins[top] = rng.random() < 0.5
        if coins[top] and path in b:
            wanted[path] = b[path]
    return wanted
