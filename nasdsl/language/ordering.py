"""What `permute` and `pick` do next: which members take part, in which order, then each in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nasdsl.language.configuration import (
    YES_OR_NO,
    Ask,
    Configuration,
    Dead,
    Frames,
    Label,
    Pending,
    Rest,
    Step,
    Wire,
    wipe,
)
from nasdsl.language.decisions import Answer, Options
from nasdsl.language.machine import Machine
from nasdsl.language.tree import Permute, Pick


def permute(m: Machine, term: Permute, rest: Rest, wire: Wire, frames: Frames) -> Step:
    """`data` is (presence of the optional members so far, members picked so far, members run)."""
    present, picked, done = rest.data or ((), (), 0)
    label: Label = frames[rest.depth][term.label]

    def move(present: Any, picked: Any, done: int) -> Rest:
        return m.rest(term, rest.depth, (present, picked, done), rest.parent)

    def offer(key: str, kind: str, options: Options, after: Callable[[Answer], Rest]) -> Step:
        key = f"{term.key}/{key}"
        ask = Ask(label, key, key, kind, options, True, lambda a: (after(a), wire, frames))
        return m.offer(ask, rest.depth, term.slots[0], frames)

    if len(present) < len(term.optional):
        member = term.optional[len(present)]
        return offer(member, "optional", YES_OR_NO, lambda a: move((*present, a), picked, done))
    absent = {name for name, there in zip(term.optional, present, strict=True) if not there}
    names = [name for name in term.members if name not in absent]
    left = tuple(name for name in names if name not in picked)
    if len(left) == 1:
        return move(present, (*picked, left[0]), done), wire, frames
    if left:
        key = f"order[{len(picked)}]"
        equal = Options(left, (1.0,) * len(left))
        return offer(key, "order", equal, lambda a: move(present, (*picked, a), done))
    if done == len(picked):
        return rest.parent, wire, wipe(frames, rest.depth, term.slots)
    following = move(present, picked, done + 1)
    return m.rest(term.members[picked[done]], rest.depth, None, following), wire, frames


def pick(m: Machine, term: Pick, rest: Rest, wire: Wire, frames: Frames) -> Step:
    """`data` is (how many in all, included or not so far, members run)."""
    names = list(term.members)
    if rest.data is None:
        count = m.evaluate(term.count, frames, rest.depth)
        if type(count) is Pending:
            return m.ask(count, rest, wire, frames)
        if type(count) is not int or not 0 <= count <= len(names):
            raise Dead(f"`pick {count}` of {len(names)} members")
        return m.rest(term, rest.depth, (count, (), 0), rest.parent), wire, frames
    count, included, done = rest.data

    def move(included: Any, done: int) -> Rest:
        return m.rest(term, rest.depth, (count, included, done), rest.parent)

    missing = count - sum(included)
    left = len(names) - len(included)
    if left and missing in (0, left):
        return move((*included, missing == left), done), wire, frames
    if left:
        label: Label = frames[rest.depth][term.label]
        key = f"{term.key}/{names[len(included)]}"

        def resume(answer: Answer) -> Configuration:
            return move((*included, answer), done), wire, frames

        ask = Ask(label, key, key, "member", YES_OR_NO, True, resume)
        return m.offer(ask, rest.depth, term.slots[0], frames)
    if done == len(names):
        return rest.parent, wire, wipe(frames, rest.depth, term.slots)
    following = move(included, done + 1)
    if not included[done]:
        return following, wire, frames
    return m.rest(term.members[names[done]], rest.depth, None, following), wire, frames
