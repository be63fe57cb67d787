"""What every reader gives: inputs and targets row by row, not yet split; and the checks of arrays on their way there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasdsl.training.blocks import as_floats, blocks
from nasdsl.training.errors import DataError

_AXES = (
    "a row of numbers",
    "channels and length",
    "channels, height, width",
    "channels, depth, height, width",
)


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows of data. `inputs` by name, float32 (rows, …); `targets` by output: classes of any type (rows,), numbers
    (rows, n), or a class for each position (rows, *positions).

    name: of the source, for messages. groups, times, routes: one value per row, or None. columns: of a file, by name: the
    texts that became numbers, each a feature of its own, or None for a column of numbers. lines: of a text file, where
    each row begins.
    """

    name: str
    inputs: Mapping[str, NDArray[np.float32]]
    targets: Mapping[str, NDArray[Any]]
    groups: NDArray[Any] | None = None
    times: NDArray[np.float64] | None = None
    routes: NDArray[Any] | None = None
    features: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    lines: Sequence[int] = ()

    def place(self, row: int) -> str:
        """Where a row stands, as a person counts."""
        return f"line {self.lines[row]}" if self.lines else f"row {row + 1}"

    @property
    def n_rows(self) -> int:
        """Of every input and output alike."""
        return len(next(iter(self.targets.values())))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of one row of each input."""
        return {name: array.shape[1:] for name, array in self.inputs.items()}


def checked_inputs(name: str, x: Any, what: str = "inputs") -> NDArray[np.float32]:
    """Any array of numbers as float32 (rows, …), be it mapped from a file larger than memory. Raises DataError for
    anything else."""
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
    return refuse_infinite(name, as_floats(x if isinstance(x, np.memmap) else array), what)


def same_rows(name: str, inputs: Mapping[str, NDArray[np.float32]]) -> int:
    """The number of rows, which all inputs have in common. Raises DataError where they have not."""
    lengths = {key: len(x) for key, x in inputs.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"`{key}` has {n}" for key, n in lengths.items())
        raise DataError(f"inputs differ in their number of rows: {said}", name, "give one row per sample")
    return next(iter(lengths.values()))


def refuse_as_output(source: str, name: str) -> None:
    """Raises DataError for what no network can name an output: `output.NAME = …`."""
    if not name.isidentifier():
        help = (
            f"call it by letters, digits and _: {re.sub(r'[^0-9A-Za-z]+', '_', name).strip('_') or 'first'}"
        )
        raise DataError(f"`{name}` cannot be the name of an output", source, help)


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
    return _whole(name, array) if kind == "segmentation" else _class_array(name, array)


def _class_array(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        help = "classification takes one class per row, not one column per class"
        raise DataError(f"targets have shape {array.shape}", name, help)
    if array.dtype.kind == "O":
        array = array.astype(str)
    return _whole(name, array, texts=True)


def _whole(name: str, array: NDArray[Any], texts: bool = False) -> NDArray[Any]:
    """Classes: whole numbers, be they written as fractions, or texts."""
    if array.dtype.kind == "f":
        refuse_infinite(name, array, "targets")
        if (array != np.round(array)).any():
            raise DataError(
                "targets are fractions, not classes", name, "numbers are predicted by `task regression`"
            )
        array = array.astype(np.int64)
    if array.dtype.kind not in ("iubU" if texts else "iub"):
        help = "give whole numbers or texts" if texts else "give whole numbers"
        raise DataError(f"targets are of type {array.dtype}, not classes", name, help)
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
