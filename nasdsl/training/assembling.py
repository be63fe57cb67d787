"""From samples to a Dataset: targets encoded, rows split, scales of what trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.shapes import Shape, shape_of
from nasdsl.training.blocks import mean_and_deviation
from nasdsl.training.dataset import Array, Dataset, Fold, Scale, texts_of
from nasdsl.training.errors import DataError
from nasdsl.training.samples import Samples
from nasdsl.training.splits import Keys, Parts, Splitting, split
from nasdsl.training.suspicions import Place, suspicions
from nasdsl.training.targets import Encoded, encoded, levels, refuse_unseen


def assemble(
    kind: str, samples: Samples, splitting: Splitting, valid: Samples | None = None, standardize: bool = True
) -> Dataset:
    """Encode, split and scale. `valid` holds rows of a second source that validate.

    Raises DataError where the targets do not fit the kind of task, or a part would stay empty.
    """
    if valid is not None and valid.shapes != samples.shapes:
        message = f"rows of shape {_say_shapes(valid)}, but {samples.name} has {_say_shapes(samples)}"
        raise DataError(message, valid.name)
    found = _all_encoded(kind, samples, valid)
    n_rows = samples.n_rows
    first = next(iter(found.values()))
    spread = first.values[:n_rows] if kind == "classification" else None
    given = None if valid is None else np.arange(n_rows, n_rows + valid.n_rows)
    try:
        parts = split(n_rows, Keys(spread, samples.groups, samples.times), splitting, given)
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

    made = _dataset(kind, samples, inputs, found, parts, standardize, place)
    return made if samples.routes is None else replace(made, **_routes(samples, valid))


def _routes(samples: Samples, valid: Samples | None) -> dict[str, Any]:
    """The number of each row's route, and what the routes are called, in order; those of whole numbers by size."""
    routes = [samples.routes, *([] if valid is None else [valid.routes])]
    names, numbers = levels(np.concatenate([np.asarray(one) for one in routes]))
    return {"routes": numbers, "route_names": tuple(str(name) for name in names)}


def presplit(kind: str, samples: Samples, train: Array, valid: Array, test: Array, said: str) -> Dataset:
    """A data set whose parts are given, and whose inputs stay as they are."""
    parts = Parts(((train, valid),), test, said)
    found = _all_encoded(kind, samples, None)
    return _dataset(kind, samples, samples.inputs, found, parts, False, samples.place)


def _dataset(
    kind: str,
    samples: Samples,
    inputs: Mapping[str, NDArray[np.float32]],
    found: Mapping[str, Encoded],
    parts: Parts,
    standardize: bool,
    place: Place,
) -> Dataset:
    for train, _ in parts.folds:
        for one in found.values():
            if one.classes:
                refuse_unseen(samples.name, one, train)
    folds = tuple(
        Fold(
            train,
            valid,
            {name: _scale_inputs(x, train, samples.columns) for name, x in inputs.items()}
            if standardize
            else {},
            {name: _scale(one.values, train, (0,)) for name, one in found.items()}
            if kind == "regression"
            else {},
        )
        for train, valid in parts.folds
    )
    names = {one.classes for one in found.values()}
    widths = {name: one.width for name, one in found.items()}
    data = Dataset(
        kind=kind,
        inputs=inputs,
        targets={name: one.values for name, one in found.items()},
        folds=folds,
        test=parts.test,
        shapes={name: _shape(x, samples.columns) for name, x in inputs.items()},
        outputs=next(iter(widths.values())),
        widths=widths,
        statement=f"{samples.name}: {_said_of(widths)}{parts.said}",
        classes=names.pop() if len(names) == 1 else (),
        features=samples.features,
        columns=samples.columns,
    )
    return replace(data, warnings=suspicions(data, place))


def _all_encoded(kind: str, samples: Samples, valid: Samples | None) -> dict[str, Encoded]:
    if kind == "segmentation" and len(samples.targets) > 1:
        raise DataError("a segmentation has one mask for each sample", samples.name, "name one target")
    if valid is not None and set(valid.targets) != set(samples.targets):
        message = f"targets {', '.join(valid.targets)}, but {samples.name} has {', '.join(samples.targets)}"
        raise DataError(message, valid.name)
    return {name: encoded(kind, name, samples, valid) for name in samples.targets}


def _said_of(widths: Mapping[str, int]) -> str:
    """Which outputs there are, where there are several."""
    if len(widths) == 1:
        return ""
    return ", ".join(f"output.{name} of {width}" for name, width in widths.items()) + "; "


def _say_shapes(samples: Samples) -> str:
    if len(samples.inputs) == 1:
        return str(next(iter(samples.shapes.values())))
    return ", ".join(f"{name} {shape}" for name, shape in samples.shapes.items())


def _shape(x: Array, columns: Mapping[str, tuple[str, ...] | None]) -> Shape:
    """Of a sample; that of a table with texts knows its columns."""
    shape = shape_of(x.shape[1:])
    sizes = tuple((name, 1 if texts is None else len(texts)) for name, texts in columns.items())
    found = replace(shape, columns=sizes) if sum(size for _, size in sizes) == x.shape[1] else shape
    return found if found.texts else shape


def _scale_inputs(
    x: NDArray[np.float32], train: NDArray[np.int64], columns: Mapping[str, tuple[str, ...] | None]
) -> Scale:
    """Of each feature of a row; of each channel of a sequence or image. What stands for texts stays zeros and ones."""
    scale = _scale(x, train, (0, *range(2, x.ndim)))
    texts = texts_of(columns, x.shape[1])
    if not texts.any():
        return scale
    return Scale(np.where(texts, np.float32(0), scale.mean), np.where(texts, np.float32(1), scale.deviation))


def _scale(array: Array, train: NDArray[np.int64], axes: tuple[int, ...]) -> Scale:
    mean, deviation = mean_and_deviation(array, train, axes)
    # A constant column has no scale of its own; rounding must not give it one.
    deviation = np.where(deviation > 1e-6 * np.maximum(np.abs(mean), 1e-6), deviation, 1.0)
    return Scale(mean.astype(np.float32), deviation.astype(np.float32))
