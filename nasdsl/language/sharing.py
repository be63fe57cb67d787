"""What an operation counts for where it stands: whose weights it uses, and how many of it there are.

The first copy of a `repeat … shared` leaves the weights of each of its layers on the tape of the repeat; the same
layer of a later copy finds them there and must fit them. A layer in the body of `widen` is there once per expert,
and works for as many tokens as are sent to experts.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cache

from nasdsl.language.configuration import Dead, Experts, Frames, Label, Tape, Weights
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import CostRule, Signature


def weights_of(
    row: Signature,
    arguments: Mapping[str, Value],
    source: Shape,
    target: Shape,
    place: str,
    frames: Frames,
    built: Hashable = None,
) -> tuple[str, Frames]:
    """The place of the layer whose weights this one uses ("": its own), and the frames that know of it.

    Raises Dead where an earlier copy has weights that do not fit here.
    """
    around = list(frames[0])
    sharing = [i for i, tape in enumerate(around) if tape.shared and not _is_apart(row, i, frames)]
    if not sharing:
        return "", frames
    key = (_key(row, arguments, source, target), built)
    around = [_with_part(one, key) for one in around]
    shares = ""
    for i in sharing if _has_weights(row, arguments, source, target) or row.inner is not None else ():
        below = place[len(_copy(around[i], frames).place) :]
        found = next((weights for weights in around[i].weights if weights.below == below), None)
        if found is None:
            own = Weights(below, key, Label("", place, ""))
            around[i] = around[i]._replace(weights=(*around[i].weights, own))
        elif found.key != key:
            raise Dead(
                f"`{row.name}` on {source} cannot use the weights that an earlier copy of its shared repeat has"
            )
        else:
            shares = shares or found.label.place
    return shares, (tuple(around), *frames[1:])


def opened(op: str, copies: int, uses: int, frames: Frames) -> Frames:
    """The frames within a body of which there are several."""
    within = any(tape.shared for tape in frames[0])
    return ((*frames[0], Experts(op, copies, uses, () if within else None)), *frames[1:])


def closed(frames: Frames) -> tuple[Hashable, Frames]:
    """What the innermost body was made of, if anything asks, and the frames around it."""
    return frames[0][-1].built, (frames[0][:-1], *frames[1:])


def _copy(tape: Tape, frames: Frames) -> Label:
    label: Label = frames[tape.depth][tape.slots[0]]
    return label


def _is_apart(row: Signature, i: int, frames: Frames) -> bool:
    """Whether the copies of the i-th tape keep this operation apart, itself or within another one."""
    apart = frames[0][i].apart
    bodies = [one.op for one in frames[0][i + 1 :] if isinstance(one, Experts)]
    if any(op in apart for op in bodies):
        return True
    if row.name in apart and bodies:
        raise Dead(
            f"copies of a shared repeat have one `{bodies[0]}`, so what is in it cannot be apart: "
            f"move `{row.name}` out of it, or keep `{bodies[0]}` apart as well"
        )
    return row.name in apart


def _has_weights(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> bool:
    if row.params is None:
        return False
    # Shapes are not concrete before the data have been read.
    return not (source.concrete and target.concrete) or row.params(arguments, (source,), target) > 0


def _key(row: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape) -> Hashable:
    """Two layers with equal keys can be one module."""
    dims = source.dims if row.sized else (source.channels,)
    params = row.params(arguments, (source,), target) if row.params and source.concrete else None
    return row.name, tuple(_hashable(value) for value in arguments.values()), source.layout, dims, params


def _hashable(value: Value) -> Hashable:
    if isinstance(value, Spec):
        return value.name, tuple((name, _hashable(inner)) for name, inner in value.arguments.items())
    return value


def _with_part(one: Tape | Experts, key: Hashable) -> Tape | Experts:
    if isinstance(one, Experts) and one.built is not None:
        return one._replace(built=(one.built, key))
    return one


# --- costs ----------------------------------------------------------------------------------


def as_counted(row: Signature, shares: str, frames: Frames) -> Signature:
    """The row with the costs that it has here."""
    copies = uses = 1
    for one in frames[0]:
        if isinstance(one, Experts):
            copies, uses = copies * one.copies, uses * one.uses
    return scaled(row, 0 if shares else copies, uses)


@cache
def scaled(row: Signature, copies: int, uses: int) -> Signature:
    """The row of an operation that is there `copies` times (0: with weights that another one counts), and works
    `uses` times for one sample."""
    if copies == uses == 1:
        return row
    params = _times(copies, row.params) if copies else None
    return replace(row, params=params, macs=_times(uses, row.macs), copies=copies, uses=uses)


def _times(factor: int, rule: CostRule | None) -> CostRule | None:
    if rule is None or factor == 1:
        return rule
    return lambda arguments, inputs, output: factor * rule(arguments, inputs, output)
