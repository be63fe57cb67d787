"""A draft: a point that was not walked yet.

An edit of one decision that opens nothing changes one answer and needs no walk, which makes hundreds of
candidates cheap. Whatever is proposed in the end is walked, so a draft that was wrong about the space
costs nothing but its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nasdsl.language.decisions import Answer, Decision
from nasdsl.language.moves import is_open
from searchers.encode import copies_of
from searchers.prior import has_prior


class Opened:
    """What one walk opened, as all edits of it that open nothing share it.

    `open`: the decisions with something to choose; `preferring`: those with a prior of the author's;
    `copies`: outermost repeat -> number of its copies.
    """

    __slots__ = ("_leaves", "copies", "decisions", "open", "preferring")

    def __init__(self, decisions: tuple[Decision, ...]) -> None:
        self.decisions = decisions
        self.open = [decision for decision in decisions if is_open(decision.domain)]
        self.preferring = [decision for decision in decisions if has_prior(decision)]
        self.copies = copies_of(decision.path for decision in decisions)
        self._leaves: tuple[int, list[Decision], list[Decision]] | None = None

    def parted(
        self, branches: Callable[[Decision], bool], version: int
    ) -> tuple[list[Decision], list[Decision]]:
        """The open decisions that may open others, and those that do not, by `branches`, which may judge
        anew where `version` is another."""
        if self._leaves is None or self._leaves[0] != version:
            judged = [(decision, branches(decision)) for decision in self.open]
            branching = [decision for decision, does in judged if does]
            self._leaves = version, branching, [decision for decision, does in judged if not does]
        return self._leaves[1:]


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Answers, with what the walk opened that they were edited from.

    `base` and `path`: the draft from which this one differs by the answer at that path alone.
    """

    answers: dict[str, Answer]
    opened: Opened
    base: Draft | None = field(default=None, repr=False)
    path: str = ""
    mark: int = -1  # see `mark_of`

    def with_answer(self, path: str, answer: Answer) -> Draft:
        """One answer changed; nothing opens or closes."""
        mark = self.key() ^ hash((path, self.answers[path])) ^ hash((path, answer))
        return Draft({**self.answers, path: answer}, self.opened, self, path, mark)

    def key(self) -> int:
        """`mark_of` the answers; an edit has it from the draft before."""
        return mark_of(self.answers) if self.mark == -1 else self.mark


def mark_of(answers: Mapping[str, Answer]) -> int:
    """Equal for equal answers in any order, and else with a chance of 2^-61; only ever compared within
    one process. Much cheaper than the key of a point, and an edit changes it by two terms."""
    mark = 0
    for item in answers.items():
        mark ^= hash(item)
    return mark
