"""What the wires of a graph do: kept, chosen, joined, brought to a shape."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nasdsl.language.adapting import adapt, same_shape
from nasdsl.language.applying import counted, must
from nasdsl.language.configuration import Dead, Frames, Label, Pending, Rest, Step, Wire, join, set_cell, wipe
from nasdsl.language.machine import Machine
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import ShapeError
from nasdsl.language.tree import Feed, Inputs, Join, Keep, Merge, Part, Previous, Remember, Residual, Sources


def residual(m: Machine, term: Residual, rest: Rest, wire: Wire, frames: Frames) -> Step:
    frames = set_cell(frames, rest.depth, term.skip, wire)
    after = m.rest(term.merge, rest.depth, None, rest.parent)
    return m.rest(term.body, rest.depth, None, after), wire, frames


def merge(m: Machine, term: Merge, rest: Rest, wire: Wire, frames: Frames) -> Step:
    if m.blind:
        return rest.parent, wire, wipe(frames, rest.depth, term.slots)
    skipped: Wire = frames[rest.depth][term.skip]
    label: Label = frames[rest.depth][term.label]
    place = join(label.place, term.key)
    if not same_shape(skipped.shape, wire.shape):
        shortcut = m.evaluate(term.shortcut, frames, rest.depth)
        if type(shortcut) is Pending:
            return m.ask(shortcut, rest, wire, frames)
        beside, marks = f"{place}/shortcut", term.marks if shortcut == "project" else {}
        skipped, frames = _adapted(m, shortcut, skipped, wire.shape, beside, frames, marks=marks)
    out = m.record(f"{place}/add", "add", {}, (wire, skipped), wire.shape)
    return rest.parent, out, wipe(frames, rest.depth, term.slots)


def _adapted(
    m: Machine,
    shortcut: str,
    wire: Wire,
    to: Shape,
    place: str,
    frames: Frames,
    what: str = "residual",
    marks: Mapping[str, Value] = MappingProxyType({}),
) -> tuple[Wire, Frames]:
    """The input of a residual, or of the cell before, brought visibly to another shape; `marks` are arguments that
    come from what is around it."""
    try:
        op, arguments = adapt(shortcut, wire.shape, to, must, what)
    except ShapeError as error:
        raise Dead(str(error), error.help) from None
    return counted(m, m.signatures[op], {**arguments, **marks}, (wire,), to, place, frames, inserted=True)


def keep(m: Machine, term: Keep, rest: Rest, wire: Wire, frames: Frames) -> Step:
    return rest.parent, wire, set_cell(frames, rest.depth, term.cell, wire)


def join_wires(m: Machine, term: Join, rest: Rest, wire: Wire, frames: Frames) -> Step:
    """`data` is (the parts that take part, how many of them have begun)."""
    depth, parts = rest.depth, term.sources.parts
    if rest.data is None:
        taking_part = _chosen(m, term.sources, frames, depth)
        if isinstance(taking_part, Pending):
            return m.ask(taking_part, rest, wire, frames)
        chosen, begun = taking_part, 0
        if term.is_graph:
            m.read(len(chosen), wire, frames[depth][term.label])
        frames = _noted(m, [parts[number] for number in chosen], depth, frames)
    else:
        chosen, begun = rest.data
        frames = set_cell(frames, depth, parts[chosen[begun - 1]].out, wire)
    if begun == len(chosen):
        wires = tuple(frames[depth][parts[number].out] for number in chosen)
        joined = _joined(m, term, wires, frames[depth][term.label])
        return rest.parent, joined, wipe(frames, depth, term.slots)
    part = parts[chosen[begun]]
    following = m.rest(term, depth, (chosen, begun + 1), rest.parent)
    source: Wire = frames[depth][part.source]
    if part.body is None:
        return following, source, frames
    return m.rest(part.body, depth, None, following), source, frames


def _chosen(m: Machine, sources: Sources, frames: Frames, depth: int) -> tuple[int, ...] | Pending:
    """The parts that take part, in the order written. Raises Dead where there are not as many as a count says,
    or one would be read twice."""
    frame, numbers, picked = frames[depth], list(sources.sure), list[int]()
    for one in sources.choosings:
        count = next(iter(one.subsets)) if one.count is None else m.evaluate(one.count, frames, depth)
        if type(count) is Pending:
            return count
        subset = one.subsets.get(count)
        if subset is None:
            raise Dead(f"`any({count}, …)` picks of fewer wires, or of none")
        slot: int = subset.hole.slot
        answer = frame[slot]
        if answer is None:
            return Pending(subset.hole, depth)
        picked += subset.chosen[answer]
    numbers = [n for n in numbers if not _is_spent(sources.parts[n], frame)]
    spare = {sources.parts[n].source for n in numbers if sources.parts[n].spare}
    if any(sources.parts[n].source in spare for n in picked):
        raise Dead("`any` picks a wire that `unused` reads beside it")
    return tuple(sorted(numbers + picked))


def _is_spent(part: Part, frame: tuple[Any, ...]) -> bool:
    """Whether a part that stands for what nobody has read has been read."""
    return part.spare and part.read is not None and bool(frame[part.read])


def _noted(m: Machine, parts: list[Part], depth: int, frames: Frames) -> Frames:
    """The frames that know of the wires that are read, where somebody asks and it makes a difference."""
    for part in parts:
        if part.read is not None and (part.decides or not m.blind):
            frames = set_cell(frames, depth, part.read, True)
    return frames


def feed(m: Machine, term: Feed, rest: Rest, wire: Wire, frames: Frames) -> Step:
    depth = rest.depth
    chosen = _chosen(m, term.sources, frames, depth)
    if isinstance(chosen, Pending):
        return m.ask(chosen, rest, wire, frames)
    parts = [term.sources.parts[number] for number in chosen]
    m.read(len(parts), wire, frames[depth][term.label])
    frames = _noted(m, parts, depth, frames)
    wires: list[Wire] = [frames[depth][part.source] for part in parts]
    for cell, one in zip(term.into, wires, strict=True):
        frames = set_cell(frames, depth, cell, one)
    return rest.parent, wires[0], wipe(frames, depth, term.slots)


def previous(m: Machine, term: Previous, rest: Rest, wire: Wire, frames: Frames) -> Step:
    depth = rest.depth
    found = wire if m.blind or wire.before is None else wire.before
    if not m.blind and not same_shape(found.shape, wire.shape):
        shortcut = m.evaluate(term.shortcut, frames, depth)
        if type(shortcut) is Pending:
            return m.ask(shortcut, rest, wire, frames)
        label: Label = frames[depth][term.label]
        place = join(label.place, term.key)
        found, frames = _adapted(m, shortcut, found, wire.shape, place, frames, "cell")
    return rest.parent, wire, set_cell(frames, depth, term.cell, found)


def remember(m: Machine, term: Remember, rest: Rest, wire: Wire, frames: Frames) -> Step:
    if m.blind:
        return rest.parent, wire, frames
    given: Wire = frames[rest.depth][term.given]
    return rest.parent, wire.after(given.after(None)), frames


def inputs(m: Machine, term: Inputs, rest: Rest, wire: Wire, frames: Frames) -> Step:
    first = wire
    for number, (name, cell) in enumerate(term.cells.items()):
        one = m.inputs[name] if len(term.cells) > 1 else wire
        first = first if number else one
        frames = set_cell(frames, rest.depth, cell, one)
    return rest.parent, first, frames


def _joined(m: Machine, term: Join, wires: tuple[Wire, ...], label: Label) -> Wire:
    if len(wires) == 1 or m.blind:
        return wires[0]
    row = term.merge
    assert row.shape is not None
    try:
        shape = row.shape(term.arguments, tuple(wire.shape for wire in wires), must)
    except ShapeError as error:
        raise Dead(str(error), error.help) from None
    return m.record(join(label.place, term.key), row.name, term.arguments, wires, shape)
