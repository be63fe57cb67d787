"""`require` lines along a walk: what the answers given so far mean for them.

The state is as small as can be: two walks with equal states can be completed in the same ways. A
comparison of single answers is either still true or false for good; an aggregate keeps one number; only
what combines several names keeps their answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from nasdsl.language.conditions import (
    AGGREGATES,
    All,
    Any_,
    Asked,
    Compared,
    Condition,
    Fixed,
    Formula,
    Gathered,
    Worked,
    compare,
    holds,
    leaves,
    quantities_in,
    segments_of,
)
from nasdsl.language.decisions import Answer

# Of a comparison: False or True for good, or what its slots hold so far. Of all lines: one of each.
AtomState: TypeAlias = bool | tuple[Any, ...]
State: TypeAlias = tuple[AtomState, ...]
_MOST_PATHS = 100_000  # remembered


class _Slot:
    """A leaf of a comparison and how much of its answers must be kept.

    each     the distinct answers
    running  one number: the maximum, minimum or sum so far, or None
    listed   all answers, in an order of their own
    """

    def __init__(self, node: Condition, asked: Asked, how: str) -> None:
        self.node = node
        self.asked = asked
        self.how = how
        self.empty: Any = None if how == "running" else ()

    def added(self, kept: Any, answer: Any) -> Any:
        """What is kept once there is one more answer."""
        if self.how == "running":
            assert isinstance(self.node, Gathered)
            if not isinstance(answer, int | float) or isinstance(answer, bool):
                return kept
            return answer if kept is None else AGGREGATES[self.node.aggregate]([kept, answer])
        if self.how == "each" and answer in kept:
            return kept
        return tuple(sorted((*kept, answer), key=repr))

    def values(self, kept: Any) -> list[Any]:
        if self.how == "running":
            return [] if kept is None else [kept]
        return list(kept)


class _Atom:
    """One comparison: its slots, and when what it says is settled."""

    def __init__(self, compared: Compared, grows: bool) -> None:
        """`grows`: none of its numbers is below 0, so that a sum of them only grows."""
        self.compared = compared
        self.slots = [*_slots(compared.left), *_slots(compared.right)]
        self.has_quantity = bool(quantities_in(compared))
        gathers = any(slot.how != "each" for slot in self.slots)
        self.settles = not self.has_quantity and not gathers  # false for good, once false
        self.keeps = not (self.settles and len(self.slots) == 1)
        self.grows = grows
        self.bound = _bound_of(compared)
        self.start: AtomState = tuple(slot.empty for slot in self.slots) if self.keeps else ()

    def after(self, state: AtomState, segments: tuple[str, ...], answer: Answer) -> AtomState:
        if isinstance(state, bool):
            return state
        hits = [slot.asked.matches(segments) for slot in self.slots]
        if not any(hits):
            return state
        kept = state if self.keeps else tuple(slot.empty for slot in self.slots)
        kept = tuple(
            slot.added(k, slot.asked.meaning.get(answer, answer)) if hit else k
            for slot, k, hit in zip(self.slots, kept, hits, strict=True)
        )
        settled = self._settled(kept)
        if settled is not None:
            return settled
        return kept if self.keeps else ()

    def _settled(self, kept: tuple[Any, ...]) -> bool | None:
        if self.has_quantity:
            return None
        if self.settles:
            return None if self.holds(kept) else False
        if self.bound is None or kept[0] is None:
            return None
        gathered, operator, _ = self.bound
        now = self.holds(kept)
        rises = gathered.aggregate == "max" or (gathered.aggregate == "sum" and self.grows)
        falls = gathered.aggregate == "min"
        if (rises and operator in ("<", "<=")) or (falls and operator in (">", ">=")):
            return None if now else False
        if (rises and operator in (">", ">=")) or (falls and operator in ("<", "<=")):
            return True if now else None
        return None

    def holds(self, state: AtomState) -> bool:
        """Whether it holds if nothing more is answered."""
        if isinstance(state, bool):
            return state
        if not self.keeps and state == ():
            return True
        if self.bound is not None:  # the same as below, which is slow
            _, operator, right = self.bound
            return state[0] is None or compare(operator, state[0], right)
        found = {id(slot.node): slot.values(kept) for slot, kept in zip(self.slots, state, strict=True)}
        return holds(self.compared, found, {})


def _bound_of(compared: Compared) -> tuple[Gathered, str, Any] | None:
    """`max(w) <= 64`: the aggregate, the operator, and the number, which stands on the right."""
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
    left, operator, right = compared.left, compared.operator, compared.right
    if isinstance(left, Fixed):
        left, operator, right = right, turned.get(operator, operator), left
    if isinstance(left, Gathered) and isinstance(right, Fixed) and isinstance(left.operand, Asked):
        return left, operator, right.value
    return None


def _slots(node: Condition) -> list[_Slot]:
    match node:
        case Asked():
            return [_Slot(node, node, "each")]
        case Gathered(operand=Asked() as asked):
            return [_Slot(node, asked, "running")]
        case Gathered(operand=operand):
            return [_Slot(leaf, leaf, "listed") for leaf in leaves(operand)]
        case Worked(operands=operands):
            return [slot for operand in operands for slot in _slots(operand)]
        case _:
            return []


class Watch:
    """All lines of a space. `growing` says of a name whether all its numbers are 0 or more."""

    def __init__(self, lines: Sequence[Formula], growing: Mapping[str, bool]) -> None:
        self._lines = [(formula, self._atoms_of(formula, growing)) for formula in lines]
        self._atoms = [atom for _, atoms in self._lines for atom in atoms.values()]
        self._asked = [slot.asked for atom in self._atoms for slot in atom.slots]
        self._observed: dict[str, tuple[str, ...] | None] = {}
        self.start: State = tuple(atom.start for atom in self._atoms)

    def _atoms_of(self, formula: Formula, growing: Mapping[str, bool]) -> dict[int, _Atom]:
        if isinstance(formula, Compared):
            names = [leaf.name for leaf in leaves(formula)]
            return {id(formula): _Atom(formula, all(growing.get(name, False) for name in names))}
        found: dict[int, _Atom] = {}
        for part in formula.parts:
            found |= self._atoms_of(part, growing)
        return found

    def observes(self, path: str) -> bool:
        """Whether the answer at a path matters to any line."""
        return self._segments(path) is not None

    def _segments(self, path: str) -> tuple[str, ...] | None:
        if path not in self._observed:
            segments = segments_of(path)
            seen = any(asked.matches(segments) for asked in self._asked)
            if len(self._observed) > _MOST_PATHS:
                self._observed.clear()
            self._observed[path] = segments if seen else None
        return self._observed[path]

    def after(self, state: State, path: str, answer: Answer) -> State | None:
        """The state after one more answer; None where some line can no longer hold."""
        segments = self._segments(path)
        if segments is None:
            return state
        new = tuple(atom.after(old, segments, answer) for atom, old in zip(self._atoms, state, strict=True))
        return self._closed(new) if new != state else state

    def _closed(self, state: State) -> State | None:
        """A line that is settled forgets all else about its comparisons; None where one is broken."""
        at, closed = 0, list(state)
        for formula, atoms in self._lines:
            states = dict(zip(atoms, state[at : at + len(atoms)], strict=True))
            verdict = _verdict(formula, states)
            if verdict is False:
                return None
            if verdict is True:
                closed[at : at + len(atoms)] = [True] * len(atoms)
            at += len(atoms)
        return tuple(closed)

    def holds(self, state: State, otherwise: bool) -> bool:
        """Whether every line holds at the end of a walk, comparisons of quantities being `otherwise`."""
        at = 0
        for formula, atoms in self._lines:
            states = state[at : at + len(atoms)]
            truth = {
                key: otherwise if atom.has_quantity else atom.holds(s)
                for (key, atom), s in zip(atoms.items(), states, strict=True)
            }
            if not _truth(formula, truth):
                return False
            at += len(atoms)
        return True


def _verdict(formula: Formula, states: Mapping[int, AtomState]) -> bool | None:
    """True or False for good, or None (Kleene's logic)."""
    if isinstance(formula, Compared):
        state = states[id(formula)]
        return state if isinstance(state, bool) else None
    verdicts = [_verdict(part, states) for part in formula.parts]
    if isinstance(formula, All):
        return False if False in verdicts else (None if None in verdicts else True)
    assert isinstance(formula, Any_)
    return True if True in verdicts else (None if None in verdicts else False)


def _truth(formula: Formula, truth: Mapping[int, bool]) -> bool:
    if isinstance(formula, Compared):
        return truth[id(formula)]
    several = (_truth(part, truth) for part in formula.parts)
    return all(several) if isinstance(formula, All) else any(several)
