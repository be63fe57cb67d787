"""A draft: a point that was not walked yet.

An edit of one decision that opens nothing changes one answer and needs no walk, which makes hundreds of
candidates cheap. Whatever is proposed in the end is walked, so a draft that was wrong about the space
costs nothing but its place.
"""

from __future__ import annotations

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

    def with_answer(self, path: str, answer: Answer) -> Draft:
        """One answer changed; nothing opens or closes."""
        return Draft({**self.answers, path: answer}, self.decisions, self, path)

    def key(self) -> frozenset[tuple[str, Answer]]:
        """Equal for drafts with the same answers; much cheaper than that of a point."""
        return frozenset(self.answers.items())
