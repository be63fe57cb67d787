"""The data of a run: read once by the parent, saved in the run folder, mapped by every worker."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasdsl.engine.run import DATA_FOLDER
from nasdsl.engine.spaces import shapes_to_json
from nasdsl.engine.store import Json

if TYPE_CHECKING:
    from nasdsl.language.space import Space


@dataclass(frozen=True)
class Prepared:
    """`space` is bound to the shapes of the data; `folder` holds them; `described` goes into the meta."""

    space: Space
    folder: Path | None = None
    described: Json = None


def prepare_data(space: Space, data: Any, valid: Any, folder: Path) -> Prepared:
    """Read, split and save the data. Raises what `open_data` raises for bad files or arrays.

    A resume maps what the run began with, even if the user's file has changed or gone since.
    """
    from nasdsl.training import Dataset, open_data

    kept = folder / DATA_FOLDER
    if kept.is_dir():
        dataset = Dataset.open(kept)
    else:
        dataset = open_data(space.task, Path.cwd(), _user_data(data, valid))
        _save_whole(dataset, kept)
    described = {
        "statement": dataset.statement,
        "inputs": shapes_to_json(dataset.shapes),
        "outputs": dataset.outputs,
    }
    return Prepared(space.with_task(dataset.shapes, dataset.outputs), kept, described)


def _user_data(data: Any, valid: Any) -> Any:
    """Arrays `(X, y)` or what the training package takes as the user's data, as the latter."""
    from nasdsl.training import UserData

    if isinstance(data, tuple):
        return UserData.from_arrays(data, valid)
    return data


def _save_whole(dataset: Any, folder: Path) -> None:
    """Under its name only when complete: a run killed here reads the data again."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    dataset.save(partial)
    os.replace(partial, folder)
