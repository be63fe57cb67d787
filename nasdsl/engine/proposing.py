"""The searcher of a run: by name, or as it was before the run was left."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nasdsl.engine.earlier import recall
from nasdsl.engine.errors import EngineError
from nasdsl.engine.fidelity import Rule
from nasdsl.engine.lineage import restore
from nasdsl.engine.planned import costs_of, same_training
from nasdsl.engine.records import Record
from nasdsl.engine.store import Store
from nasdsl.language.point import Point
from searchers import SEARCHERS, SuccessiveHalving
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
    made = SEARCHERS[name]
    further: dict[str, Any] = (
        {"goals": space.goals, "measure": costs_of(space)} if len(space.goals) > 1 else {}
    )
    if meta["evaluate"] is None:
        further["same"] = same_training(space)
    taken = inspect.signature(made).parameters
    searcher = made(space, meta["seed"], **{k: v for k, v in further.items() if k in taken})
    recall(searcher, meta.get("earlier") or {})
    return halved(searcher, meta)


def halved(searcher: Searcher, meta: Mapping[str, Any]) -> Searcher:
    """The searcher, inside brackets of successive halving where the run asks for them."""
    return SuccessiveHalving(searcher) if meta.get("fidelity") == "halving" else searcher


def replay(searcher: Searcher, records: Iterable[Record], store: Store, rule: Rule) -> None:
    """Bring a fresh searcher and a fresh rule to where the stored trials leave them."""
    for record in records:
        rule.learn(record)
        for outcome in rule.outcomes(record):
            searcher.tell(record.trial, record.point, outcome)
    for ask in store.pending():
        restore(searcher, ask)
        announce(searcher, ask.trial, ask.point)


def announce(searcher: Searcher, trial: int, point: Point) -> None:
    """Tell the searcher of a point that runs though it was not asked for it in this process.

    `given(trial, point)` is an optional method; a searcher without it learns of the point by its outcome.
    """
    given = getattr(searcher, "given", None)
    if given is not None:
        given(trial, point)
