"""All rows of the operation table, by where they may stand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nasdsl.language.signatures.data import DATA_SIGNATURES
from nasdsl.language.signatures.layers import LAYER_SIGNATURES
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.signatures.training import STOP_SIGNATURES, TRAINING_SIGNATURES


def _by_name(rows: tuple[Signature, ...]) -> Mapping[str, Signature]:
    table = {row.name: row for row in rows}
    assert len(table) == len(rows), "two rows have one name"
    return MappingProxyType(table)


# What may stand in a network, with activations and weights; in `train { }`; after `task … on`.
_layers = dict(_by_name(LAYER_SIGNATURES))
LAYERS: Mapping[str, Signature] = MappingProxyType(_layers)
TRAINING = _by_name(TRAINING_SIGNATURES)
STOPS = _by_name(STOP_SIGNATURES)  # a table of their own: `epochs` and `loss` are settings too
DATA = _by_name(DATA_SIGNATURES)
_all = {**DATA, **STOPS, **TRAINING, **LAYERS}
SIGNATURES: Mapping[str, Signature] = MappingProxyType(_all)
_TABLES = (LAYERS, TRAINING, STOPS, DATA)


def add_row(row: Signature, replaces: bool) -> None:
    """Add an operation of the user's own (`nasdsl.op`). Raises ValueError for a name that is taken."""
    if row.name in _all and not replaces:
        raise ValueError(f"`{row.name}` is a name of the language; give another: op(…, name = …)")
    _layers[row.name] = _all[row.name] = row


def find(name: str, groups: tuple[str, ...]) -> Signature | None:
    """The row of this name in one of the groups."""
    for table in _TABLES:
        row = table.get(name)
        if row is not None and row.group in groups:
            return row
    return None


def names(groups: tuple[str, ...]) -> list[str]:
    """All names in these groups that this version has, in the order of the tables."""
    return [r.name for t in _TABLES for r in t.values() if r.group in groups and not r.later]
