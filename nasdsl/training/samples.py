"""What every reader gives: inputs and targets row by row, not yet split. And from there to a Dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.shapes import shape_of
from nasdsl.language.suggest import did_you_mean
from nasdsl.training.blocks import blocks, mean_and_deviation
from nasdsl.training.dataset import OUTPUT, Array, Dataset, Fold, Scale
from nasdsl.training.errors import DataError
from nasdsl.training.splits import Keys, Parts, Splitting, split
from nasdsl.training.suspicions import Place, suspicions

_WHOLE = re.compile(r"[+-]?\d+")
_AXES = (
    "a row of numbers",
    "channels and length",
    "channels, height, width",
    "channels, depth, height, width",
)


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows of data. `inputs` by name, float32 (rows, …); `targets` are classes of any type (rows,), or numbers (rows, n).

    name: of the source, for messages. groups, times: one value per row, or None. columns: of a file, by name: the
    texts that became numbers, each a feature of its own, or None for a column of numbers. lines: of a text file, where
    each row begins.
    """

    name: str
    inputs: Mapping[str, NDArray[np.float32]]
    targets: NDArray[Any]
    groups: NDArray[Any] | None = None
    times: NDArray[np.float64] | None = None
    features: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    lines: Sequence[int] = ()

    def place(self, row: int) -> str:
        """Where a row stands, as a person counts."""
        return f"line {self.lines[row]}" if self.lines else f"row {row + 1}"

    @property
    def n_rows(self) -> int:
        """Of every input alike."""
        return len(self.targets)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of one row of each input."""
        return {name: array.shape[1:] for name, array in self.inputs.items()}


def assemble(
    kind: str, samples: Samples, splitting: Splitting, valid: Samples | None = None, standardize: bool = True
) -> Dataset:
    """Encode, split and scale. `valid` holds rows of a second source that validate.

    Raises DataError where the targets do not fit the kind of task, or a part would stay empty.
    """
    targets, classes = _encoded(kind, samples, valid)
    n_rows = samples.n_rows
    keys = Keys(targets[:n_rows] if kind == "classification" else None, samples.groups, samples.times)
    given = None if valid is None else np.arange(n_rows, n_rows + valid.n_rows)
    try:
        parts = split(n_rows, keys, splitting, given)
    except DataError as error:
        raise DataError(error.message, samples.name, error.help) from error
    inputs = dict(samples.inputs)
    if valid is not None:
        inputs = {name: np.concatenate([x, valid.inputs[name]]) for name, x in inputs.items()}

    def place(row: int) -> str:
        """Rows of the second source come last."""
        if valid is None or row < n_rows:
            return samples.place(row)
        return f"{valid.place(row - n_rows)} of {valid.name}"

    return _dataset(kind, samples, inputs, targets, classes, parts, standardize, place)


def presplit(kind: str, samples: Samples, train: Array, valid: Array, test: Array, said: str) -> Dataset:
    """A data set whose parts are given, and whose inputs stay as they are."""
    targets, classes = _encoded(kind, samples, None)
    parts = Parts(((train, valid),), test, said)
    return _dataset(kind, samples, samples.inputs, targets, classes, parts, False, samples.place)


def _dataset(
    kind: str,
    samples: Samples,
    inputs: Mapping[str, NDArray[np.float32]],
    targets: Array,
    classes: tuple[str, ...],
    parts: Parts,
    standardize: bool,
    place: Place,
) -> Dataset:
    if kind == "classification":
        _refuse_unseen(samples.name, targets, classes, parts)
    folds = tuple(
        Fold(
            train,
            valid,
            {name: _scale_inputs(x, train) for name, x in inputs.items()} if standardize else {},
            {OUTPUT: _scale(targets, train, (0,))} if kind == "regression" else {},
        )
        for train, valid in parts.folds
    )
    data = Dataset(
        kind=kind,
        inputs=inputs,
        targets={OUTPUT: targets},
        folds=folds,
        test=parts.test,
        shapes={name: shape_of(x.shape[1:]) for name, x in inputs.items()},
        outputs=len(classes) if kind == "classification" else targets.shape[1],
        statement=f"{samples.name}: {parts.said}",
        classes=classes,
        features=samples.features,
        columns=samples.columns,
    )
    return replace(data, warnings=suspicions(data, place))


def _encoded(kind: str, samples: Samples, valid: Samples | None) -> tuple[Array, tuple[str, ...]]:
    """All targets as training needs them, `valid` last, and the names of the classes."""
    if valid is not None and valid.shapes != samples.shapes:
        message = f"rows of shape {_say_shapes(valid)}, but {samples.name} has {_say_shapes(samples)}"
        raise DataError(message, valid.name)
    if kind == "regression":
        return _numbers(samples, valid), ()
    if kind == "multilabel":
        return _labels(samples, valid), ()
    if kind != "classification":
        raise DataError(f"`task {kind}` is not part of this version", samples.name)
    return _classes(samples, valid)


def _columns(samples: Samples, valid: Samples | None) -> NDArray[np.float32]:
    columns = []
    for part in (samples, *([] if valid is None else [valid])):
        columns.append(part.targets.reshape(len(part.targets), -1).astype(np.float32))
    if len({column.shape[1] for column in columns}) > 1:
        message = f"{columns[1].shape[1]} targets per row, but {samples.name} has {columns[0].shape[1]}"
        raise DataError(message, valid.name if valid else samples.name)
    return np.concatenate(columns)


def _numbers(samples: Samples, valid: Samples | None) -> NDArray[np.float32]:
    columns = _columns(samples, valid)
    constant = np.flatnonzero(np.ptp(columns[: samples.n_rows], axis=0) == 0)
    if len(constant):
        raise DataError(
            "all targets are the same number",
            samples.name,
            "there is nothing to learn; is the target the right one?",
        )
    return columns


def _labels(samples: Samples, valid: Samples | None) -> NDArray[np.float32]:
    labels = _columns(samples, valid)
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
    return labels


def _classes(samples: Samples, valid: Samples | None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    names, targets = _levels(samples.targets)
    if len(names) < 2:
        help = "classification needs two or more; is the target the right one?"
        raise DataError(f"all targets are of one class, `{_say(names[0])}`", samples.name, help)
    counts = np.bincount(targets)
    if 2 * len(names) > len(targets) and len(names) > 10:
        message = f"{len(names)} classes in {len(targets)} rows"
        raise DataError(message, samples.name, "numbers are predicted by `task regression`")
    if counts.min() < 3 and samples.groups is None and samples.times is None:
        rare = _say(names[int(counts.argmin())])
        message = f"too few rows of class `{rare}`: {counts.min()}"
        raise DataError(message, samples.name, "three or more are needed, to train, validate and test")
    if valid is None:
        return targets, tuple(_say(name) for name in names)
    unseen = np.flatnonzero(~np.isin(valid.targets, names))
    if len(unseen):
        label = _say(valid.targets[unseen[0]])
        help = did_you_mean(label, map(_say, names)) or "every class must also be there to train on"
        raise DataError(f"class `{label}` is not among those of {samples.name}", valid.name, help)
    numbers = {name: number for number, name in enumerate(names.tolist())}
    more = np.array([numbers[value] for value in valid.targets.tolist()])
    return np.concatenate([targets, more]), tuple(_say(name) for name in names)


def _levels(targets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The classes in order, and the number of each row's. Texts that are whole numbers count as numbers."""
    names, numbers = np.unique(targets, return_inverse=True)
    order = np.arange(len(names))
    if names.dtype.kind == "U" and all(_WHOLE.fullmatch(name) for name in names):
        order = np.array(sorted(order, key=lambda number: (int(names[number]), names[number])))
    return names[order], np.argsort(order)[numbers.reshape(-1)].astype(np.int64)


