"""What a check learns of each place of a file beside its problems; editors ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from nasdsl.language.errors import NOWHERE, Source, Span
from nasdsl.language.shapes import Shape, hull_shape
from nasdsl.language.signatures.signature import Argument, Signature

# All shapes that a wire can have: at most one (as intervals) for each meaning of the axes.
_Wires: TypeAlias = Mapping[str, Shape]


@dataclass
class Facts:
    """`references`: where the name that begins at an offset was declared. `rows`, `arguments`: of
    which operation a call or a setting there is, and of which argument. `candidates`: what could
    stand in place of an unknown name. `flows`: what shapes come into a statement and
    out of it, over all points and all uses of its block. `unsteady`: statements that may give another shape than
    they get, as far as each passage tells."""

    place: Callable[[Span], tuple[Source, Span]] | None = None  # which file a span lies in, and where
    references: dict[int, Span] = field(default_factory=dict)
    rows: dict[int, Signature] = field(default_factory=dict)
    arguments: dict[int, Argument] = field(default_factory=dict)
    candidates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    flows: dict[Span, tuple[_Wires, _Wires]] = field(default_factory=dict)
    unsteady: set[Span] = field(default_factory=set)

    def declared(self, offset: int) -> tuple[Source, Span] | None:
        """Where the name that begins at an offset was declared, be it in an imported file."""
        span = self.references.get(offset)
        return self.place(span) if span is not None and self.place is not None else None

    def could_be(self, name: str, known: Iterable[str]) -> None:
        """Note what an unknown name could be; several rules may have a say."""
        before = self.candidates.get(name, ())
        self.candidates[name] = tuple(dict.fromkeys([*before, *known]))

    def flow(self, span: Span, before: _Wires, after: _Wires) -> None:
        """Note one passage through a statement."""
        if span != NOWHERE:
            known = self.flows.get(span, ({}, {}))
            self.flows[span] = (_both(known[0], before), _both(known[1], after))
            if before != after or not all(shape.concrete for shape in after.values()):
                self.unsteady.add(span)


def _both(known: _Wires, more: _Wires) -> _Wires:
    """The smallest shapes that hold both; those that cannot be held by one stay apart."""
    joined = dict(known)
    for layout, shape in more.items():
        joined[layout] = hull_shape(joined.get(layout, shape), shape) or shape
    return joined
