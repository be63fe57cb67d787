"""An npz file as samples. Files that hold pickled objects are refused, never loaded."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from nasdsl.language.signatures.data import input_names, output_names, target_columns
from nasdsl.language.suggest import did_you_mean
from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.errors import DataError
from nasdsl.training.files import missing
from nasdsl.training.members import Members
from nasdsl.training.samples import Samples, checked_inputs, checked_targets, refuse_infinite, same_rows


def read_npz(
    kind: str, path: Path, inputs: str, target: str, group: str, time: str, route: str = ""
) -> Samples:
    """The named arrays of a file; `group`, `time` and `route` may be "". Raises DataError."""
    arrays = _arrays(path)
    named = {
        name: checked_inputs(str(path), _array(path, arrays, array, "the inputs"), f"`{array}`")
        for name, array in zip(input_names(inputs), target_columns(inputs), strict=True)
    }
    rows = same_rows(str(path), named)
    y = {
        name: checked_targets(str(path), kind, _array(path, arrays, array, "the targets"), rows)
        for name, array in zip(output_names(target), target_columns(target), strict=True)
    }
    groups = _per_row(path, _array(path, arrays, group, "the groups"), group, rows) if group else None
    routes = _per_row(path, _array(path, arrays, route, "the routes"), route, rows) if route else None
    moments = _times(path, arrays, time, rows) if time else None
    return Samples(str(path), named, y, groups, moments, routes)


def read_tensors(kind: str, path: Path, inputs: str, target: str) -> Samples:
    """The named tensors of a safetensors file. Raises DataError."""
    try:
        arrays = load_file(path)
    except FileNotFoundError as error:
        raise missing(path) from error
    except (OSError, SafetensorError) as error:
        raise DataError(
            "not a safetensors file, or a damaged one", str(path), "write it by save_file"
        ) from error
    x = checked_inputs(str(path), _array(path, arrays, inputs, "the inputs"), f"`{inputs}`")
    y = checked_targets(str(path), kind, _array(path, arrays, target, "the targets"), len(x))
    return Samples(str(path), {INPUT: x}, {OUTPUT: y})


def _arrays(path: Path) -> Mapping[str, Any]:
    """The arrays by name, each read when it is asked for; large ones are mapped. Raises DataError."""
    try:
        with path.open("rb") as stream:
            file = np.load(stream, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise DataError("one array, not a file of named arrays", str(path), "write it by np.savez")
            return Members(path, file.files)
    except FileNotFoundError as error:
        raise missing(path) from error
    except _DAMAGED as error:
        raise _damaged(path) from error


_DAMAGED = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)


def _damaged(path: Path) -> DataError:
    return DataError("not an npz file, or a damaged one", str(path), "write it by np.savez")


def _array(path: Path, arrays: Mapping[str, Any], name: str, use: str) -> NDArray[Any]:
    if name not in arrays:
        help = did_you_mean(name, arrays) or f"the file holds {', '.join(arrays) or 'no arrays'}"
        raise DataError(f"no array `{name}` for {use}", str(path), help)
    try:
        array: NDArray[Any] | None = arrays[name]
    except _DAMAGED as error:
        raise _damaged(path) from error
    if array is None:
        message = f"array `{name}` holds Python objects, which are never loaded"
        raise DataError(message, str(path), "save plain numbers or texts: X.astype(np.float32)")
    return array


def _per_row(path: Path, array: NDArray[Any], name: str, n_rows: int) -> NDArray[Any]:
    if array.shape != (n_rows,):
        raise DataError(
            f"`{name}` has shape {array.shape}, not ({n_rows},)", str(path), "give one value per row"
        )
    return array


def _times(path: Path, arrays: Mapping[str, Any], name: str, n_rows: int) -> NDArray[np.float64]:
    array = _per_row(path, _array(path, arrays, name, "the times"), name, n_rows)
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise DataError(f"`{name}` has a missing time", str(path), "fill or leave out such rows")
        return array.astype("datetime64[us]").astype(np.float64)
    if array.dtype.kind not in "fiu":
        raise DataError(f"`{name}` holds no times", str(path), "give numbers or datetime64")
    return refuse_infinite(str(path), array.astype(np.float64), f"`{name}`")