def _say_shapes(samples: Samples) -> str:
    if len(samples.inputs) == 1:
        return str(next(iter(samples.shapes.values())))
    return ", ".join(f"{name} {shape}" for name, shape in samples.shapes.items())


def _say(value: Any) -> str:
    return str(value.item() if isinstance(value, np.generic) else value)


def _refuse_unseen(name: str, targets: Array, classes: Sequence[str], parts: Parts) -> None:
    """Groups and times can take all rows of a class out of the training part."""
    for train, _ in parts.folds:
        unseen = np.setdiff1d(np.arange(len(classes)), targets[train])
        if len(unseen):
            message = f"no row of class `{classes[unseen[0]]}` is left to train on"
            raise DataError(message, name, "ask for another split, or take the class out")


def _scale_inputs(x: NDArray[np.float32], train: NDArray[np.int64]) -> Scale:
    """Of each feature of a row; of each channel of a sequence or image."""
    return _scale(x, train, (0, *range(2, x.ndim)))


def _scale(array: Array, train: NDArray[np.int64], axes: tuple[int, ...]) -> Scale:
    mean, deviation = mean_and_deviation(array, train, axes)
    # A constant column has no scale of its own; rounding must not give it one.
    deviation = np.where(deviation > 1e-6 * np.maximum(np.abs(mean), 1e-6), deviation, 1.0)
    return Scale(mean.astype(np.float32), deviation.astype(np.float32))


