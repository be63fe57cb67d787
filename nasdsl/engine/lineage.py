"""Trials that continue an earlier one: whose checkpoints they start from, and how far they train.

A searcher may offer `lineage(trial)` (population based training, successive halving). What it says is stored
when the trial is given out, and is among the measures of its record: a resumed search learns of it from there.
"""

from __future__ import annotations

import shutil

from nasdsl.engine.checkpoints import folder_of
from nasdsl.engine.store import Store
from searchers.protocol import Lineage, Searcher

_KEY = "lineages"


def begin(store: Store, searcher: Searcher, trial: int) -> Lineage:
    """The lineage of a trial that is about to run; its parent's checkpoints become its own."""
    known = _stored(store, trial)
    lineage = known or _asked(searcher, trial)
    if lineage == Lineage():
        return lineage
    if known is None:
        lineages = store.meta().get(_KEY, {})
        store.set_meta({_KEY: {**lineages, str(trial): lineage.measures()}})
    target = folder_of(store.folder, trial)
    if lineage.parent is not None and not target.exists():
        source = folder_of(store.folder, lineage.parent)
        if source.is_dir():
            shutil.copytree(source, target)
    return lineage


def restore(store: Store, searcher: Searcher, trial: int) -> None:
    """Tell a fresh searcher what a pending trial continues."""
    lineage = _stored(store, trial)
    inherit = getattr(searcher, "inherit", None)
    if lineage is not None and inherit is not None:
        inherit(trial, lineage)


def _asked(searcher: Searcher, trial: int) -> Lineage:
    lineage = getattr(searcher, "lineage", None)
    found = Lineage() if lineage is None else lineage(trial)
    assert isinstance(found, Lineage)
    return found


def _stored(store: Store, trial: int) -> Lineage | None:
    numbers = store.meta().get(_KEY, {}).get(str(trial))
    if numbers is None:
        return None
    whole = {name: int(numbers[name]) for name in ("parent", "member") if name in numbers}
    return Lineage(whole.get("parent"), numbers.get("budget"), whole.get("member"))
