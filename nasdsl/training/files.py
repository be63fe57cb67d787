"""Files that are not there."""

from __future__ import annotations

from pathlib import Path

from nasdsl.language.suggest import did_you_mean
from nasdsl.training.errors import DataError


def missing(path: Path) -> DataError:
    """What to say of a path without a file: a neighbour of a similar name, or where paths start."""
    folder = path.parent
    near = sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    where = "paths in a space start from its folder, those of a command from the current one"
    return DataError("no such file", str(path), did_you_mean(path.name, near) or where)
