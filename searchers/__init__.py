"""Searchers: each proposes points of a space and is told what came of them.

Loaded on first use (PEP 562): the protocol costs no numpy, and random search no scipy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from searchers.protocol import Outcome, Searcher
from searchers.view import SearchSpace

if TYPE_CHECKING:
    from searchers.evolution import Evolution
    from searchers.random_search import RandomSearch
    from searchers.smbo import SMBO

__all__ = ["SEARCHERS", "SMBO", "Evolution", "Outcome", "RandomSearch", "SearchSpace", "Searcher"]

_HOMES = {
    "Evolution": "searchers.evolution",
    "RandomSearch": "searchers.random_search",
    "SMBO": "searchers.smbo",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _ByName(Mapping[str, Callable[[SearchSpace, int], Searcher]]):
    """Every searcher under the name that the command line gives it; loaded when it is taken out."""

    _names = {"random": "RandomSearch", "evolution": "Evolution", "smbo": "SMBO"}  # noqa: RUF012

    def __getitem__(self, name: str) -> Callable[[SearchSpace, int], Searcher]:
        make: Callable[[SearchSpace, int], Searcher] = __getattr__(self._names[name])
        return make

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


SEARCHERS: Mapping[str, Callable[[SearchSpace, int], Searcher]] = _ByName()
