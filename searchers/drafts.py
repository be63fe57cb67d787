"""A draft: a point that was not walked yet.

An edit of one decision that opens nothing changes one answer and needs no walk, which makes hundreds of
candidates cheap. Whatever is proposed in the end is walked, so a draft that was wrong about the space
costs nothing but its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nasdsl.language.decisions import Answer, Decision


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Answers, with the decisions of the walk they were edited from.

    `base` and `path`: the draft from which this one differs by the answer at that path alone.
    """

    answers: dict[str, Answer]
    decisions: tuple[Decision, ...]
    base: Draft | None = field(default=None, repr=False)
    path: str = ""
    mark: int = -1  # see `mark_of`

    def with_answer(self, path: str, answer: Answer) -> Draft:
        """One answer changed; nothing opens or closes."""
        mark = self.key() ^ hash((path, self.answers[path])) ^ hash((path, answer))
        return Draft({**self.answers, path: answer}, self.decisions, self, path, mark)

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
