"""Data sets and the trainer. Torch is loaded when something that trains is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nasdsl.training.dataset import Dataset
from nasdsl.training.errors import DataError, Diverged
from nasdsl.training.opening import UserData, open_data

if TYPE_CHECKING:
    from nasdsl.training.baselines import fit_baselines
    from nasdsl.training.trainer import Trained, measure, train

__all__ = [
    "DataError",
    "Dataset",
    "Diverged",
    "Trained",
    "UserData",
    "fit_baselines",
    "measure",
    "open_data",
    "train",
]

_NEEDING_TORCH = {
    "Trained": "trainer",
    "fit_baselines": "baselines",
    "measure": "trainer",
    "train": "trainer",
}


def __getattr__(name: str) -> Any:
    if name in _NEEDING_TORCH:
        return getattr(import_module(f"nasdsl.training.{_NEEDING_TORCH[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
