"""What is worth a warning in data that can be used: constant columns, rows in two parts, rare classes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from nasdsl.training.blocks import blocks
from nasdsl.training.dataset import Dataset, Part

_MOST_NAMED = 5
_UNBALANCED = 20  # times as many rows of one class as of another

_CALLED: dict[Part, str] = {"valid": "validation", "test": "test"}


def suspicions(data: Dataset) -> tuple[str, ...]:
    """One sentence for each thing that a person should look at; of the first fold."""
    return (*_constant_columns(data), *_shared_rows(data), *_rare_classes(data))


def _constant_columns(data: Dataset) -> Iterator[str]:
    for name, array in data.inputs.items():
        if data.shapes[name].layout != "vector":
            continue
        train = data.rows("train")
        first = array[train[0]]
        constant = np.flatnonzero(np.all([(block == first).all(0) for _, block in blocks(array, train)], 0))
        if len(constant):
            names = data.features or tuple(f"{name}[{i}]" for i in range(array.shape[1]))
            shown = ", ".join(f"`{names[i]}`" for i in constant[:_MOST_NAMED])
            more = f" and {len(constant) - _MOST_NAMED} more" if len(constant) > _MOST_NAMED else ""
            yield f"constant in the training part, so of no use: {shown}{more}"


def _shared_rows(data: Dataset) -> Iterator[str]:
    """A network that has seen a row knows it, and the figures of its part come out too good."""
    seen = {_content(data, row) for row in data.rows("train")}
    for part, called in _CALLED.items():
        rows = data.rows(part)
        shared = sum(_content(data, row) in seen for row in rows)
        if shared:
            yield f"{shared:,} of {len(rows):,} {called} rows have the inputs of a training row"


def _content(data: Dataset, row: np.int64) -> bytes:
    """A digest: all rows themselves may be more than memory holds."""
    digest = hashlib.blake2b(digest_size=16)
    for array in data.inputs.values():
        digest.update(array[row].tobytes())
    return digest.digest()


def _rare_classes(data: Dataset) -> Iterator[str]:
    if data.kind != "classification":
        return
    (targets,) = data.targets.values()
    counts = np.bincount(targets, minlength=len(data.classes))
    rare, common = int(counts.argmin()), int(counts.argmax())
    if counts[common] >= _UNBALANCED * counts[rare]:
        least, most = (f"{counts[i]:,} of `{data.classes[i]}`" for i in (rare, common))
        yield f"unbalanced classes, {least} and {most}: accuracy rewards the common ones"
