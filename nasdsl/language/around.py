"""An operation around a body: `widen`, `gate`, `adapter`. It reads its input and what the body gives.

The body of `widen` is a network of its own, of which there are several; that of the others stands in the network.
"""

from __future__ import annotations

from nasdsl.language.applying import arguments_of, counted, must
from nasdsl.language.configuration import Dead, Frames, Label, Pending, Rest, Step, Wire, join, set_cell, wipe
from nasdsl.language.machine import Machine
from nasdsl.language.shapes import Shape
from nasdsl.language.sharing import closed, opened
from nasdsl.language.signatures.signature import Arguments, ShapeError, ShapeRule
from nasdsl.language.signatures.structure import adapts_input, applications, copies_of
from nasdsl.language.tree import Around, Close


def around(m: Machine, term: Around, rest: Rest, wire: Wire, frames: Frames) -> Step:
    row = term.close.signature
    arguments = arguments_of(m, term.close.arguments, term.close.checks, frames, rest.depth)
    if isinstance(arguments, Pending):
        return m.ask(arguments, rest, wire, frames)
    frames = set_cell(frames, rest.depth, term.close.skip, wire)
    after = m.rest(term.close, rest.depth, None, rest.parent)
    body = m.rest(term.body, rest.depth, None, after)
    if m.blind:
        return body, wire, frames
    if row.inner is None:
        if adapts_input(arguments):
            wire, frames = _adapted_input(m, term.close, arguments, wire, rest.depth, frames)
        return body, wire, frames
    label: Label = frames[rest.depth][term.close.label]
    inner = _worked_out(row.inner, arguments, wire.shape)
    uses = applications(arguments, wire.shape) if wire.shape.concrete else 1
    frames = opened(row.name, copies_of(arguments), uses, frames)
    return body, m.recorder.open_body(label.place, inner), frames


def close(m: Machine, term: Close, rest: Rest, wire: Wire, frames: Frames) -> Step:
    row, skipped = term.signature, frames[rest.depth][term.skip]
    if m.blind:
        return rest.parent, wire, wipe(frames, rest.depth, term.slots)
    arguments = arguments_of(m, term.arguments, term.checks, frames, rest.depth)
    assert not isinstance(arguments, Pending)  # `around` has asked them all
    if adapts_input(arguments):
        return rest.parent, wire, wipe(frames, rest.depth, term.slots)
    built = None
    if row.inner is not None:
        built, frames = closed(frames)
    assert row.shape is not None
    shape = _worked_out(row.shape, arguments, skipped.shape, wire.shape)
    label: Label = frames[rest.depth][term.label]
    place = join(label.place, term.key)
    out, frames = counted(m, row, arguments, (skipped, wire), shape, place, frames, built=built)
    return rest.parent, out, wipe(frames, rest.depth, term.slots)


def _adapted_input(
    m: Machine, term: Close, arguments: Arguments, wire: Wire, depth: int, frames: Frames
) -> tuple[Wire, Frames]:
    """The adapter stands before its body, on its input alone."""
    assert term.signature.shape is not None
    shape = _worked_out(term.signature.shape, arguments, wire.shape, wire.shape)
    place = join(frames[depth][term.label].place, term.key)
    return counted(m, term.signature, arguments, (wire, wire), shape, place, frames)


def _worked_out(rule: ShapeRule, arguments: Arguments, *shapes: Shape) -> Shape:
    try:
        return rule(arguments, shapes, must)
    except ShapeError as error:
        raise Dead(str(error), error.help) from None
