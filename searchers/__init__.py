"""Searchers: each proposes points of a space and is told what came of them.

Loaded on first use (PEP 562): the protocol costs no numpy, and random search no scipy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from searchers.protocol import Lineage, Outcome, Searcher
from searchers.view import SearchSpace

if TYPE_CHECKING:
    from searchers.evolution import Evolution
    from searchers.grid import Grid
    from searchers.halving import SuccessiveHalving
    from searchers.local_search import LocalSearch
    from searchers.mcts import MCTS
    from searchers.pbt import PBT
    from searchers.random_search import RandomSearch
    from searchers.ridge_2017 import Ridge2017
    from searchers.smbo import SMBO
    from searchers.uct import UCT

__all__ = [
    "MCTS",
    "PBT",
    "SEARCHERS",
    "SMBO",
    "UCT",
    "Evolution",
    "Grid",
    "Lineage",
    "LocalSearch",
    "Outcome",
    "RandomSearch",
    "Ridge2017",
    "SearchSpace",
    "Searcher",
    "SuccessiveHalving",
]

_HOMES = {
    "Evolution": "searchers.evolution",
    "Grid": "searchers.grid",
    "LocalSearch": "searchers.local_search",
    "MCTS": "searchers.mcts",
    "PBT": "searchers.pbt",
    "RandomSearch": "searchers.random_search",
    "Ridge2017": "searchers.ridge_2017",
    "SMBO": "searchers.smbo",
    "SuccessiveHalving": "searchers.halving",
    "UCT": "searchers.uct",
}
# The names of the command line: class, and what it is made with beside the space and the seed.
_NAMES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "random": ("RandomSearch", {}),
    "grid": ("Grid", {}),
    "local": ("LocalSearch", {}),
    "evolution": ("Evolution", {}),
    "mcts": ("MCTS", {}),
    "smbo": ("SMBO", {}),
    "pbt": ("PBT", {}),
    "smbo_forest": ("SMBO", {"forest": True}),
    "ridge_2017": ("Ridge2017", {}),
    "uct": ("UCT", {}),
    "uct_bisection": ("UCT", {"bisection": True}),
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _ByName(Mapping[str, Callable[[SearchSpace, int], Searcher]]):
    """Every searcher under the name that the command line gives it; loaded when it is taken out."""

    def __getitem__(self, name: str) -> Callable[[SearchSpace, int], Searcher]:
        home, options = _NAMES[name]
        made: Callable[..., Searcher] = __getattr__(home)
        return partial(made, **options) if options else made

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


SEARCHERS: Mapping[str, Callable[[SearchSpace, int], Searcher]] = _ByName()
