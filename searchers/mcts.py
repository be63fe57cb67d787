"""Tree search with learned order, shared move statistics and a surrogate (the default `MCTS`).

Plain UCT spends its statistics on whichever decisions happen to open first. Here a node is a set of
answers, and the next decision below it is, among those that all of its results have answered, the
one whose answers explain the scores best. Four steps, in the order of a proposal:

    select    descend by PUCT on a blend of the node's own value and that of the answer anywhere (AMAF)
    expand    a node splits once it holds enough results
    complete  draw the remaining decisions, preferring answers that did well anywhere
    back up   a node's value is the mean of its mean and its best: the goal is the best leaf

Leaves and mutations of the best points are then screened by the surrogate of `SMBO`.
PUCT: Rosin 2011; AMAF/GRAVE: Gelly & Silver 2011, Cazenave 2015; order: cf. arXiv 2503.21061.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nasdsl.language.decisions import Answer, Decision, Options, contains, draw, from_unit, to_unit
from nasdsl.language.moves import is_open
from nasdsl.language.point import Point
from searchers.drafts import Draft
from searchers.duplicates import Duplicates
from searchers.protocol import Outcome
from searchers.smbo import SMBO
from searchers.uct import Scale
from searchers.view import Same, SearchSpace

Move = tuple[str, Answer]

DESCENTS = 64  # leaves per proposal
MOST_RESULTS = 400  # the tree of a longer history is grown from the latest
SPLIT = 4  # results a node needs before it has children
EXPLORATION = 0.3
AMAF_BIAS = 0.05
NEAREST = 15  # AMAF statistics come from the nearest ancestor with this many results
_BINS = 4  # numbers are searched by quarter of their scale


@dataclass(slots=True)
class Node:
    """The results that share the answers on the way here."""

    depth: int
    members: list[int]
    value: float
    pending: int = 0  # virtual visits: they count, but carry no value
    path: str | None = None
    children: dict[Answer, Node] = field(default_factory=dict)
    expanded: bool = False

    @property
    def visits(self) -> int:
        return len(self.members) + self.pending


def cell_of(decision: Decision, answer: Answer) -> Answer:
    """What counts as one move: an option itself, a number by its part of the scale."""
    if isinstance(decision.domain, Options) or not contains(decision.domain, answer):
        return answer
    return min(_BINS - 1, int(to_unit(decision.domain, answer) * _BINS))


class Tree:
    """One tree over results with rewards in [0, 1]; nodes appear when they are first visited."""

    def __init__(
        self,
        points: Sequence[Mapping[str, Answer]],
        decisions: Sequence[Sequence[Decision]],
        rewards: Sequence[float],
    ) -> None:
        self._moves = [
            {d.path: cell_of(d, point[d.path]) for d in opened if is_open(d.domain)}
            for point, opened in zip(points, decisions, strict=True)
        ]
        self._rewards = rewards
        self.root = self._node(0, list(range(len(points))))

    def _node(self, depth: int, members: list[int]) -> Node:
        return Node(depth, members, self.backed_up(members))

    def backed_up(self, members: Sequence[int]) -> float:
        """Half the mean, half the best."""
        rewards = [self._rewards[i] for i in members]
        return 0.5 * sum(rewards) / len(rewards) + 0.5 * max(rewards) if rewards else 0.5

    def visit(self, point: Mapping[str, Answer], decisions: Sequence[Decision]) -> None:
        """A virtual visit on the way of a point that is being evaluated."""
        moves = {d.path: cell_of(d, point[d.path]) for d in decisions}
        node: Node | None = self.root
        while node is not None:
            node.pending += 1
            self.expand(node)
            node = node.children.get(moves[node.path]) if node.path in moves else None

    def expand(self, node: Node) -> None:
        """Split by the decision, answered by all members, whose answers explain the scores best."""
        if node.expanded:
            return
        node.expanded = True
        if len(node.members) < SPLIT:
            return
        counts: dict[str, int] = {}
        for i in node.members:
            for path in self._moves[i]:
                counts[path] = counts.get(path, 0) + 1
        shared = [path for path, n in counts.items() if n == len(node.members)]
        groups = {path: self._groups(node.members, path) for path in shared}
        splitting = [path for path in shared if len(groups[path]) > 1]
        if not splitting:
            return
        node.path = max(splitting, key=lambda path: self._explained(groups[path]))
        for answer, members in groups[node.path].items():
            node.children[answer] = self._node(node.depth + 1, members)

    def _groups(self, members: Sequence[int], path: str) -> dict[Answer, list[int]]:
        groups: dict[Answer, list[int]] = {}
        for i in members:
            groups.setdefault(self._moves[i][path], []).append(i)
        return groups

    def _explained(self, groups: Mapping[Answer, Sequence[int]]) -> float:
        """Between-answer variance of the mean reward; small groups are shrunk to the overall mean."""
        n = sum(map(len, groups.values()))
        overall = sum(self._rewards[i] for members in groups.values() for i in members) / n
        return sum(
            (sum(self._rewards[i] - overall for i in members) / (len(members) + 2)) ** 2 * len(members) / n
            for members in groups.values()
        )

    def amaf(self, members: Sequence[int]) -> dict[Move, tuple[int, float]]:
        """(count, sum of rewards) of every move among these results, wherever it was made."""
        table: dict[Move, tuple[int, float]] = {}
        for i in members:
            for move in self._moves[i].items():
                count, total = table.get(move, (0, 0.0))
                table[move] = count + 1, total + self._rewards[i]
        return table

    def draw(self, node: Node, depth: int = 0) -> Iterator[str]:
        """Lines of text: decision, answer, visits and value per branch, best first."""
        for answer, child in sorted(node.children.items(), key=lambda item: -item[1].value):
            yield f"{'  ' * depth}{node.path} = {answer}: {child.visits} visits, value {child.value:.2f}"
            yield from self.draw(child, depth + 1)


def select(tree: Tree, rng: random.Random) -> tuple[dict[str, Answer], list[Node]]:
    """Descend to a leaf: the moves on the way, and the nodes passed. Splits unexpanded nodes."""
    node = tree.root
    moves: dict[str, Answer] = {}
    passed = [node]
    reference = tree.amaf(tree.root.members)
    while True:
        tree.expand(node)
        if not node.children or node.path is None:
            return moves, passed
        path = node.path
        parent = node
        answer = max(
            node.children,
            key=lambda a: (puct(parent, parent.children[a], reference.get((path, a))), rng.random()),
        )
        moves[path] = answer
        node = node.children[answer]
        passed.append(node)
        if len(node.members) >= NEAREST:
            reference = tree.amaf(node.members)


def puct(parent: Node, child: Node, anywhere: tuple[int, float] | None) -> float:
    """Value of a child, blended with that of its move anywhere, and a bonus for being rare."""
    n = len(child.members)
    value = (child.value * n + parent.value) / (n + 1)
    if anywhere is not None:
        a, total = anywhere
        share = a / (a + n + AMAF_BIAS * a * n)  # Gelly & Silver 2011, RAVE schedule
        value = (1 - share) * value + share * total / a
    prior = 1.0 / len(parent.children)
    return value + EXPLORATION * prior * math.sqrt(parent.visits) / (1 + child.visits)


def complete(
    decisions: Sequence[Decision],
    start: Mapping[str, Answer],
    moves: Mapping[str, Answer],
    table: Mapping[Move, tuple[int, float]],
    rng: random.Random,
) -> dict[str, Answer]:
    """`start` with the moves of a descent, and half of the other answers drawn by how well they did
    anywhere (a Thompson draw: mean plus noise over the root of the count)."""
    answers = dict(start)
    for decision in decisions:
        if not is_open(decision.domain):
            continue
        if decision.path in moves:
            cell: Answer | None = moves[decision.path]
        elif rng.random() < 0.5:
            cell = _thompson(decision, table, rng)
        else:
            continue
        if cell is not None and cell != cell_of(decision, answers[decision.path]):
            answers[decision.path] = _within(decision, cell, rng)
    return answers


def _thompson(decision: Decision, table: Mapping[Move, tuple[int, float]], rng: random.Random) -> Answer:
    domain = decision.domain
    cells = domain.values if isinstance(domain, Options) else tuple(range(_BINS))
    draws = []
    for cell in cells:
        count, total = table.get((decision.path, cell), (0, 0.0))
        draws.append(((total + 0.5) / (count + 1) + rng.gauss(0.0, 0.3) / math.sqrt(count + 1), cell))
    return max(draws, key=lambda pair: pair[0])[1]


def _within(decision: Decision, cell: Answer, rng: random.Random) -> Answer:
    domain = decision.domain
    if isinstance(domain, Options):
        return cell if contains(domain, cell) else draw(domain, rng)
    assert isinstance(cell, int)
    return from_unit(domain, (cell + rng.random()) / _BINS)


class MCTS:
    """Tree leaves beside mutations of the best points, screened by the surrogate of `SMBO`.

    Args:
        initial: random points before the first tree.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        initial: int = 10,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
    ) -> None:
        self._model = SMBO(
            space, seed, initial=initial, duplicates=duplicates, same=same, companions=self._leaves
        )

    def ask(self, trial: int) -> Point | None:
        """The most promising leaf or mutation; a random point before there are enough scores."""
        return self._model.ask(trial)

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self._model.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Back up an outcome: the tree is grown from the history at the next proposal."""
        self._model.tell(trial, point, outcome)

    def tree(self) -> str:
        """The tree as text: visits and value per branch."""
        tree = self._grown()
        for node in (stack := [tree.root]):
            tree.expand(node)
            stack.extend(node.children.values())
        return "\n".join(tree.draw(tree.root))

    def _grown(self) -> Tree:
        """The tree of the present history; pending points are virtual visits."""
        model = self._model
        results = model.history.finished()[-MOST_RESULTS:]
        scale = Scale.of([result.score for result in results])
        tree = Tree(
            [result.point for result in results],
            [model.surrogate.decisions(result.point) for result in results],
            [scale.unit(result.score) for result in results],
        )
        for trial in sorted(model.history.pending):
            point = model.history.pending[trial]
            tree.visit(point, model.surrogate.decisions(point))
        return tree

    def _leaves(self, rng: random.Random) -> list[Draft]:
        """Select, expand and complete, `DESCENTS` times over one tree."""
        model, tree = self._model, self._grown()
        results = model.history.finished()[-MOST_RESULTS:]
        table = tree.amaf(tree.root.members)
        leaves = []
        for _ in range(DESCENTS):
            moves, passed = select(tree, rng)
            for node in passed:
                node.pending += 1
            point = results[rng.choice(passed[-1].members)].point
            decisions = model.surrogate.decisions(point)
            free = [d for d in decisions if not model.proposer.branches(d)]
            leaves.append(Draft(complete(free, point, moves, table, rng), decisions))
        return leaves
