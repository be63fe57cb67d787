"""Candidates for a surrogate: edits of the best points, crossover, fresh draws, and local search.

A draft is a point that was not walked yet: an edit of one decision that opens nothing changes one answer
and needs no walk, which makes hundreds of candidates cheap. Whatever is proposed in the end is walked,
so a draft that was wrong about the space costs nothing but its place.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.decisions import Answer, Decision, Reals, contains, draw
from nasdsl.language.decisions import neighbours as beside
from nasdsl.language.moves import another, crossed, edit, is_open, keeping, walk
from searchers.encode import place_of
from searchers.view import SearchSpace

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Draft:
    """Answers, with the decisions of the walk they were edited from."""

    answers: dict[str, Answer]
    decisions: tuple[Decision, ...]

    def with_answer(self, path: str, answer: Answer) -> Draft:
        """One answer changed."""
        return Draft({**self.answers, path: answer}, self.decisions)


class Proposer:
    """Makes drafts. It learns from told points which sites open further decisions."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._branching: set[str] = set()

    def learn(self, point: Mapping[str, Answer]) -> None:
        """Note the sites of `point` that have decisions below them."""
        for path in point:
            site = place_of(path)[0]
            for end, letter in enumerate(site):
                if letter in "/[":
                    self._branching.add(site[:end])

    def _branches(self, decision: Decision) -> bool:
        return (
            decision.kind in ("count", "optional", "order") or place_of(decision.path)[0] in self._branching
        )

    def drawn(self, rng: random.Random) -> Draft:
        """From the author's prior."""
        point, decisions = walk(self._space, lambda decision: draw(decision.domain, rng))
        return Draft(dict(point), decisions)

    def walked(self, wanted: Mapping[str, Answer], rng: random.Random) -> Draft:
        """The nearest point of the space to `wanted`."""
        point, decisions = walk(self._space, keeping(wanted, lambda decision: draw(decision.domain, rng)))
        return Draft(dict(point), decisions)

    def mutated(self, draft: Draft, edits: int, rng: random.Random) -> Draft:
        """After `edits` random edits."""
        for _ in range(edits):
            choices = [decision for decision in draft.decisions if is_open(decision.domain)]
            if not choices:
                return draft
            decision = rng.choice(choices)
            if self._branches(decision):
                draft = self.walked(edit(decision, draft.answers, rng), rng)
            else:
                value = another(decision.domain, draft.answers[decision.path], rng)
                draft = draft.with_answer(decision.path, value)
        return draft

    def crossed(self, a: Draft, b: Draft, rng: random.Random) -> Draft:
        """A child of two."""
        return self.walked(crossed(a.decisions, b.decisions, a.answers, b.answers, rng), rng)

    def pool(self, parents: Sequence[Draft], rng: random.Random, size: int) -> list[Draft]:
        """`size` candidates: 60 % edits of the parents (1 to 3), 15 % crossover, 25 % from the prior."""
        drafts = [
            self.mutated(parents[i % len(parents)], rng.choice((1, 1, 2, 3)), rng)
            for i in range(size * 6 // 10)
        ]
        for _ in range(size * 15 // 100):
            drafts.append(self.crossed(rng.choice(parents), rng.choice(parents), rng))
        drafts += [self.drawn(rng) for _ in range(size - len(drafts))]
        return drafts

    def around(self, draft: Draft, rng: random.Random, walks: int) -> list[Draft]:
        """The drafts one edit away; of edits that open or close decisions a sample of `walks`."""
        near = []
        branching = []
        for decision in draft.decisions:
            if not is_open(decision.domain):
                continue
            if self._branches(decision):
                branching.append(decision)
                continue
            answer = draft.answers[decision.path]
            if isinstance(decision.domain, Reals):
                values: Sequence[Answer] = [another(decision.domain, answer, rng) for _ in range(3)]
            else:
                values = beside(decision.domain, answer) if contains(decision.domain, answer) else ()
            near += [draft.with_answer(decision.path, value) for value in values]
        for _ in range(walks if branching else 0):
            near.append(self.walked(edit(rng.choice(branching), draft.answers, rng), rng))
        return near

    def climb(
        self,
        starts: Sequence[Draft],
        value: Callable[[Sequence[Draft]], Scores],
        unseen: Callable[[Sequence[Draft]], list[Draft]],
        rng: random.Random,
        rounds: int,
    ) -> tuple[list[Draft], Scores]:
        """Hill climbing from every start at once; all drafts met, with their values."""
        met, values = list(starts), value(starts)
        tops = list(zip(met, values.tolist(), strict=True))
        for _ in range(rounds):
            fans = [unseen(self.around(draft, rng, walks=6)) for draft, _ in tops]
            found = [draft for fan in fans for draft in fan]
            if not found:
                break
            worth = value(found)
            met += found
            values = np.concatenate([values, worth])
            moved, at = [], 0
            for (_, height), fan in zip(tops, fans, strict=True):
                slopes = worth[at : at + len(fan)]
                if len(fan) and slopes.max() > height:
                    moved.append((fan[int(slopes.argmax())], float(slopes.max())))
                at += len(fan)
            if not moved:
                break
            tops = moved
        return met, values
