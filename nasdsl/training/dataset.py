"""Data as training sees them: arrays, the parts they are split into, and the scales of the training part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.shapes import Shape
from nasdsl.training.errors import DataError

Array: TypeAlias = NDArray[Any]
Part: TypeAlias = Literal["train", "valid", "test"]

OUTPUT = "output"  # the name of the only output, as in a decided network
INPUT = "input"
_META = "meta.json"


@dataclass(frozen=True, eq=False)
class Scale:
    """`(x - mean) / deviation` standardizes x; both broadcast over one sample."""

    mean: Array
    deviation: Array


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to train on and rows to validate on, and the scales of what is trained on.

    `inputs` and `targets` hold a Scale for each input or output that is to be standardized.
    """

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    inputs: Mapping[str, Scale]
    targets: Mapping[str, Scale]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything that training needs, and how it was split.

    inputs: name -> float32 (rows, *shape of one sample), not standardized; uint8 (rows, length) of symbols.
    targets: name of an output -> int64 (rows,) of classes, float32 (rows, numbers) as given, float32
    (rows, labels) of zeros and ones, uint8 (rows, length) of symbols, or uint8 or int64 (rows, *positions) of classes.
    folds: one, unless the data ask for several; the first is where no other is spoken of.
    test: the rows that selection never sees; may be empty.
    outputs: what `linear(outputs)` gets: classes, or numbers to predict; of several outputs, those of the first.
    widths: the same for each output by name.
    statement: one sentence for people: what the data are and how they are split.
    warnings: sentences about what can be used but should be looked at.
    classes, features: names in order, () where there are none, or where outputs differ in them.
    routes: (rows,) the number of the expert that a row goes to, or None; route_names: what stands for each number.
    columns: of a file, in order: the texts of a column, each of which is a feature of its own, or None for numbers.
    """

    kind: str
    inputs: Mapping[str, Array]
    targets: Mapping[str, Array]
    folds: tuple[Fold, ...]
    test: NDArray[np.int64]
    shapes: Mapping[str, Shape]
    outputs: int
    statement: str
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    routes: NDArray[np.int64] | None = None
    route_names: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.widths:
            object.__setattr__(self, "widths", dict.fromkeys(self.targets, self.outputs))

    @property
    def is_table(self) -> bool:
        """One input, whose rows are plain vectors."""
        return [shape.layout for shape in self.shapes.values()] == ["vector"]

    def rows(self, part: Part, fold: int = 0) -> NDArray[np.int64]:
        """Row numbers of a part."""
        match part:
            case "train":
                return self.folds[fold].train
            case "valid":
                return self.folds[fold].valid
            case "test":
                return self.test

    def save(self, folder: Path) -> None:
        """Write `.npy` files and `meta.json` into a new folder."""
        folder.mkdir(parents=True)
        for name, array in _flat(self).items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        (folder / _META).write_text(json.dumps(_meta(self), indent=1, ensure_ascii=False), "utf-8")

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Map what `save` wrote: pages are read when needed and shared by all processes.

        Raises DataError for a folder that `save` did not write.
        """
        try:
            meta = json.loads((folder / _META).read_text("utf-8"))
            # Copy on write: torch wants writable memory, and nobody writes.
            arrays = {path.stem: np.load(path, mmap_mode="c") for path in folder.glob("*.npy")}
            return _unflat(meta, arrays)
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"not a saved data set: {error}", str(folder)) from error


def texts_of(columns: Mapping[str, tuple[str, ...] | None], n_columns: int) -> NDArray[np.bool_]:
    """Which of the columns of an encoded table are zeros and ones that stand for a text."""
    marks = [levels is not None for levels in columns.values() for _ in levels or ("",)]
    return np.array(marks if len(marks) == n_columns else [False] * n_columns)


def _meta(data: Dataset) -> dict[str, Any]:
    return {
        "kind": data.kind,
        "shapes": {name: shape.stored() for name, shape in data.shapes.items()},
        "targets": list(data.targets),
        "folds": len(data.folds),
        "outputs": data.outputs,
        "statement": data.statement,
        "classes": list(data.classes),
        "features": list(data.features),
        "warnings": list(data.warnings),
        "route_names": list(data.route_names),
        "widths": dict(data.widths),
        "columns": {name: None if levels is None else list(levels) for name, levels in data.columns.items()},
    }


def _flat(data: Dataset) -> dict[str, Array]:
    """All arrays by the stems of their files."""
    arrays: dict[str, Array] = {"test": data.test}
    if data.routes is not None:
        arrays["routes"] = data.routes
    arrays |= {f"inputs.{name}": array for name, array in data.inputs.items()}
    arrays |= {f"targets.{name}": array for name, array in data.targets.items()}
    for number, fold in enumerate(data.folds):
        arrays |= {f"fold{number}.train": fold.train, f"fold{number}.valid": fold.valid}
        for side, scales in (("inputs", fold.inputs), ("targets", fold.targets)):
            for name, scale in scales.items():
                arrays[f"fold{number}.{side}.{name}.mean"] = scale.mean
                arrays[f"fold{number}.{side}.{name}.deviation"] = scale.deviation
    return arrays


def _unflat(meta: dict[str, Any], arrays: dict[str, Array]) -> Dataset:
    def scales(prefix: str, names: list[str]) -> dict[str, Scale]:
        stems = {name: f"{prefix}.{name}" for name in names if f"{prefix}.{name}.mean" in arrays}
        return {name: Scale(arrays[f"{s}.mean"], arrays[f"{s}.deviation"]) for name, s in stems.items()}

    shapes = {name: Shape.restored(*one) for name, one in meta["shapes"].items()}
    folds = tuple(
        Fold(
            arrays[f"fold{n}.train"],
            arrays[f"fold{n}.valid"],
            scales(f"fold{n}.inputs", list(shapes)),
            scales(f"fold{n}.targets", meta["targets"]),
        )
        for n in range(meta["folds"])
    )
    return Dataset(
        kind=meta["kind"],
        inputs={name: arrays[f"inputs.{name}"] for name in shapes},
        targets={name: arrays[f"targets.{name}"] for name in meta["targets"]},
        folds=folds,
        test=arrays["test"],
        shapes=shapes,
        outputs=meta["outputs"],
        statement=meta["statement"],
        classes=tuple(meta["classes"]),
        features=tuple(meta["features"]),
        warnings=tuple(meta["warnings"]),
        routes=arrays.get("routes"),
        route_names=tuple(meta.get("route_names", ())),
        widths=meta.get("widths", {}),
        columns={
            n: None if levels is None else tuple(levels) for n, levels in meta.get("columns", {}).items()
        },
    )
