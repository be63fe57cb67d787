"""Run folders: which one a search uses, and what a search that never began leaves behind."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from nasdsl.engine.errors import RunError
from nasdsl.engine.lock import LOCK_NAME
from nasdsl.engine.store import Store, has_run

RUNS = Path("runs")


def run_folder(space_name: str, run: str | Path | None, resume: bool) -> Path:
    """The folder asked for, or a fresh one. Raises RunError for one in use that is not to be resumed."""
    if run is None:
        if resume:
            raise RunError("to resume, say which run: --run FOLDER")
        return _fresh(RUNS, space_name)
    folder = Path(run)
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; a run needs a folder of its own")
    if folder.is_dir() and {path.name for path in folder.iterdir()} - {LOCK_NAME}:
        if not resume:
            raise RunError(f"{folder} is not empty; go on with --resume, or give another --run")
        if not has_run(folder):
            raise RunError(f"{folder} holds something else than a run; give another --run")
    return folder


def _fresh(base: Path, name: str) -> Path:
    """The first free `base/name-n`, made now, so that two searches started together differ."""
    try:
        base.mkdir(parents=True, exist_ok=True)
        for n in range(1, 1_000_000):
            folder = base / f"{name}-{n}"
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                return folder
    except OSError as error:
        raise RunError(f"cannot make a run folder in {base}: {error.strerror}; give --run") from error
    raise RunError(f"{base} is full of runs of {name}; give --run")


@contextlib.contextmanager
def opened_store(folder: Path) -> Iterator[Store]:
    """The store; a fresh folder in which no trial came to an end is left as it was found."""
    existed, empty = folder.exists(), not folder.exists() or not any(folder.iterdir())
    with Store(folder) as store:
        try:
            yield store
        except BaseException:
            if empty and not store.records():
                _clear(folder, existed)
            raise


def _clear(folder: Path, keep_folder: bool) -> None:
    shutil.rmtree(folder)
    if keep_folder and folder.parent != RUNS:  # one below RUNS was made by us, moments ago
        folder.mkdir()
    elif folder.parent == RUNS:
        with contextlib.suppress(OSError):  # other runs are there
            RUNS.rmdir()
