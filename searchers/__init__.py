"""Searchers: each proposes points of a space and is told what came of them."""

from collections.abc import Callable, Mapping
from functools import partial

from searchers.evolution import Evolution
from searchers.grid import Grid
from searchers.local_search import LocalSearch
from searchers.mcts import MCTS
from searchers.protocol import Outcome, Searcher
from searchers.random_search import RandomSearch
from searchers.smbo import SMBO
from searchers.uct import UCT
from searchers.view import SearchSpace

SEARCHERS: Mapping[str, Callable[[SearchSpace, int], Searcher]] = {
    "random": RandomSearch,
    "grid": Grid,
    "local": LocalSearch,
    "evolution": Evolution,
    "smbo": SMBO,
    "mcts": MCTS,
    "uct": UCT,
    "uct_bisection": partial(UCT, bisection=True),
}

__all__ = [
    "MCTS",
    "SEARCHERS",
    "SMBO",
    "UCT",
    "Evolution",
    "Grid",
    "LocalSearch",
    "Outcome",
    "RandomSearch",
    "SearchSpace",
    "Searcher",
]