def checked_inputs(name: str, x: Any, what: str = "inputs") -> NDArray[np.float32]:
    """Any array of numbers as float32 (rows, …); one that is float32 as it is, be it mapped from a file larger
    than memory. Raises DataError for anything else."""
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        message = f"{what} are of type {array.dtype}, not numbers"
        raise DataError(
            message, name, "turn every column into numbers, or give a csv file, whose texts are encoded"
        )
    if not 2 <= array.ndim <= 5:
        forms = "; or ".join(_AXES)
        message = f"{what} have shape {array.shape}"
        raise DataError(message, name, f"the first axis counts rows, the others are {forms}")
    if not array.size:
        raise DataError(f"{what} are empty, of shape {array.shape}", name, "give one row per sample")
    return refuse_infinite(name, array.astype(np.float32, copy=False), what)


def same_rows(name: str, inputs: Mapping[str, NDArray[np.float32]]) -> int:
    """The number of rows, which all inputs have in common. Raises DataError where they have not."""
    lengths = {key: len(x) for key, x in inputs.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"`{key}` has {n}" for key, n in lengths.items())
        raise DataError(f"inputs differ in their number of rows: {said}", name, "give one row per sample")
    return next(iter(lengths.values()))


def checked_targets(name: str, kind: str, y: Any, n_rows: int) -> NDArray[Any]:
    """Targets that are as many as the rows and fit the kind. Raises DataError."""
    array = np.asarray(y)
    if array.ndim == 0 or len(array) != n_rows:
        raise DataError(
            f"{n_rows} rows of inputs, but {array.size and len(np.atleast_1d(array))} targets",
            name,
            "give one target per row",
        )
    if kind in ("regression", "multilabel"):
        if array.dtype.kind not in "fiub" or array.ndim > 2:
            message = f"targets of type {array.dtype} and shape {array.shape} are not numbers to predict"
            raise DataError(message, name, f"{kind} takes one number per row, or several in columns")
        return refuse_infinite(name, array.astype(np.float32), "targets")
    return _class_array(name, array)


def _class_array(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        help = "classification takes one class per row, not one column per class"
        raise DataError(f"targets have shape {array.shape}", name, help)
    if array.dtype.kind == "O":
        array = array.astype(str)
    if array.dtype.kind == "f":
        refuse_infinite(name, array, "targets")
        if (array != np.round(array)).any():
            raise DataError(
                "targets are fractions, not classes", name, "numbers are predicted by `task regression`"
            )
        array = array.astype(np.int64)
    if array.dtype.kind not in "iubU":
        raise DataError(
            f"targets are of type {array.dtype}, not classes", name, "give whole numbers or texts"
        )
    return array


def refuse_infinite(name: str, array: NDArray[Any], what: str) -> NDArray[Any]:
    """The array itself. Raises DataError naming the first number that is none."""
    for first, block in blocks(array):
        bad = ~np.isfinite(block)
        if bad.any():
            row, *rest = (int(i) for i in np.argwhere(bad)[0])
            at = (first + row, *rest)
            message = f"{what}[{', '.join(map(str, at))}] is {array[at]}"
            raise DataError(message, name, "fill or leave out missing and infinite values")
    return array
