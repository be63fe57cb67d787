"""Candidates for a surrogate: edits of the best points, crossover, fresh draws, and local search.

An edit that opens or closes decisions is walked at once, others are drafts; see `drafts.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.decisions import Answer, Decision, Reals, contains, draw
from nasdsl.language.decisions import neighbours as beside
from nasdsl.language.moves import another, crossed, edit, keeping, walk
from nasdsl.language.point import Point
from searchers.drafts import Draft, Opened
from searchers.encode import place_of
from searchers.view import SearchSpace

Scores = NDArray[np.float64]


# What one proposal may spend on walks, a tenth of a millisecond each for 20 decisions. Walked drafts that
# depend on their parent alone are kept from one proposal to the next.
PRIOR_WINDOW, PRIOR_NEW = 48, 4
RELATIVES = 4  # structural edits of each parent per hundred candidates; one gives way with every outcome
CROSSINGS = 8  # children of two parents that take structure from both
CLIMB_WALKS = 2  # structural edits tried per climber and round
FAN = 40  # neighbours looked at around one climber
_CACHE = 4_000


class Proposer:
    """Makes drafts. It learns from told points which sites open further decisions.

    Every draft is a function of the seed, the history and the trial; caches only save work.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._branching: set[str] = set()
        self._kept: dict[tuple[object, ...], Draft] = {}

    def learn(self, point: Mapping[str, Answer]) -> None:
        """Note the sites of `point` that have decisions below them."""
        for path in point:
            site = place_of(path)[0]
            for end, letter in enumerate(site):
                if letter in "/[":
                    self._branching.add(site[:end])

    def parted(self, draft: Draft) -> tuple[list[Decision], list[Decision]]:
        """The open decisions of a draft that may open others, and those that do not."""
        return draft.opened.parted(self.branches, len(self._branching))

    def branches(self, decision: Decision) -> bool:
        """Whether another answer may open or close decisions, as far as paths can tell."""
        return decision.kind in ("count", "order") or place_of(decision.path)[0] in self._branching

    def walked(self, wanted: Mapping[str, Answer], rng: random.Random) -> Draft:
        """The nearest point of the space to `wanted`."""
        point, decisions = walk(self._space, keeping(wanted, lambda decision: draw(decision.domain, rng)))
        return Draft(dict(point), Opened(decisions))

    def _keep(self, key: tuple[object, ...], make: Callable[[random.Random], Draft]) -> Draft:
        """`make` with the chance that belongs to `key`, at most once."""
        if key not in self._kept:
            if len(self._kept) >= _CACHE:
                self._kept.clear()
            self._kept[key] = make(random.Random(f"{self._seed}/{key}"))
        return self._kept[key]

    def _prior(self, age: int) -> list[Draft]:
        """A sliding window over an endless list of draws from the author's prior."""
        end = PRIOR_NEW * age + PRIOR_WINDOW
        return [
            self._keep(("prior", i), lambda rng: self.walked({}, rng)) for i in range(end - PRIOR_WINDOW, end)
        ]

    def _relatives(self, parent: Draft, age: int, n: int) -> list[Draft]:
        """`n` structural edits of a parent."""
        branching, _ = self.parted(parent)
        if not branching:
            return []
        name = Point(parent.answers).key()

        def relative(rng: random.Random) -> Draft:
            return self.walked(edit(rng.choice(branching), parent.answers, rng), rng)

        return [self._keep((name, i), relative) for i in range(age, age + n)]

    def _varied(self, draft: Draft, edits: int, rng: random.Random) -> Draft:
        """After random edits that open nothing."""
        _, leaves = self.parted(draft)
        for decision in rng.sample(leaves, min(edits, len(leaves))):
            value = another(decision.domain, draft.answers[decision.path], rng)
            draft = draft.with_answer(decision.path, value)
        return draft

    def _mixed(self, a: Draft, b: Draft, rng: random.Random) -> Draft:
        """The structure of `a` with some of the answers of `b`."""
        answers = dict(a.answers)
        for decision in a.opened.decisions:
            other = b.answers.get(decision.path)
            if other is None or rng.random() < 0.5 or self.branches(decision):
                continue
            if contains(decision.domain, other):
                answers[decision.path] = other
        return Draft(answers, a.opened)

    def pool(self, parents: Sequence[Draft], rng: random.Random, size: int, age: int) -> list[Draft]:
        """About `size` candidates: 60 % edits of the parents, 15 % crossover, 25 % from the prior.

        `age` is the length of the history. Structural edits come with small edits of themselves.
        """
        drafts = [
            draft for parent in parents for draft in self._relatives(parent, age, RELATIVES * size // 100)
        ]
        drafts += [self._varied(draft, 1, rng) for draft in drafts]
        for i in range(max(size * 3 // 10, size * 6 // 10 - len(drafts))):
            drafts.append(self._varied(parents[i % len(parents)], rng.choice((1, 1, 2, 3)), rng))
        for _ in range(size * 15 // 100):
            drafts.append(self._mixed(rng.choice(parents), rng.choice(parents), rng))
        if drafts and self.parted(parents[0])[0]:
            drafts += [self._crossed(rng.choice(parents), rng.choice(parents), rng) for _ in range(CROSSINGS)]
        return drafts + self._prior(age)

    def _crossed(self, a: Draft, b: Draft, rng: random.Random) -> Draft:
        return self.walked(crossed(a.opened.decisions, b.opened.decisions, a.answers, b.answers, rng), rng)

    def around(self, draft: Draft, rng: random.Random) -> list[Draft]:
        """Drafts one edit away, at most FAN, and some edits that open or close decisions."""
        near: list[Draft] = []
        branching, leaves = self.parted(draft)
        for decision in leaves:
            answer = draft.answers[decision.path]
            if isinstance(decision.domain, Reals):
                values: Sequence[Answer] = [another(decision.domain, answer, rng) for _ in range(3)]
            else:
                values = beside(decision.domain, answer) if contains(decision.domain, answer) else ()
            near += [draft.with_answer(decision.path, value) for value in values]
        if len(near) > FAN:
            near = rng.sample(near, FAN)
        for _ in range(CLIMB_WALKS if branching else 0):
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
            fans = [unseen(self.around(draft, rng)) for draft, _ in tops]
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
