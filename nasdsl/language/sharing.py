"""Weights that several layers have in common: the copies of a `repeat … shared`.

The first copy leaves the weights of each of its layers on the tape of the repeat; the same layer of a later copy
finds them there and must fit them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

from nasdsl.language.configuration import Dead, Frames, Label, Weights
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Signature


def weights_of(
    row: Signature,
    arguments: Mapping[str, Value],
    source: Shape,
    target: Shape,
    place: str,
    frames: Frames,
) -> tuple[str, Frames]:
    """The place of the layer whose weights this one uses ("": its own), and the frames that know of it.

    Raises Dead where an earlier copy has weights that do not fit here.
    """
    tapes = list(frames[0])
    sharing = [i for i, tape in enumerate(tapes) if tape.shared and row.name not in tape.apart]
    if not sharing or row.params is None:
        return "", frames
    concrete = source.concrete and target.concrete  # as they are once the data have been read
    params = row.params(arguments, (source,), target) if concrete else None
    if params == 0:
        return "", frames
    key = _key(row, arguments, source, params)
    shares, found_all = "", True
    for i in sharing:
        tape = tapes[i]
        copy: Label = frames[tape.depth][tape.slots[0]]
        below = place[len(copy.place) :]
        found = next((weights for weights in tape.weights if weights.below == below), None)
        if found is None:
            own = Weights(below, key, Label("", place, ""))
            tapes[i], found_all = tape._replace(weights=(*tape.weights, own)), False
        elif found.key != key:
            raise Dead(
                f"`{row.name}` on {source} cannot use the weights that an earlier copy of its shared repeat has"
            )
        else:
            shares = shares or found.label.place
    return shares, frames if found_all else (tuple(tapes), *frames[1:])


def _key(row: Signature, arguments: Mapping[str, Value], source: Shape, params: int | None) -> Hashable:
    """Two layers with equal keys can be one module."""
    dims = source.dims if row.sized else (source.channels,)
    return row.name, tuple(_hashable(value) for value in arguments.values()), source.layout, dims, params


def _hashable(value: Value) -> Hashable:
    if isinstance(value, Spec):
        return value.name, tuple((name, _hashable(inner)) for name, inner in value.arguments.items())
    return value


def without_weights(row: Signature) -> Signature:
    """The row of an operation whose weights another layer has and counts."""
    return replace(row, params=None)
