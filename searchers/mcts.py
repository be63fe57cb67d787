"""Tree search with learned order, shared move statistics and a surrogate (the default `MCTS`).

Plain UCT spends its statistics on whichever decisions happen to open first. Here a node is a set of
answers, and the next decision below it is, among those that all of its results have answered, the
one whose answers explain the scores best. Four steps, in the order of a proposal:

    select    descend by PUCT on a blend of the node's own value and that of the answer anywhere (AMAF)
    expand    a node splits once it holds enough results; numbers by parts that get finer as it fills
    complete  draw the remaining decisions, preferring answers that did well anywhere
    back_up   a node's value is the mean of its mean and its best: the goal is the best leaf

Leaves and mutations of the best points are then screened by the surrogate of `SMBO`.
PUCT: Rosin 2011; AMAF/GRAVE: Gelly & Silver 2011, Cazenave 2015; progressive widening: Couetoux et al.
2011; order: cf. arXiv 2503.21061.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nasdsl.language.decisions import Answer, Decision, Options, contains, draw, from_unit, to_unit
from nasdsl.language.point import Point
from searchers.drafts import Draft
from searchers.duplicates import Duplicates
from searchers.objectives import Goal
from searchers.protocol import Outcome
from searchers.smbo import SMBO
from searchers.uct import Scale
from searchers.view import Measure, Same, SearchSpace

Cell = Answer | tuple[int, int]  # an option itself; of numbers (part, of how many equal parts of the scale)
Table = dict[tuple[str, Cell], tuple[int, float]]  # (decision, cell) -> (count, sum of rewards)

DESCENTS = 64  # leaves per proposal
MOST_RESULTS = 400  # the tree of a longer history is grown from the latest
SPLIT = 4  # results a node needs before it has children
EXPLORATION = 0.3
AMAF_BIAS = 0.05
NEAREST = 15  # AMAF statistics come from the nearest ancestor with this many results
WIDENING = 0.4  # a node of n results tells n^0.4 parts of a number apart
COARSE = 4  # parts in the statistics that are shared
EVEN_SHARE = 0.25  # of the surrogate prior over children, the rest follows the surrogate


@dataclass(slots=True)
class Node:
    """The results that share the answers on the way here."""

    members: list[int]
    value: float
    faith: float  # the surrogate's mean over the better half of the members
    pending: int = 0  # virtual visits: they count, but carry no value
    path: str | None = None
    parts: int = 1
    children: dict[Cell, Node] = field(default_factory=dict)
    priors: dict[Cell, float] = field(default_factory=dict)
    expanded: bool = False
    table: Table | None = None

    @property
    def visits(self) -> int:
        return len(self.members) + self.pending


@dataclass(frozen=True)
class Told:
    """What the tree grows from: one entry per result. Rewards in [0, 1]; `means` is what the surrogate
    believes, in standard deviations."""

    points: Sequence[Mapping[str, Answer]]
    decisions: Sequence[Mapping[str, Decision]]
    rewards: Sequence[float]
    means: Sequence[float]

    def cell(self, i: int, path: str, parts: int) -> Cell:
        return cell_of(self.decisions[i][path], self.points[i][path], parts)


def cell_of(decision: Decision, answer: Answer, parts: int) -> Cell:
    """What counts as one move: an option itself, a number by its part of the scale."""
    if isinstance(decision.domain, Options) or not contains(decision.domain, answer):
        return answer
    return min(parts - 1, int(to_unit(decision.domain, answer) * parts)), parts


def coarse(cell: Cell) -> Cell:
    """The same move in the shared statistics: by the middle of its part."""
    if not isinstance(cell, tuple):
        return cell
    part, parts = cell
    return (2 * part + 1) * COARSE // (2 * parts), COARSE


# --- the four steps -------------------------------------------------------------------------


def select(told: Told, root: Node, rng: random.Random) -> tuple[dict[str, Cell], list[Node]]:
    """Descend to a leaf: the moves on the way, and the nodes passed. Splits unexpanded nodes."""
    node = root
    moves: dict[str, Cell] = {}
    passed = [node]
    reference = amaf(told, root)
    while True:
        expand(told, node)
        if node.path is None:
            return moves, passed
        path, parent = node.path, node
        cell = max(
            node.children,
            key=lambda c: (puct(parent, c, reference.get((path, coarse(c)))), rng.random()),
        )
        moves[path] = cell
        node = node.children[cell]
        passed.append(node)
        if len(node.members) >= NEAREST:
            reference = amaf(told, node)


def expand(told: Told, node: Node) -> None:
    """Split by the decision, answered by all members, whose answers explain the scores best."""
    if node.expanded:
        return
    node.expanded = True
    if len(node.members) < SPLIT:
        return
    node.parts = max(2, math.ceil(len(node.members) ** WIDENING))
    first, *others = node.members
    shared = [path for path in told.decisions[first] if all(path in told.decisions[i] for i in others)]
    groups = {path: _groups(told, node, path) for path in shared}
    splitting = [path for path in shared if len(groups[path]) > 1]
    if not splitting:
        return
    node.path = max(splitting, key=lambda path: _explained(told, groups[path]))
    node.children = {cell: back_up(told, members) for cell, members in groups[node.path].items()}
    node.priors = _priors(node.children)


def complete(
    decisions: Sequence[Decision],
    start: Mapping[str, Answer],
    moves: Mapping[str, Cell],
    table: Table,
    rng: random.Random,
) -> dict[str, Answer]:
    """`start` with the moves of a descent, and half of the other answers drawn by how well they did
    anywhere (a Thompson draw: mean plus noise over the root of the count)."""
    answers = dict(start)
    for decision in decisions:
        if decision.path in moves:
            cell = moves[decision.path]
        elif rng.random() < 0.5:
            cell = _thompson(decision, table, rng)
        else:
            continue
        parts = cell[1] if isinstance(cell, tuple) else 1
        if cell != cell_of(decision, answers[decision.path], parts):
            answers[decision.path] = _within(decision, cell, rng)
    return answers


def back_up(told: Told, members: list[int]) -> Node:
    """A node from its results: half the mean, half the best; and what the surrogate makes of them."""
    if not members:
        return Node(members, 0.5, 0.0)
    rewards = [told.rewards[i] for i in members]
    means = sorted((told.means[i] for i in members), reverse=True)
    better = means[: (len(means) + 1) // 2]
    value = 0.5 * sum(rewards) / len(rewards) + 0.5 * max(rewards)
    return Node(members, value, sum(better) / len(better))


# --- what they stand on ---------------------------------------------------------------------


def _groups(told: Told, node: Node, path: str) -> dict[Cell, list[int]]:
    groups: dict[Cell, list[int]] = {}
    for i in node.members:
        groups.setdefault(told.cell(i, path, node.parts), []).append(i)
    return groups


def _explained(told: Told, groups: Mapping[Cell, Sequence[int]]) -> float:
    """Between-answer variance of the mean reward; small groups are shrunk to the overall mean."""
    n = sum(map(len, groups.values()))
    overall = sum(told.rewards[i] for members in groups.values() for i in members) / n
    return sum(
        (sum(told.rewards[i] - overall for i in members) / (len(members) + 2)) ** 2 * len(members) / n
        for members in groups.values()
    )


def _priors(children: Mapping[Cell, Node]) -> dict[Cell, float]:
    """How promising the surrogate holds each child: a softmax of its means, mixed with an even share."""
    highest = max(child.faith for child in children.values())
    weights = {cell: math.exp(child.faith - highest) for cell, child in children.items()}
    total, even = sum(weights.values()), EVEN_SHARE / len(children)
    return {cell: even + (1 - EVEN_SHARE) * weight / total for cell, weight in weights.items()}


def puct(parent: Node, cell: Cell, anywhere: tuple[int, float] | None) -> float:
    """Value of a child, blended with that of its move anywhere, and a bonus for being rare."""
    child = parent.children[cell]
    n = len(child.members)
    value = (child.value * n + parent.value) / (n + 1)
    if anywhere is not None:
        a, total = anywhere
        share = a / (a + n + AMAF_BIAS * a * n)  # Gelly & Silver 2011, RAVE schedule
        value = (1 - share) * value + share * total / a
    return value + EXPLORATION * parent.priors[cell] * math.sqrt(parent.visits) / (1 + child.visits)


def amaf(told: Told, node: Node) -> Table:
    """(count, sum of rewards) of every move among the results of a node, wherever it was made."""
    if node.table is None:
        node.table = {}
        for i in node.members:
            for path in told.decisions[i]:
                move = path, told.cell(i, path, COARSE)
                count, total = node.table.get(move, (0, 0.0))
                node.table[move] = count + 1, total + told.rewards[i]
    return node.table


def visit(told: Told, root: Node, point: Mapping[str, Answer], decisions: Sequence[Decision]) -> None:
    """A virtual visit on the way of a point that is being evaluated."""
    opened = {d.path: d for d in decisions}
    node: Node | None = root
    while node is not None:
        node.pending += 1
        expand(told, node)
        if node.path not in opened or node.path is None:
            return
        node = node.children.get(cell_of(opened[node.path], point[node.path], node.parts))


def drawn(node: Node, depth: int = 0) -> Iterator[str]:
    """Lines of text: decision, answer, visits and value per branch, best first."""
    for cell, child in sorted(node.children.items(), key=lambda item: -item[1].value):
        name = f"part {cell[0] + 1} of {cell[1]}" if isinstance(cell, tuple) else cell
        yield f"{'  ' * depth}{node.path} = {name}: {child.visits} visits, value {child.value:.2f}"
        yield from drawn(child, depth + 1)


def _thompson(decision: Decision, table: Table, rng: random.Random) -> Cell:
    domain = decision.domain
    cells: Sequence[Cell]
    cells = domain.values if isinstance(domain, Options) else [(part, COARSE) for part in range(COARSE)]
    draws = []
    for cell in cells:
        count, total = table.get((decision.path, cell), (0, 0.0))
        draws.append(((total + 0.5) / (count + 1) + rng.gauss(0.0, 0.3) / math.sqrt(count + 1), cell))
    return max(draws, key=lambda pair: pair[0])[1]


def _within(decision: Decision, cell: Cell, rng: random.Random) -> Answer:
    if not isinstance(cell, tuple):
        return cell if contains(decision.domain, cell) else draw(decision.domain, rng)
    part, parts = cell
    return from_unit(decision.domain, (part + rng.random()) / parts)


class MCTS:
    """Tree leaves beside mutations of the best points, screened by the surrogate of `SMBO`.

    Args:
        initial: random points before the first tree.
        goals, measure: as for `SMBO`; the tree itself grows on the score.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        initial: int = 10,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
        goals: Sequence[Goal] = (),
        measure: Measure | None = None,
    ) -> None:
        self._model = SMBO(
            space,
            seed,
            initial=initial,
            duplicates=duplicates,
            same=same,
            goals=goals,
            measure=measure,
            companions=self._leaves,
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
        told, root = self._grown({})
        for node in (stack := [root]):
            expand(told, node)
            stack.extend(node.children.values())
        return "\n".join(drawn(root))

    def _grown(self, means: Mapping[int, float]) -> tuple[Told, Node]:
        """The tree of the present history; pending points are virtual visits."""
        model = self._model
        results = model.history.finished()[-MOST_RESULTS:]
        scale = Scale.of([result.score for result in results])
        opened = [model.surrogate.opened(result.point) for result in results]
        told = Told(
            [result.point for result in results],
            [{d.path: d for d in one.open} for one in opened],
            [scale.unit(result.score) for result in results],
            [means.get(result.trial, 0.0) for result in results],
        )
        root = back_up(told, list(range(len(results))))
        for trial in sorted(model.history.pending):
            point = model.history.pending[trial]
            visit(told, root, point, model.surrogate.opened(point).decisions)
        return told, root

    def _leaves(self, rng: random.Random, means: Mapping[int, float]) -> list[Draft]:
        """Select, expand and complete, `DESCENTS` times over one tree."""
        model, (told, root) = self._model, self._grown(means)
        leaves = []
        for _ in range(DESCENTS):
            moves, passed = select(told, root, rng)
            for node in passed:
                node.pending += 1
            i = rng.choice(passed[-1].members)
            opened = model.surrogate.opened(Point(told.points[i]))
            free = [d for d in told.decisions[i].values() if not model.proposer.branches(d)]
            leaves.append(Draft(complete(free, told.points[i], moves, amaf(told, root), rng), opened))
        return leaves
