"""The measures that a trained network can be judged by: names, tasks, directions. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

KINDS = ("classification", "regression", "multilabel", "next_token")


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. larger: whether more is better. always: measured after each epoch even where no
    objective asks for it."""

    name: str
    doc: str
    kinds: tuple[str, ...]
    larger: bool
    always: bool = False
    source: str = ""


_CLASSES = ("classification",)
_ROWS = (
    Measure("accuracy", "share of right answers", ("classification", "next_token"), True, always=True),
    Measure("balanced_accuracy", "share found of each class, averaged over classes", _CLASSES, True),
    Measure("macro_f1", "F1 of each class or label, averaged", ("classification", "multilabel"), True),
    Measure(
        "ece",
        "gap between confidence and accuracy, over 15 bins of confidence",
        _CLASSES,
        False,
        source="Guo et al. 2017, On calibration of modern neural networks, arXiv 1706.04599, eq. 3",
    ),
    Measure(
        "r2", "one minus the squared error over that of the best constant", ("regression",), True, always=True
    ),
    Measure("mae", "mean absolute error, in units of the data", ("regression",), False, always=True),
    Measure("bits_per_byte", "the loss in bits, per byte of the text", ("next_token",), False, always=True),
    Measure("loss", "what training minimizes, without regularizers", KINDS, False, always=True),
)

MEASURES: Mapping[str, Measure] = MappingProxyType({row.name: row for row in _ROWS})

# What is optimized where a file names no objective.
USUAL: Mapping[str, str] = MappingProxyType(
    {
        "classification": "accuracy",
        "regression": "r2",
        "multilabel": "macro_f1",
        "next_token": "bits_per_byte",
    }
)


def measures_of(kind: str) -> tuple[str, ...]:
    """The measures of a kind of task, the usual one first."""
    usual = USUAL[kind]
    return (usual, *(row.name for row in _ROWS if kind in row.kinds and row.name != usual))


def asked_beyond(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names that are measured only because they are asked for."""
    return tuple(name for name in names if name in MEASURES and not MEASURES[name].always)
