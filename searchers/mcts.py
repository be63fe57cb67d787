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
from collections.abc import Mapping, Sequence

from nasdsl.language.decisions import Answer, Decision, Options, contains, draw, from_unit
from nasdsl.language.point import Point
from searchers.drafts import Draft
from searchers.duplicates import Duplicates
from searchers.nodes import Node, amaf, drawn, priors, puct
from searchers.objectives import Goal
from searchers.protocol import Outcome
from searchers.smbo import SMBO
from searchers.told import COARSE, Cell, Row, Table, Told, Vocabulary, cell_of
from searchers.uct import Scale
from searchers.view import Measure, Same, SearchSpace

DESCENTS = 64  # leaves per proposal
MOST_RESULTS = 300  # the tree of a longer history is grown from the latest
SPLIT = 4  # results a node needs before it has children
NEAREST = 15  # AMAF statistics come from the nearest ancestor with this many results
WIDENING = 0.4  # a node of n results tells n^0.4 parts of a number apart


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
        parent, anywhere = node, reference
        cell = max(parent.children, key=lambda c: (puct(parent, c, anywhere), rng.random()))
        moves[node.path] = cell
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
    found = told.parted(node.members, node.parts)
    if found is None:
        return
    node.path, groups = path, _ = found
    node.children = {cell: back_up(told, members) for cell, members in groups.items()}
    node.priors = priors(node.children)
    node.moves = {cell: told.vocabulary.move(path, cell) for cell in groups}


def complete(
    decisions: Sequence[Decision],
    start: Mapping[str, Answer],
    moves: Mapping[str, Cell],
    odds: Odds,
    rng: random.Random,
) -> dict[str, Answer]:
    """`start` with the moves of a descent, and half of the other answers drawn by how well they did
    anywhere (a Thompson draw: mean plus noise over the root of the count)."""
    answers = dict(start)
    for decision in decisions:
        if decision.path in moves:
            cell = moves[decision.path]
        elif rng.random() < 0.5:
            draws = [(mean + rng.gauss(0.0, 0.3) * spread, cell) for cell, mean, spread in odds(decision)]
            cell = max(draws, key=lambda pair: pair[0])[1]
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
    rewards = told.rewards[members]
    means = sorted((told.means[i] for i in members), reverse=True)
    better = means[: (len(means) + 1) // 2]
    value = 0.5 * float(rewards.mean()) + 0.5 * float(rewards.max())
    return Node(members, value, sum(better) / len(better))


# --- what they stand on ---------------------------------------------------------------------


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


class Odds:
    """What is known anywhere of each answer of a decision: (cell, mean, 1 / root of the count), one result of
    0.5 assumed. Worked out once for a tree."""

    def __init__(self, told: Told, table: Table) -> None:
        self._told, self._table = told, table
        self._known: dict[Decision, list[tuple[Cell, float, float]]] = {}

    def __call__(self, decision: Decision) -> list[tuple[Cell, float, float]]:
        known = self._known.get(decision)
        if known is None:
            known = self._known[decision] = [self._of(decision.path, cell) for cell in _cells(decision)]
        return known

    def _of(self, path: str, cell: Cell) -> tuple[Cell, float, float]:
        move = self._told.vocabulary.move(path, cell)
        count, total = (0, 0.0) if move is None else (self._table[0][move], self._table[1][move])
        return cell, (total + 0.5) / (count + 1), 1.0 / math.sqrt(count + 1)


def _cells(decision: Decision) -> Sequence[Cell]:
    if isinstance(decision.domain, Options):
        return decision.domain.values
    return [(part, COARSE) for part in range(COARSE)]


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

    weighs_hearsay = True  # through the surrogate, which screens what the tree proposes

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
        self._vocabulary = Vocabulary()
        self._rows: dict[Point, Row] = {}

    def ask(self, trial: int) -> Point | None:
        """The most promising leaf or mutation; a random point before there are enough scores."""
        return self._model.ask(trial)

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self._model.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Back up an outcome: the tree is grown from the history at the next proposal."""
        self._model.tell(trial, point, outcome)
        if point not in self._rows:
            self._rows[point] = self._vocabulary.row(self._model.surrogate.opened(point).open, point)

    def tree(self) -> str:
        """The tree as text: visits and value per branch; empty before the first score."""
        if not self._model.history.n_finished:
            return ""
        told, root, _ = self._grown({})
        for node in (stack := [root]):
            expand(told, node)
            stack.extend(node.children.values())
        return "\n".join(drawn(root))

    def _grown(self, means: Mapping[int, float]) -> tuple[Told, Node, list[Point]]:
        """The tree of the present history, and its points; pending points are virtual visits."""
        model = self._model
        results = model.history.latest_finished(MOST_RESULTS)[::-1]
        scale = Scale.of([result.score for result in results])
        told = Told.of(
            self._vocabulary,
            [self._rows[result.point] for result in results],
            [scale.unit(result.score) for result in results],
            [means.get(result.trial, 0.0) for result in results],
        )
        root = back_up(told, list(range(len(results))))
        for trial in sorted(model.history.pending):
            point = model.history.pending[trial]
            visit(told, root, point, model.surrogate.opened(point).open)
        return told, root, [result.point for result in results]

    def _leaves(self, rng: random.Random, means: Mapping[int, float]) -> list[Draft]:
        """Select, expand and complete, `DESCENTS` times over one tree."""
        model, (told, root, points) = self._model, self._grown(means)
        leaves, odds = [], Odds(told, amaf(told, root))
        for _ in range(DESCENTS):
            moves, passed = select(told, root, rng)
            for node in passed:
                node.pending += 1
            start = points[rng.choice(passed[-1].members)]
            draft = Draft(dict(start), model.surrogate.opened(start))
            _, free = model.proposer.parted(draft)
            leaves.append(Draft(complete(free, start, moves, odds, rng), draft.opened))
        return leaves
