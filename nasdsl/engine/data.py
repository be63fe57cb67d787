"""The data of a run: read once by the parent, saved in the run folder, mapped by every worker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasdsl.engine.errors import EngineError
from nasdsl.engine.run import DATA_FOLDER
from nasdsl.engine.spaces import shapes_to_json
from nasdsl.engine.store import Json
from nasdsl.language.decisions import Answer
from nasdsl.language.signatures.data import FILES

if TYPE_CHECKING:
    from nasdsl.engine.request import Request
    from nasdsl.language.space import Space


@dataclass(frozen=True)
class Prepared:
    """`space` is bound to the shapes of the data; `folder` holds them; `described` goes into the meta.

    `settings` are those of `train { }` that are fixed for every trial, by name.
    """

    space: Space
    folder: Path | None = None
    described: Json = None
    settings: Mapping[str, Answer] = field(default_factory=dict)


def prepare(request: Request, folder: Path) -> Prepared:
    """The data of a run, where training or the shapes of the network need them.

    Raises EngineError for data that nothing would read, and what `open_data` raises.
    """
    space = request.space
    if not space.has_network:
        if request.data is not None:
            raise EngineError("data were given, but the space has no network; read them inside `evaluate`")
        return Prepared(space)
    if request.evaluate is not None and request.data is None and not _shapes_are_in_a_file(space):
        return Prepared(space)
    return _prepare(space, request.data, request.valid, folder)


def with_its_data(space: Space) -> Space:
    """The space bound to the shapes of the file that it names; as it is, where it names none.

    Raises what `open_data` raises.
    """
    if space.task is None or not _shapes_are_in_a_file(space):
        return space
    from nasdsl.training import open_data

    dataset = open_data(space.task, home(space))
    return space.with_task(dataset.shapes, dataset.outputs)


def _shapes_are_in_a_file(space: Space) -> bool:
    return space.task is not None and space.task.data is not None and space.task.data.name in FILES


def _prepare(space: Space, data: Any, valid: Any, folder: Path) -> Prepared:
    """Read, split and save the data.

    A resume maps what the run began with, even if the user's file has changed or gone since.
    """
    from nasdsl.training import Dataset, open_data

    kept = folder / DATA_FOLDER
    if kept.is_dir():
        dataset = Dataset.open(kept)
    else:
        assert space.task is not None, "a network has a task"
        dataset = open_data(space.task, home(space), _user_data(data, valid))
        _save_whole(dataset, kept)
    described = {
        "statement": dataset.statement,
        "warnings": list(dataset.warnings),
        "inputs": shapes_to_json(dataset.shapes),
        "outputs": dataset.outputs,
    }
    return Prepared(space.with_task(dataset.shapes, dataset.outputs), kept, described)


def home(space: Space) -> Path:
    """The folder of the file that the space stands in, where its paths start."""
    return Path(space.file.source.name).parent


def _user_data(data: Any, valid: Any) -> Any:
    """Arrays `(X, y)` or what the training package takes as the user's data, as the latter. Raises EngineError."""
    from nasdsl.training import UserData

    if isinstance(data, tuple):
        return UserData.from_arrays(data, valid)
    if data is not None and not isinstance(data, UserData):
        raise EngineError(f"data is a pair of arrays (X, y), not {type(data).__name__}")
    return data


def _save_whole(dataset: Any, folder: Path) -> None:
    """Under its name only when complete: a run killed here reads the data again."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    dataset.save(partial)
    os.replace(partial, folder)
