"""States of a trial on disk: safetensors, written whole or not at all, read without pickle."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CHECKPOINTS_FOLDER = "checkpoints"


def folder_of(run: Path, trial: int) -> Path:
    return run / CHECKPOINTS_FOLDER / f"trial-{trial:05d}"


def save(folder: Path, name: str, state: Mapping[str, Any]) -> None:
    """Write `state` as `folder/name.safetensors`. Raises TypeError for values of other kinds."""
    import torch

    tensors, plain = {}, {}
    for key, value in state.items():
        if isinstance(value, torch.Tensor):
            tensors[key] = value
        elif type(value).__module__ == "numpy" and hasattr(value, "shape"):
            tensors[key] = torch.as_tensor(value)
        else:
            plain[key] = value
    try:
        text = json.dumps(plain)
    except (TypeError, ValueError) as error:
        raise TypeError(f"a state holds tensors, arrays and JSON values only: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(_path(folder, name), tensors, {"plain": text})


def load(folder: Path, name: str) -> dict[str, Any] | None:
    """Read what `save` wrote; None where there is no such file."""
    path = _path(folder, name)
    if not path.is_file():
        return None
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        plain: dict[str, Any] = json.loads(file.metadata()["plain"])
        return state | plain


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """A safetensors file that is complete under its name even after a loss of power."""
    from safetensors.torch import save_file

    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    # Clones: safetensors refuses tensors that share memory, as tied weights do.
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        save_file(whole, partial, dict(metadata or {}))
        replace_durably(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def replace_durably(source: Path, target: Path) -> None:
    """Rename after the content is on the disk, then put the name on the disk."""
    _sync(source)
    os.replace(source, target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _path(folder: Path, name: str) -> Path:
    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError(f"a checkpoint's name has letters, digits, `_` and `-` only, not {name!r}")
    return folder / f"{name}.safetensors"
