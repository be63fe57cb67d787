"""The decisions of a checked space by name: what `require` may speak of."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from nasdsl.language.conditions import segments_of
from nasdsl.language.decisions import Answer, Integers, Options, Reals
from nasdsl.language.node import Node
from nasdsl.language.tree import (
    ChoiceHole,
    Constant,
    Hole,
    Make,
    OptionalHole,
    Permute,
    Pick,
    RangeHole,
    Term,
    ValueTerm,
)


@dataclass
class Named:
    """What all decisions of one name offer together.

    `words` are the answers that are names; `meaning` the values of those that stand for a number;
    `unclear` one whose value is only known later. `least`: no number lies below; None: no such bound.
    """

    words: set[str] = field(default_factory=set)
    meaning: dict[Answer, Any] = field(default_factory=dict)
    unclear: Answer | None = None
    has_truth: bool = False
    has_numbers: bool = False
    least: float | None = 0.0

    @property
    def grows(self) -> bool:
        """Whether a sum of its numbers never falls."""
        return self.least is not None and self.least >= 0

    def offer(self, answer: Answer) -> None:
        """Note one answer."""
        if isinstance(answer, str):
            self.words.add(answer)
        elif isinstance(answer, bool):
            self.has_truth = True
        else:
            self.number(answer)

    def number(self, value: float | None) -> None:
        """Note a number, or the lower end of a range of them; None: an end that is not known."""
        self.has_numbers = True
        self.least = None if value is None or self.least is None else min(self.least, value)


@dataclass
class Vocabulary:
    """Decisions by their last name, and every name that stands anywhere in a path."""

    named: dict[str, Named] = field(default_factory=dict)
    segments: set[str] = field(default_factory=set)

    def note(self, key: str) -> Named:
        """The decisions called as the last name of a key."""
        segments = segments_of(key)
        self.segments |= set(segments)
        return self.named.setdefault(segments[-1], Named())


def vocabulary(program: Term) -> Vocabulary:
    """All decisions in a program and in the blocks that it uses."""
    found = Vocabulary({}, {"network", "train"})
    for node in every_node(program):
        match node:
            case Permute(members=members, optional=optional, key=key):
                for member in optional:
                    found.note(f"{key}/{member}").has_truth = True
                found.note(f"{key}/order").words |= set(members)
                found.segments |= set(members)
            case Pick(members=members, key=key):
                for member in members:
                    found.note(f"{key}/{member}").has_truth = True
            case Hole(key=key):
                _note_hole(found.note(key), node)
            case _:
                scope = getattr(node, "key", "")
                found.segments |= set(segments_of(scope)) if scope else set()
    return found


def every_node(program: Term, known: Container[int] = ()) -> Iterator[Node]:
    """Every term that can be reached, each once; of those with `known` ids, not what is in them."""
    waiting: list[object] = [program]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, tuple):
            waiting += one
        elif isinstance(one, Node) and id(one) not in seen:
            seen.add(id(one))
            yield one
            if id(one) in known:
                continue
            waiting += [getattr(one, name) for name in one._fields]


def _note_hole(named: Named, hole: Hole) -> None:
    match hole:
        case RangeHole(domain=Options(values=values)):
            for value in values:
                named.offer(value)
        case RangeHole(domain=domain):
            named.number(domain.low if isinstance(domain, Integers | Reals) else None)
        case OptionalHole():
            named.has_truth = True
        case ChoiceHole(options=options):
            for answer, term in options.items():
                named.offer(answer)
                _note_meaning(named, answer, term)


def _note_meaning(named: Named, answer: Answer, term: ValueTerm) -> None:
    """What an alternative that is written as a name or an expression stands for."""
    if isinstance(term, Constant):
        value: Any = term.value
        if isinstance(answer, str) and isinstance(value, int | float) and not isinstance(value, bool):
            named.meaning[answer] = value
            named.number(value)
    elif not isinstance(term, Make):
        named.unclear = answer
        named.number(None)
