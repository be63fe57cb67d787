"""The searcher of a run: by name, or as it was before the run was left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nasdsl.engine.errors import EngineError
from nasdsl.engine.records import Ask, Record
from nasdsl.language.point import Point
from searchers import SEARCHERS
from searchers.protocol import Searcher

if TYPE_CHECKING:
    from nasdsl.language.space import Space

_BEST_FIRST = ("smbo", "evolution", "random")


def default_searcher() -> str:
    """The best that is there."""
    return next(name for name in _BEST_FIRST if name in SEARCHERS)


def check_name(name: str) -> None:
    """Raises EngineError for an unknown searcher."""
    if name not in SEARCHERS:
        raise EngineError(f"no searcher is called `{name}`; there are {', '.join(sorted(SEARCHERS))}")


def searcher_of(meta: Mapping[str, Any], space: Space) -> Searcher:
    """The searcher stored with a run. Raises EngineError for one that was an object of the user's."""
    name = meta["searcher"]
    if name not in SEARCHERS:
        raise EngineError(
            f"the run was searched by `{name}`, which is no searcher of this version; give it again"
        )
    return SEARCHERS[name](space, meta["seed"])


def replay(searcher: Searcher, records: Iterable[Record], pending: Iterable[Ask]) -> None:
    """Bring a fresh searcher to where the stored trials leave it."""
    for record in records:
        searcher.tell(record.trial, record.point, record.outcome)
    for ask in pending:
        announce(searcher, ask.trial, ask.point)


def announce(searcher: Searcher, trial: int, point: Point) -> None:
    """Tell the searcher of a point that runs though it was not asked for it in this process.

    `given(trial, point)` is an optional method; a searcher without it learns of the point by its outcome.
    """
    given = getattr(searcher, "given", None)
    if given is not None:
        given(trial, point)
