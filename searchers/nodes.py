"""The nodes of the tree of `mcts.py`: what they hold, what a child is worth, how the tree is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from searchers.told import Cell, Table, Told

EXPLORATION = 0.3
AMAF_BIAS = 0.05
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
    moves: dict[Cell, int | None] = field(default_factory=dict)  # see `Vocabulary.move`
    expanded: bool = False
    table: Table | None = None

    @property
    def visits(self) -> int:
        """How often a descent may count this node as seen."""
        return len(self.members) + self.pending


def amaf(told: Told, node: Node) -> Table:
    """The statistics of every move among the results of a node (all moves as first)."""
    if node.table is None:
        node.table = told.statistics(node.members)
    return node.table


def priors(children: Mapping[Cell, Node]) -> dict[Cell, float]:
    """How promising the surrogate holds each child: a softmax of its means, mixed with an even share."""
    highest = max(child.faith for child in children.values())
    weights = {cell: math.exp(child.faith - highest) for cell, child in children.items()}
    total, even = sum(weights.values()), EVEN_SHARE / len(children)
    return {cell: even + (1 - EVEN_SHARE) * weight / total for cell, weight in weights.items()}


def puct(parent: Node, cell: Cell, anywhere: Table) -> float:
    """Value of a child, blended with that of its move anywhere, and a bonus for being rare."""
    child, move = parent.children[cell], parent.moves[cell]
    n = len(child.members)
    value = (child.value * n + parent.value) / (n + 1)
    a = 0 if move is None else anywhere[0][move]
    if a and move is not None:
        share = a / (a + n + AMAF_BIAS * a * n)  # Gelly & Silver 2011, RAVE schedule
        value = (1 - share) * value + share * anywhere[1][move] / a
    return value + EXPLORATION * parent.priors[cell] * math.sqrt(parent.visits) / (1 + child.visits)


def drawn(node: Node, depth: int = 0) -> Iterator[str]:
    """Lines of text: decision, answer, visits and value per branch, best first."""
    for cell, child in sorted(node.children.items(), key=lambda item: -item[1].value):
        name = f"part {cell[0] + 1} of {cell[1]}" if isinstance(cell, tuple) else cell
        yield f"{'  ' * depth}{node.path} = {name}: {child.visits} visits, value {child.value:.2f}"
        yield from drawn(child, depth + 1)
