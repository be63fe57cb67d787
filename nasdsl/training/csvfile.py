"""A csv file as samples: which columns are inputs, targets, groups and times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.signatures.data import target_columns
from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.errors import DataError
from nasdsl.training.samples import Samples, refuse_as_output
from nasdsl.training.tables import (
    Encoding,
    Table,
    encode,
    encoding_of,
    numbers,
    read_table,
    refuse_fractions,
    texts,
    times,
)


def read_csv(
    kind: str, path: Path, valid_path: Path | None, target: str, group: str, time: str, route: str = ""
) -> tuple[Samples, Samples | None]:
    """The samples of a file, and of the second one if given, encoded alike.

    `target` is one column, or several joined by commas; `group`, `time` and `route` are "" or a
    column, which is then no input. Raises DataError with line and remedy.
    """
    table = read_table(path)
    targets = _targets(kind, table, target)
    leave_out = (*targets, group, time, route)
    for name, use in ((group, "the group"), (time, "the time"), (route, "the route")):
        if name:
            table.column(name, use)
    encoding = encoding_of(table, leave_out)
    samples = _samples(kind, table, encoding, targets, group, time, route)
    if valid_path is None:
        return samples, None
    return samples, _samples(kind, read_table(valid_path), encoding, targets, "", "", route)


def _targets(kind: str, table: Table, target: str) -> tuple[str, ...]:
    names = (target,) if target in table.columns else target_columns(target)
    if not names:
        raise DataError("no target is named", table.name, 'say which column to predict: target = "…"')
    for name in names:
        table.column(name, "the target")
    if kind == "classification" and len(names) > 1:
        for name in names:
            refuse_as_output(table.name, name)
    return names


def _samples(
    kind: str, table: Table, encoding: Encoding, targets: tuple[str, ...], group: str, time: str, route: str
) -> Samples:
    return Samples(
        name=table.name,
        inputs={INPUT: encode(table, encoding)},
        targets=_by_output(kind, table, targets),
        groups=texts(table, group, "the group") if group else None,
        times=times(table, time) if time else None,
        routes=texts(table, route, "the route") if route else None,
        features=encoding.features,
        columns=encoding.levels,
        lines=table.lines,
    )


def _by_output(kind: str, table: Table, targets: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Several columns of classes are an output each; several numbers or labels are one vector."""
    if kind != "classification" or len(targets) == 1:
        return {OUTPUT: _target_values(kind, table, targets)}
    return {name: _target_values(kind, table, (name,)) for name in targets}


def _target_values(kind: str, table: Table, targets: tuple[str, ...]) -> NDArray[Any]:
    if kind == "classification":
        cells = texts(table, targets[0], "the target")
        refuse_fractions(table, targets[0])
        return cells
    for name in targets:
        table.column(name, "the target")
    help = "correct the cell; classes are predicted by `task classification`"
    return np.stack([numbers(table, name, help) for name in targets], axis=1)
