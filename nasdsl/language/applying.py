"""An operation meets the wire: its arguments, its shape, and whether it fits."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from nasdsl.language.configuration import Dead, Frames, Label, Pending, Rest, Step, Wire, join, wipe
from nasdsl.language.machine import Machine
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.sharing import as_counted, weights_of
from nasdsl.language.signatures.signature import Argument, ShapeError, Signature
from nasdsl.language.signatures.weighing import PLAIN_WEIGHT, need_weight
from nasdsl.language.tree import Apply, ApplyValue, ValueTerm


def apply(m: Machine, term: Apply, rest: Rest, wire: Wire, frames: Frames) -> Step:
    arguments: Mapping[str, Value] | None = term.constant
    if arguments is None:
        found = arguments_of(m, term.arguments, term.checks, frames, rest.depth)
        if isinstance(found, Pending):
            return m.ask(found, rest, wire, frames)
        arguments = found
    label: Label = frames[rest.depth][term.label]
    out, frames = layer(m, term.signature, arguments, wire, join(label.place, term.key), frames)
    return rest.parent, out, wipe(frames, rest.depth, term.slots)


def arguments_of(
    m: Machine,
    terms: tuple[tuple[str, ValueTerm], ...],
    checks: tuple[Argument, ...],
    frames: Frames,
    depth: int,
) -> dict[str, Value] | Pending:
    """The values of all arguments, or the first that waits for a hole. Raises Dead out of range."""
    arguments: dict[str, Value] = {}
    for name, argument in terms:
        value = m.evaluate(argument, frames, depth)
        if type(value) is Pending:
            return value
        arguments[name] = value
    m.suit(arguments, checks)
    return arguments


def apply_value(m: Machine, term: ApplyValue, rest: Rest, wire: Wire, frames: Frames) -> Step:
    value = m.evaluate(term.value, frames, rest.depth)
    if type(value) is Pending:
        return m.ask(value, rest, wire, frames)
    if value is None:
        return rest.parent, wire, frames
    if not isinstance(value, Spec):  # a parameter that is used as an operation, and was given a number
        raise Dead(f"`{value}` is a value, and stands where an operation is expected")
    if m.signatures[value.name].arity != (1, 1):
        raise Dead(f"`{value.name}` joins several wires, and one flows here")
    label: Label = frames[rest.depth][term.label]
    place = join(label.place, term.key)
    out, frames = layer(m, m.signatures[value.name], value.arguments, wire, place, frames)
    return rest.parent, out, wipe(frames, rest.depth, term.slots)


def layer(
    m: Machine, signature: Signature, arguments: Mapping[str, Value], wire: Wire, place: str, frames: Frames
) -> tuple[Wire, Frames]:
    """One operation on the wire. Raises Dead where it does not fit."""
    if m.blind:
        return wire, frames
    key = (signature.name, wire.shape, *(arguments[name] for name in signature.shaping))
    shape = m.shapes.get(key)
    if shape is None:
        shape = m.shapes[key] = _shape(signature, arguments, wire.shape)
    if isinstance(shape, ShapeError):
        raise Dead(str(shape), shape.help)
    _refuse_misfit(signature, arguments, wire.shape, shape)
    return counted(m, signature, arguments, (wire,), shape, place, frames)


def counted(
    m: Machine,
    signature: Signature,
    arguments: Mapping[str, Value],
    wires: tuple[Wire, ...],
    shape: Shape,
    place: str,
    frames: Frames,
    inserted: bool = False,
    built: Hashable = None,
) -> tuple[Wire, Frames]:
    """Tell of an operation that fits, with the costs that it has in this place. The wire that it is made for
    comes first; `built` is what its body is made of."""
    source = wires[0].shape
    shares, frames = weights_of(signature, arguments, source, shape, place, frames, built)
    if m.on_layer is not None:
        m.on_layer(as_counted(signature, shares, frames), arguments, source, shape)
    if signature.inner is not None:
        out = m.recorder.close_body(place, signature.name, arguments, wires, shape, shares)
        return out.after(wires[0].before), frames
    return m.record(place, signature.name, arguments, wires, shape, inserted, shares), frames


def _refuse_misfit(
    signature: Signature, arguments: Mapping[str, Value], source: Shape, target: Shape
) -> None:
    """Raise Dead where the weight method does not fit the matrices of an operation."""
    if arguments.get("weight", PLAIN_WEIGHT) == PLAIN_WEIGHT:
        return
    try:
        need_weight(signature.name, arguments, (source,), target, must)
    except ShapeError as error:
        raise Dead(str(error), error.help) from None


def _shape(signature: Signature, arguments: Mapping[str, Value], source: Shape) -> Shape | ShapeError:
    """The output of an operation, or why it does not fit."""
    assert signature.shape is not None, signature.name
    try:
        return signature.shape(arguments, (source,), must)
    except ShapeError as error:
        return error


def must(condition: bool | None, message: str, help: str) -> None:
    if not condition:
        raise ShapeError(message, help)
