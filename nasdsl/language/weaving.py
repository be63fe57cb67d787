"""The copies of a tied repeat side by side: one answer goes to all of them at once.

Copy after copy, each answer has to be kept until the last copy has replayed it, so that no two points ever come to
the same place, and what they cost can only be found point by point. Side by side nothing is kept: the cost of an
answer is what it costs in all copies together, and a cell that is copied 15 times is as quick to count as one.

A copy begins on the wire that the one before it ends with. That wire is found beforehand, by answering in two ways;
where all copies have ended it is compared with what came out. `Unwoven` is raised where they differ, or where a copy
that may have been begun on a wrong wire does not fit: the space is then walked copy after copy.
"""

from __future__ import annotations

from typing import Any

from nasdsl.language.ahead import may_ask
from nasdsl.language.configuration import (
    Ask,
    Configuration,
    Dead,
    Frames,
    Label,
    Rest,
    Step,
    Wire,
    Woven,
    join,
    set_cell,
    wipe,
)
from nasdsl.language.decisions import Answer, Integers, Options, Reals
from nasdsl.language.machine import Machine
from nasdsl.language.tree import Loop, Statement
from nasdsl.language.vocabulary import every_node

_MOST_COPIES = 64


class Unwoven(Exception):
    """The copies of a repeat do not go side by side."""


def can_weave(program: Statement) -> bool:
    """Whether there is any repeat to try it on."""
    return any(isinstance(one, Loop) and one.tied and not one.shared for one in every_node(program))


def weave(m: Machine, term: Loop, rest: Rest, wire: Wire, frames: Frames, copies: int) -> Step | None:
    """Begin all copies at once; None where they are to go one after another."""
    if not m.weaves or term.shared or copies > _MOST_COPIES or any(tape.shared for tape in frames[0]):
        return None
    begun = [entered(m, term, rest.depth, number, frames) for number in range(copies)]
    wires = _wires(m, term, rest.depth, wire, begun)
    if wires is None:
        return None
    body = m.rest(term.body, rest.depth, None, None)
    starts = tuple((body, one, frames) for one, frames in zip(wires, begun, strict=True))
    return m.rest(term, rest.depth, Woven(wires), rest.parent), wire, starts


def entered(m: Machine, term: Loop, depth: int, number: int, frames: Frames) -> Frames:
    """The frames at the beginning of a copy."""
    outer: Label = frames[depth][term.label]
    copy = f"{term.key}[{number}]"
    path = join(outer.path, term.key if term.tied else copy)
    label = Label(path, join(outer.place, copy), join(outer.site, f"{term.key}[]"), number)
    frames = set_cell(frames, depth, term.copy_label, label)
    return frames if term.index is None else set_cell(frames, depth, term.index, number + 1)


def _wires(m: Machine, term: Loop, depth: int, wire: Wire, begun: list[Frames]) -> list[Wire] | None:
    """The wire on which each copy begins, where no answer seems to change it."""
    wires = [wire]
    for frames in begun[:-1]:
        copy = m.rest(term.body, depth, None, None), wires[-1], frames
        first, last = _end(m, copy, False), _end(m, copy, True)
        if first is None or first != last:
            return None
        wires.append(first)
    return wires


def _end(m: Machine, copy: Configuration, last: bool) -> Wire | None:
    """What a copy ends with under its first or last answers; None where it does not fit."""
    counted, m.on_layer = m.on_layer, None
    try:
        while True:
            (_, wire, _), ask = m.run(copy)
            if ask is None:
                return wire
            copy = ask.resume(_last(ask) if last else ask.first())
    except Dead:
        return None
    finally:
        m.on_layer = counted


def _last(ask: Ask) -> Answer:
    match ask.domain:
        case Options(values=values):
            return values[-1]
        case Integers(low=low, high=high, step=step):
            return low + (high - low) // step * step
        case Reals(high=high):
            return high


def go_on(m: Machine, term: Loop, rest: Rest, copies: Frames) -> Step:
    """All copies up to what they ask next, or to their end. The answer goes to all that ask the same; one that stands
    elsewhere waits, and must not come to the same question later."""
    reached = [m.run(copies[0])]
    try:
        reached += [m.run(copy) for copy in copies[1:]]
    except Dead:
        raise Unwoven from None
    nodes = tuple(node for node, _ in reached)
    if any(node is not copy for node, copy in zip(nodes, copies, strict=True)):
        return rest, rest.data[0], nodes
    asks = [ask for _, ask in reached]
    if not any(asks):
        return _end_all(term, rest, copies)
    first = _next(m, nodes, asks)
    together = [ask is not None and _same(ask, first) for ask in asks]

    def resume(answer: Answer) -> Configuration:
        after = (
            ask.resume(answer) if ask is not None and asked else node
            for node, ask, asked in zip(nodes, asks, together, strict=True)
        )
        return rest, rest.data[0], tuple(after)

    structural = any(
        ask.structural for ask, asked in zip(asks, together, strict=True) if ask is not None and asked
    )
    return first._replace(structural=structural, resume=resume)


def _next(m: Machine, nodes: tuple[Configuration, ...], asks: list[Ask | None]) -> Ask:
    """A question that no copy can come to later."""
    for first in asks:
        if first is None:
            continue
        path = join(first.label.path, first.key)
        waiting = (
            node for node, ask in zip(nodes, asks, strict=True) if ask is not None and not _same(ask, first)
        )
        if not any(may_ask(m.openings, node, path) for node in waiting):
            return first
    raise Unwoven


def _same(one: Ask, other: Ask) -> bool:
    return (one.label.path, one.key, one.domain) == (other.label.path, other.key, other.domain)


def _end_all(term: Loop, rest: Rest, copies: Frames) -> Step:
    """The copies have ended: the last one's wire goes on, if each began on what the one before it ended with."""
    wires = [wire for _, wire, _ in copies]
    if tuple(wires[:-1]) != tuple(rest.data[1:]):
        raise Unwoven
    left = [wipe(frames, rest.depth, term.inner) for _, _, frames in copies]
    return rest.parent, wires[-1], _merged(left)


def _merged(several: list[Frames]) -> Frames:
    """The frames that copies have left together: what some have decided around the repeat, and no other otherwise."""
    if any(frames[0] != several[0][0] for frames in several):
        raise Unwoven
    around = zip(*(frames[1:] for frames in several), strict=True)
    return (several[0][0], *(tuple(map(_one, zip(*frames, strict=True))) for frames in around))


def _one(cells: tuple[Any, ...]) -> Any:
    """What a cell holds in all copies that have come to it."""
    held = [cell for cell in cells if cell is not None]
    if any(cell != held[0] for cell in held):
        raise Unwoven
    return held[0] if held else None
