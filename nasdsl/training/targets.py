"""Targets as training needs them: classes as numbers, labels as zeros and ones, numbers as they are, maps of classes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.suggest import did_you_mean
from nasdsl.training.blocks import blocks
from nasdsl.training.dataset import Array
from nasdsl.training.errors import DataError
from nasdsl.training.samples import Samples

_WHOLE = re.compile(r"[+-]?\d+")
_FEWEST_OF_A_CLASS = 3  # to train, validate and test


@dataclass(frozen=True, eq=False)
class Encoded:
    """All rows of one output. classes: their names in order, () for numbers and labels. width: what `linear(outputs)`
    gets."""

    values: Array
    classes: tuple[str, ...]
    width: int


def encoded(kind: str, output: str, samples: Samples, valid: Samples | None) -> Encoded:
    """The targets of one output, those of `valid` last. Raises DataError where they do not fit the kind of task."""
    return _ENCODE[kind](output, samples, valid)


def refuse_unseen(name: str, found: Encoded, train: NDArray[np.int64]) -> None:
    """Groups and times can take all rows of a class out of the training part."""
    there = np.zeros(len(found.classes), dtype=bool)
    for _, block in blocks(found.values, train):
        there[np.unique(block)] = True
    if not there.all():
        message = f"no row of class `{found.classes[int(there.argmin())]}` is left to train on"
        raise DataError(message, name, "ask for another split, or take the class out")


def _columns(output: str, samples: Samples, valid: Samples | None) -> NDArray[np.float32]:
    columns = []
    for part in (samples, *([] if valid is None else [valid])):
        columns.append(part.targets[output].reshape(part.n_rows, -1).astype(np.float32))
    if len({column.shape[1] for column in columns}) > 1:
        message = f"{columns[1].shape[1]} targets per row, but {samples.name} has {columns[0].shape[1]}"
        raise DataError(message, valid.name if valid else samples.name)
    return np.concatenate(columns)


def _numbers(output: str, samples: Samples, valid: Samples | None) -> Encoded:
    columns = _columns(output, samples, valid)
    constant = np.flatnonzero(np.ptp(columns[: samples.n_rows], axis=0) == 0)
    if len(constant):
        raise DataError(
            "all targets are the same number",
            samples.name,
            "there is nothing to learn; is the target the right one?",
        )
    return Encoded(columns, (), columns.shape[1])


def _labels(output: str, samples: Samples, valid: Samples | None) -> Encoded:
    labels = _columns(output, samples, valid)
    odd = np.argwhere((labels != 0) & (labels != 1))
    if len(odd):
        row, column = map(int, odd[0])
        part, own = (samples, row) if row < samples.n_rows or valid is None else (valid, row - samples.n_rows)
        message = f"label {column + 1} in {part.place(own)} is {labels[row, column]:g}"
        raise DataError(message, part.name, "each label is 1 where it holds and 0 where it does not")
    constant = np.flatnonzero(np.ptp(labels[: samples.n_rows], axis=0) == 0)
    if len(constant):
        message = f"label {constant[0] + 1} is the same in all rows"
        raise DataError(message, samples.name, "leave it out: there is nothing to learn")
    return Encoded(labels, (), labels.shape[1])


def _classes(output: str, samples: Samples, valid: Samples | None) -> Encoded:
    names, targets = levels(samples.targets[output])
    if len(names) < 2:
        help = "classification needs two or more; is the target the right one?"
        raise DataError(f"all targets are of one class, `{_say(names[0])}`", samples.name, help)
    counts = np.bincount(targets)
    if 2 * len(names) > len(targets) and len(names) > 10:
        message = f"{len(names)} classes in {len(targets)} rows"
        raise DataError(message, samples.name, "numbers are predicted by `task regression`")
    if counts.min() < _FEWEST_OF_A_CLASS and samples.groups is None and samples.times is None:
        rare = _say(names[int(counts.argmin())])
        message = f"too few rows of class `{rare}`: {counts.min()}"
        raise DataError(message, samples.name, "three or more are needed, to train, validate and test")
    said = tuple(_say(name) for name in names)
    if valid is None:
        return Encoded(targets, said, len(said))
    more = _numbered(names, valid.targets[output], samples.name, valid.name)
    return Encoded(np.concatenate([targets, more]), said, len(said))


def _maps(output: str, samples: Samples, valid: Samples | None) -> Encoded:
    """A class for each position: (rows, *positions) as numbers of as few bytes as hold them."""
    names = np.unique(np.concatenate([np.unique(part) for _, part in blocks(samples.targets[output])]))
    if len(names) < 2:
        help = "segmentation needs two or more; are these the right masks?"
        raise DataError(f"all positions are of one class, `{_say(names[0])}`", samples.name, help)
    if len(names) > samples.n_rows * 4 and len(names) > 256:
        message = f"{len(names)} classes in masks of {samples.n_rows} rows"
        raise DataError(message, samples.name, "a mask holds the number of a class at each position")
    dtype = np.uint8 if len(names) <= 256 else np.int64
    parts = []
    for part in (samples, *([] if valid is None else [valid])):
        _refuse_other_positions(output, part)
        given = part.targets[output]
        parts.append(_numbered(names, given, samples.name, part.name).astype(dtype).reshape(given.shape))
    return Encoded(np.concatenate(parts), tuple(_say(name) for name in names), len(names))


def _refuse_other_positions(output: str, part: Samples) -> None:
    """A mask is as large as what it lies on."""
    mask, shape = part.targets[output].shape[1:], next(iter(part.shapes.values()))
    if len(shape) < 2:
        message = f"inputs of shape {shape} have no positions to tell apart"
        raise DataError(message, part.name, "segmentation takes maps, channels first: (rows, 3, 64, 64)")
    if mask != shape[1:]:
        message = f"masks of shape {mask}, but inputs of {shape[1:]}"
        raise DataError(message, part.name, "each position of the first input has a class of its own")


def _numbered(names: NDArray[Any], values: NDArray[Any], known: str, source: str) -> NDArray[np.int64]:
    """The place of each value among the names. Raises DataError for one that is not among them."""
    unseen = ~np.isin(values, names)
    if unseen.any():
        label = _say(values[unseen][0])
        help = did_you_mean(label, map(_say, names)) or "every class must also be there to train on"
        raise DataError(f"class `{label}` is not among those of {known}", source, help)
    order = np.argsort(names, kind="stable")
    return order[np.searchsorted(names[order], values)].astype(np.int64)


def levels(targets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The classes in order, and the number of each row's. Texts that are whole numbers count as numbers."""
    names, numbers = np.unique(targets, return_inverse=True)
    order = np.arange(len(names))
    if names.dtype.kind == "U" and all(_WHOLE.fullmatch(name) for name in names):
        order = np.array(sorted(order, key=lambda number: (int(names[number]), names[number])))
    return names[order], np.argsort(order)[numbers.reshape(-1)].astype(np.int64)


def _say(value: Any) -> str:
    return str(value.item() if isinstance(value, np.generic) else value)


_Encode: TypeAlias = Callable[[str, Samples, Samples | None], Encoded]
_ENCODE: Mapping[str, _Encode] = {
    "classification": _classes,
    "regression": _numbers,
    "multilabel": _labels,
    "segmentation": _maps,
}
