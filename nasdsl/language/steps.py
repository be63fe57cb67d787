"""What each statement does next: one plain function per kind of statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nasdsl.language.adapting import same_shape
from nasdsl.language.answers import answer
from nasdsl.language.applying import apply, apply_value
from nasdsl.language.around import around, close
from nasdsl.language.configuration import (
    MAX_COPIES,
    Closure,
    Configuration,
    Dead,
    Frames,
    Label,
    LimitError,
    Pending,
    Rest,
    Step,
    Tape,
    Wire,
    Woven,
    set_cell,
    wipe,
)
from nasdsl.language.joining import feed, inputs, join_wires, keep, merge, previous, remember, residual
from nasdsl.language.kinds import is_whole
from nasdsl.language.machine import Machine
from nasdsl.language.ordering import permute, pick
from nasdsl.language.tree import (
    Apply,
    ApplyValue,
    Around,
    Assign,
    Branch,
    Close,
    Enter,
    Feed,
    Finish,
    Fork,
    Inputs,
    Join,
    Keep,
    Leave,
    Loop,
    Merge,
    Open,
    Permute,
    Pick,
    Previous,
    Refuse,
    Remember,
    Residual,
    Sequence,
    Statement,
    Use,
)
from nasdsl.language.weaving import entered, go_on, weave

MAX_USES = 300  # blocks open inside one another


def sequence(m: Machine, term: Sequence, rest: Rest, wire: Wire, frames: Frames) -> Step:
    """`data` counts the statements that are done."""
    at = rest.data or 0
    items = term.items
    if at == len(items):
        return rest.parent, wire, wipe(frames, rest.depth, term.slots)
    is_last = at + 1 == len(items) and term.slots[0] == term.slots[1]
    following = rest.parent if is_last else m.rest(term, rest.depth, at + 1, rest.parent)
    return m.step(items[at], m.rest(items[at], rest.depth, None, following), wire, frames)


def fork(m: Machine, term: Fork, rest: Rest, wire: Wire, frames: Frames) -> Step:
    answer = frames[rest.depth][term.hole.slot]
    if answer is None:
        return m.ask(Pending(term.hole, rest.depth), rest, wire, frames)
    return _go(m, term.bodies[answer], rest, wire, wipe(frames, rest.depth, term.slots))


def branch(m: Machine, term: Branch, rest: Rest, wire: Wire, frames: Frames) -> Step:
    holds = m.evaluate(term.condition, frames, rest.depth)
    if type(holds) is Pending:
        return m.ask(holds, rest, wire, frames)
    body = term.then if holds else term.otherwise
    return _go(m, body, rest, wire, wipe(frames, rest.depth, term.slots))


def _go(m: Machine, body: Statement | None, rest: Rest, wire: Wire, frames: Frames) -> Configuration:
    """On with `body` in the place of the head of `rest`."""
    if body is None:
        return rest.parent, wire, frames
    return m.rest(body, rest.depth, None, rest.parent), wire, frames


def loop(m: Machine, term: Loop, rest: Rest, wire: Wire, frames: Frames) -> Step:
    """`data` is (copies left, all copies); the latter only where the index is read, so that what
    follows the k-th copy from the end is the same for every count; or Woven, all copies at once."""
    depth = rest.depth
    if type(rest.data) is Woven:
        return go_on(m, term, rest, frames)
    if rest.data is None:
        count = m.evaluate(term.count, frames, depth)
        if type(count) is Pending:
            return m.ask(count, rest, wire, frames)
        left, number = _whole_count(count), 0
        frames = wipe(frames, depth, term.slots)
        woven = weave(m, term, rest, wire, frames, left) if left and _records(m, term) else None
        if woven is not None:
            return woven
        if _records(m, term) and left:
            base = frames[depth][term.label].inner(term.key)
            tape = Tape(depth, term.inner, base, shared=term.shared, apart=term.apart)
            frames = ((*frames[0], tape), *frames[1:])
    else:
        left, number = rest.data[0], frames[depth][term.copy_label].copy + 1
        frames = wipe(frames, depth, (term.inner[0] + 1, term.inner[1])) if left else frames
        if number == 1 and _records(m, term):
            frames = ((*frames[0][:-1], frames[0][-1]._replace(again=True)), *frames[1:])
    if left == 0 or (number and term.tied and not _records(m, term)):
        return rest.parent, wire, _leave_loop(m, term, depth, number, frames)
    total = left + number if term.index is not None else None
    following = m.rest(term, depth, (left - 1, total), rest.parent)
    frames = entered(m, term, depth, number, frames)
    return m.rest(term.body, depth, None, following), wire, frames


def _records(m: Machine, term: Loop) -> bool:
    """Whether later copies have to be told what the first decided: not where they are left out."""
    return term.tied and not (m.blind and term.is_settled)


def _whole_count(count: Any) -> int:
    if not is_whole(count) or count < 0:
        raise Dead(f"`repeat` needs a whole count of 0 or more, not {count}")
    if count > MAX_COPIES:
        raise LimitError(f"`repeat` of {count} copies is above the limit of {MAX_COPIES} in one point")
    return int(count)


def _leave_loop(m: Machine, term: Loop, depth: int, copies: int, frames: Frames) -> Frames:
    if copies and _records(m, term):
        frames = (frames[0][:-1], *frames[1:])
    return wipe(frames, depth, term.inner)


def use(m: Machine, term: Use, rest: Rest, wire: Wire, frames: Frames) -> Step:
    """Opens a frame. Arguments are call by need: one that waits for a hole goes in as a closure."""
    definition, depth = term.definition, rest.depth
    if len(frames) > MAX_USES:
        raise LimitError(f"block `{definition.name}`: {MAX_USES} uses inside one another is the limit")
    label = frames[depth][term.label].inner(term.key)
    cells: list[Any] = [label]
    for argument in term.arguments:
        value = m.evaluate(argument, frames, depth)
        cells.append(Closure(argument, depth) if type(value) is Pending else value)
    cells += [None] * (definition.frame_size - len(cells))
    assert definition.body is not None
    frames = set_cell(frames, depth, term.inner_label, label)
    after = m.rest(term.leave, depth, None, rest.parent)
    return m.rest(definition.body, len(frames), None, after), wire, (*frames, tuple(cells))


def leave(m: Machine, term: Leave, rest: Rest, wire: Wire, frames: Frames) -> Step:
    return rest.parent, wire, wipe(frames[:-1], rest.depth, term.slots)


def assign(m: Machine, term: Assign, rest: Rest, wire: Wire, frames: Frames) -> Step:
    value = m.evaluate(term.value, frames, rest.depth)
    if type(value) is Pending:
        return m.ask(value, rest, wire, frames)
    if value is not None:
        settled = {term.name: value}
        m.suit(settled, () if term.checked is None else (term.checked,))
        m.recorder.setting(term.name, settled[term.name])
    return rest.parent, wire, wipe(frames, rest.depth, term.slots)


def refuse(m: Machine, term: Refuse, rest: Rest, wire: Wire, frames: Frames) -> Step:
    raise Dead(term.message)


def enter(m: Machine, term: Enter, rest: Rest, wire: Wire, frames: Frames) -> Step:
    label: Label = frames[rest.depth][0]
    return rest.parent, wire, set_cell(frames, rest.depth, term.label, label.inner(term.key))


def open_let(m: Machine, term: Open, rest: Rest, wire: Wire, frames: Frames) -> Step:
    value = m.evaluate(term.value, frames, rest.depth)
    if type(value) is Pending:
        return m.ask(value, rest, wire, frames)
    m.recorder.let(term.name, value)
    return rest.parent, wire, frames


def finish(m: Machine, term: Finish, rest: Rest, wire: Wire, frames: Frames) -> Step:
    if m.blind:
        return rest.parent, wire, frames
    for name, cell in term.outputs.items():
        m.recorder.output(name, frames[rest.depth][cell])
    if term.outputs:
        return rest.parent, wire, frames
    wanted = answer(m.quantities)
    if same_shape(wire.shape, wanted) is False:
        raise Dead(f"the network ends with {wire.shape}, and the task asks for {wanted}")
    m.recorder.output("output", wire)
    return rest.parent, wire, frames


STEPS: Mapping[type, Callable[[Machine, Any, Rest, Wire, Frames], Step]] = MappingProxyType(
    {
        Sequence: sequence,
        Apply: apply,
        ApplyValue: apply_value,
        Fork: fork,
        Branch: branch,
        Loop: loop,
        Use: use,
        Leave: leave,
        Refuse: refuse,
        Residual: residual,
        Merge: merge,
        Around: around,
        Close: close,
        Keep: keep,
        Join: join_wires,
        Feed: feed,
        Previous: previous,
        Remember: remember,
        Inputs: inputs,
        Permute: permute,
        Pick: pick,
        Assign: assign,
        Open: open_let,
        Finish: finish,
        Enter: enter,
    }
)
