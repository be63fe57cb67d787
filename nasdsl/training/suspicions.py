"""What is worth a warning in data that can be used: constant columns, rows in two parts, rare and absent classes.

Each is one sentence: where, what, and what to do about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from nasdsl.training.blocks import blocks
from nasdsl.training.dataset import Dataset, Part

Place: TypeAlias = Callable[[int], str]
"""Where a row stands in what the user gave: `line 12`, `row 3 of valid.csv`."""

_MOST_NAMED = 5
_UNBALANCED = 20  # times as many rows of one class as of another

_CALLED: dict[Part, str] = {"valid": "validation", "test": "test"}


def suspicions(data: Dataset, place: Place) -> tuple[str, ...]:
    """One sentence for each thing that a person should look at; of the first fold."""
    found = (_constant_columns(data), _shared_rows(data, place), _rare_classes(data), _absent_classes(data))
    return tuple(sentence for sentences in found for sentence in sentences)


def _constant_columns(data: Dataset) -> Iterator[str]:
    for name, array in data.inputs.items():
        if data.shapes[name].layout != "vector":
            continue
        train = data.rows("train")
        first = array[train[0]]
        constant = np.flatnonzero(np.all([(block == first).all(0) for _, block in blocks(array, train)], 0))
        if len(constant):
            names = data.features or tuple(f"{name}[{i}]" for i in range(array.shape[1]))
            shown = _some([f"`{names[i]}`" for i in constant])
            yield f"{shown}: constant in the training part, so of no use; leave out what is constant"


def _shared_rows(data: Dataset, place: Place) -> Iterator[str]:
    """A network that has seen a row knows it, and the figures of its part come out too good."""
    seen = {_content(data, row): int(row) for row in data.rows("train")}
    for part, called in _CALLED.items():
        rows = data.rows(part)
        copies = [(int(row), seen[content]) for row in rows if (content := _content(data, row)) in seen]
        if copies:
            first, original = copies[0]
            yield (
                f"{len(copies):,} of {len(rows):,} {called} rows have the inputs of a training row, the first of them "
                f"{place(first)}, as {place(original)}: figures come out too good; leave copies out, or keep them "
                "in one part by `group`"
            )


def _content(data: Dataset, row: np.int64) -> bytes:
    """A digest: all rows themselves may be more than memory holds."""
    digest = hashlib.blake2b(digest_size=16)
    for array in data.inputs.values():
        digest.update(array[row].tobytes())
    return digest.digest()


def _rare_classes(data: Dataset) -> Iterator[str]:
    if data.kind != "classification" or len(data.targets) > 1:
        return
    (targets,) = data.targets.values()
    counts = np.bincount(targets, minlength=len(data.classes))
    rare, common = int(counts.argmin()), int(counts.argmax())
    if counts[common] >= _UNBALANCED * counts[rare]:
        least, most = (f"{counts[i]:,} of `{data.classes[i]}`" for i in (rare, common))
        yield (
            f"unbalanced classes, {least} and {most}: accuracy rewards the common ones; "
            "`maximize balanced_accuracy`, and train with `loss = cross_entropy(weights = balanced)`"
        )


def _absent_classes(data: Dataset) -> Iterator[str]:
    """What is judged without a class says nothing of it."""
    if data.kind != "classification" or len(data.targets) > 1:
        return
    (targets,) = data.targets.values()
    for part, called in _CALLED.items():
        rows = data.rows(part)
        absent = np.setdiff1d(np.arange(len(data.classes)), targets[rows])
        if len(rows) and len(absent):
            shown = _some([f"`{data.classes[i]}`" for i in absent])
            yield f"no {called} row is of class {shown}: its figures say nothing of that; make the part larger"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
