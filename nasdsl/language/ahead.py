"""Which decisions a walk may still come to, without walking on: never too few, perhaps too many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from nasdsl.language.configuration import TOP, Closure, Configuration, Frames, Rest, Woven, join
from nasdsl.language.node import Node
from nasdsl.language.tree import Hole, Loop, Outer, Permute, Pick, Sequence, Use


class Opening(NamedTuple):
    """Where a term decides something: below the scope whose path is in cell `label`, at `key`. A single decision has
    its answer in `slot`. `top`: the cells are those of the top level."""

    label: int
    key: str
    slot: int | None
    top: bool


Known: TypeAlias = dict[int, tuple[Opening, ...]]  # by the identity of a term


def may_ask(known: Known, configuration: Configuration, path: str) -> bool:
    """Whether a walk that stands here may be asked for the answer at `path`. `known` keeps what terms decide."""
    return any(
        path == scope or path.startswith((f"{scope}/", f"{scope}["))
        for scope in _scopes(known, configuration)
    )


def _scopes(known: Known, configuration: Configuration) -> Iterator[str]:
    """The paths of all that is still to come, and of the arguments of blocks that are not decided yet."""
    rest, _, frames = configuration
    if rest is not None and type(rest.data) is Woven:
        for copy in frames:
            yield from _scopes(known, copy)
        rest, frames = rest.parent, _frames_of(configuration)
    while rest is not None:
        for term in _terms_of(rest):
            yield from _paths(known, term, frames, rest.depth)
        rest = rest.parent
    for frame in frames[TOP:]:
        for cell in frame:
            if type(cell) is Closure:
                yield from _paths(known, cell.term, frames, cell.depth)


def _frames_of(configuration: Configuration) -> Frames:
    """The frames of a walk; where copies go side by side, of the first."""
    rest, _, frames = configuration
    if rest is not None and type(rest.data) is Woven:
        return _frames_of(frames[0])
    return frames


def _terms_of(rest: Rest) -> tuple[Node, ...]:
    """What is left of the head of `rest`."""
    if isinstance(rest.term, Sequence):
        return rest.term.items[rest.data or 0 :]
    return (rest.term,)


def _paths(known: Known, term: Node, frames: Frames, depth: int) -> Iterator[str]:
    """Those of a term's decisions that have no answer yet. A scope that is not open yet lies in one that is."""
    if id(term) not in known:
        known[id(term)] = tuple(_openings(term))
    for label, key, slot, top in known[id(term)]:
        frame = frames[TOP if top else depth]
        scope = frame[label]
        if scope is not None and (slot is None or frame[slot] is None):
            yield join(scope.path, key)


def _openings(term: Node) -> Iterator[Opening]:
    waiting: list[tuple[object, bool]] = [(term, False)]
    while waiting:
        one, top = waiting.pop()
        if isinstance(one, dict):
            one = tuple(one.values())
        if isinstance(one, tuple):
            waiting += [(part, top) for part in one]
        if not isinstance(one, Node):
            continue
        if isinstance(one, Hole):
            yield Opening(one.label, one.key, one.slot, top)
        elif isinstance(one, Use | Loop | Permute | Pick):
            yield Opening(one.label, one.key, None, top)
        inner = one.arguments if isinstance(one, Use) else tuple(getattr(one, name) for name in one._fields)
        waiting.append((inner, top or isinstance(one, Outer)))
