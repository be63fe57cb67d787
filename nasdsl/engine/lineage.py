"""Trials that continue an earlier one: whose checkpoints they start from, and how far they train.

A searcher may offer `lineage(trial)` (population based training, successive halving). What it says is stored
with the ask, and is among the measures of the record: a resumed search learns of it from there.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from nasdsl.engine.checkpoints import folder_of
from nasdsl.engine.records import Ask
from searchers.protocol import Lineage, Searcher


def lineage_of(searcher: Searcher, trial: int) -> Lineage:
    """What the searcher says of a trial that it just asked for."""
    lineage = getattr(searcher, "lineage", None)
    found = Lineage() if lineage is None else lineage(trial)
    assert isinstance(found, Lineage)
    return found


def inherit_checkpoints(folder: Path, ask: Ask) -> None:
    """Before a trial starts: its parent's checkpoints become its own."""
    if ask.lineage.parent is None:
        return
    source, target = folder_of(folder, ask.lineage.parent), folder_of(folder, ask.trial)
    if source.is_dir() and not target.exists():
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)  # of a driver that was killed here
        shutil.copytree(source, partial)
        partial.rename(target)


def restore(searcher: Searcher, ask: Ask) -> None:
    """Tell a fresh searcher what a pending trial continues."""
    inherit = getattr(searcher, "inherit", None)
    if inherit is not None and ask.lineage != Lineage():
        inherit(ask.trial, ask.lineage)
