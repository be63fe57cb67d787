"""What a check learns of each place of a file beside its problems; editors ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from nasdsl.language.errors import NOWHERE, Span
from nasdsl.language.shapes import Shape, hull_shape

# All shapes that a wire can have: at most one (as intervals) for each meaning of the axes.
_Wires: TypeAlias = Mapping[str, Shape]


@dataclass
class Facts:
    """`references`: where the name that begins at an offset was declared. `candidates`: what could
    stand in place of the unknown name at an offset. `flows`: what shapes come into a statement and
    out of it, over all points and all uses of its block."""

    references: dict[int, Span] = field(default_factory=dict)
    candidates: dict[int, tuple[str, ...]] = field(default_factory=dict)
    flows: dict[Span, tuple[_Wires, _Wires]] = field(default_factory=dict)

    def could_be(self, span: Span, names: Iterable[str]) -> None:
        """Note what could stand at a place; several rules may have a say."""
        known = self.candidates.get(span.start, ())
        self.candidates[span.start] = tuple(dict.fromkeys([*known, *names]))

    def flow(self, span: Span, before: _Wires, after: _Wires) -> None:
        """Note one passage through a statement."""
        if span != NOWHERE:
            known = self.flows.get(span, ({}, {}))
            self.flows[span] = (_both(known[0], before), _both(known[1], after))


def _both(known: _Wires, more: _Wires) -> _Wires:
    """The smallest shapes that hold both; those that cannot be held by one stay apart."""
    joined = dict(known)
    for layout, shape in more.items():
        joined[layout] = hull_shape(joined.get(layout, shape), shape) or shape
    return joined
