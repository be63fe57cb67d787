"""Classic tree search (UCT, Kocsis & Szepesvari 2006), plain or with bisection of ordered decisions.

The searchers of Negrinho & Gordon 2017 (arXiv 1704.08792), kept for comparison. Four steps: select a
child by upper confidence bound, expand one node, complete by random draws, back up the score. With
`bisection` the answers of every decision are halved again and again, so that neighbours share statistics.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from nasdsl.language.decisions import Answer, Decision, draw, listed
from nasdsl.language.moves import trace
from nasdsl.language.point import Point
from searchers.duplicates import Duplicates, fresh
from searchers.history import History, Result, succeeded
from searchers.protocol import Outcome
from searchers.view import Same, SearchSpace

Branch = tuple[str, tuple[Answer, ...]]
_REAL_BINS = 8  # a real interval is searched as this many equal parts of its scale


@dataclass(slots=True)
class Node:
    """Statistics of one prefix of answers."""

    visits: int = 0
    total: float = 0.0  # sum of scores
    children: dict[Branch, Node] = field(default_factory=dict)


def answers_of(decision: Decision) -> tuple[Answer, ...]:
    """The answers that get branches; a real interval has none of its own."""
    return tuple(listed(decision.domain))


def halves(path: str, answers: Sequence[Answer]) -> list[Branch]:
    """[l, r) split at floor((l + r) / 2)."""
    middle = len(answers) // 2
    return [(path, tuple(answers[:middle])), (path, tuple(answers[middle:]))]


class UCT:
    """Upper confidence bounds over the tree, in the order in which decisions open.

    Args:
        bisection: halve the answers of each decision instead of one branch per answer.
        exploration: c in mean + c sqrt(2 ln N / n), for scores brought to [0, 1] by their quantiles.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        bisection: bool = False,
        exploration: float = 0.5,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
    ) -> None:
        self._space = space
        self._seed = seed
        self._bisection = bisection
        self._exploration = exploration
        self._duplicates = duplicates
        self._history = History(same)
        self._root = Node()

    def ask(self, trial: int) -> Point | None:
        """Descend the tree, then draw the rest."""
        return self._history.proposed(trial, lambda: self._proposal(random.Random(f"{self._seed}/{trial}")))

    def _proposal(self, rng: random.Random) -> Point | None:
        scale = Scale.of([result.score for result in self._history.finished()])
        return fresh(self._space, self._history, self._duplicates, lambda: self._complete(scale, rng), rng)

    def _complete(self, scale: Scale, rng: random.Random) -> Point:
        node: Node | None = self._root

        def choose(decision: Decision) -> Answer:
            nonlocal node
            answers = answers_of(decision)
            while node is not None and len(answers) > 1:
                branch = self._select(node, self._branches(decision.path, answers), scale, rng)
                node, answers = node.children.get(branch), branch[1]
                if not self._bisection:
                    break
            return draw(decision.domain, rng) if len(answers) != 1 else answers[0]

        return self._space.decide(choose)

    def _branches(self, path: str, answers: Sequence[Answer]) -> list[Branch]:
        return halves(path, answers) if self._bisection else [(path, (answer,)) for answer in answers]

    def _select(self, node: Node, branches: list[Branch], scale: Scale, rng: random.Random) -> Branch:
        """An unvisited branch at random, else the highest upper confidence bound."""
        unvisited = [branch for branch in branches if branch not in node.children]
        if unvisited:
            return rng.choice(unvisited)
        return max(branches, key=lambda branch: self._bound(node, node.children[branch], scale))

    def _bound(self, parent: Node, child: Node, scale: Scale) -> float:
        # UCT, Kocsis & Szepesvari 2006, eq. 1
        mean = scale.unit(child.total / child.visits)
        return mean + self._exploration * math.sqrt(2 * math.log(max(parent.visits, 1)) / child.visits)

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self._history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Back up the score; after a correction of the past, rebuild the tree."""
        revisions = self._history.revisions
        self._history.tell(trial, point, outcome)
        news = self._history.earliest(len(self._history))
        if revisions == self._history.revisions:
            news = news[-1:]
        else:
            self._root = Node()
        for result in news:
            self._back_up(result)

    def _back_up(self, result: Result) -> None:
        """Add the score along the path of the point, and expand by one node."""
        score = result.score if succeeded(result.outcome) else self._poor_score()
        node = self._root
        node.visits += 1
        for decision in trace(self._space, result.point):
            answers = answers_of(decision)
            while len(answers) > 1:
                branches = self._branches(decision.path, answers)
                branch = next((b for b in branches if result.point.get(decision.path) in b[1]), None)
                if branch is None:
                    return
                expanded = branch not in node.children
                node = node.children.setdefault(branch, Node())
                node.visits += 1
                node.total += score
                if expanded:
                    return
                answers = branch[1]

    def _poor_score(self) -> float:
        """What a failure counts as: the worst score so far."""
        return min((result.score for result in self._history.finished()), default=0.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Scores to [0, 1]: the median to 0.5, the 95 % quantile to 1, clipped."""

    median: float
    high: float

    @staticmethod
    def of(scores: list[float]) -> Scale:
        ordered = sorted(scores) or [0.0]
        return Scale(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))])

    def unit(self, score: float) -> float:
        spread = 2.0 * (self.high - self.median)
        return 0.5 if spread <= 0 else min(1.0, max(0.0, 0.5 + (score - self.median) / spread))
