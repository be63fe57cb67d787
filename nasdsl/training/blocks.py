"""Looking through arrays that may be larger than memory, as `numpy.load(…, mmap_mode="r")` gives them: a block at a time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 1 << 26


def blocks(array: NDArray[Any], rows: NDArray[np.int64] | None = None) -> Iterator[tuple[int, NDArray[Any]]]:
    """The rows asked for, all by default, in parts of about `BLOCK_BYTES`; before each the place of its first row."""
    n_rows = len(array) if rows is None else len(rows)
    step = max(1, BLOCK_BYTES * len(array) // max(1, array.nbytes))
    for first in range(0, n_rows, step):
        part = slice(first, first + step)
        yield first, array[part if rows is None else rows[part]]


def as_floats(array: NDArray[Any]) -> NDArray[np.float32]:
    """In float32; a mapped array of another type is written so into a nameless temporary file, and mapped there."""
    if not isinstance(array, np.memmap) or array.dtype == np.float32 or array.nbytes <= BLOCK_BYTES:
        return np.asarray(array).astype(np.float32, copy=False)
    with tempfile.TemporaryFile() as file:
        floats = np.memmap(file, np.float32, "w+", shape=array.shape)
    for first, block in blocks(array):
        floats[first : first + len(block)] = block
    return floats


def mean_and_deviation(
    array: NDArray[Any], rows: NDArray[np.int64], axes: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Over `axes`, which hold the first, of these rows; the other axes stay, those of `axes` with length 1."""
    if array[:1].nbytes * len(rows) <= BLOCK_BYTES:
        part = array[rows]
        mean = part.mean(axes, dtype=np.float64, keepdims=True)
        return mean[0], part.std(axes, dtype=np.float64, keepdims=True)[0]
    n_values = len(rows) * math.prod(array.shape[axis] for axis in axes if axis)

    def mean_of(values: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[np.float64]:
        total: NDArray[np.float64] = np.zeros(1)
        for _, part in blocks(array, rows):
            total = np.add(total, values(part).sum(axes, dtype=np.float64, keepdims=True))
        mean: NDArray[np.float64] = np.divide(total, n_values)
        return mean

    mean = mean_of(lambda part: part)
    return mean[0], np.sqrt(mean_of(lambda part: (part - mean) ** 2))[0]
