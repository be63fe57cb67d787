"""A Point: the ordered answers to all decisions that a walk opened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from nasdsl.language.decisions import Answer


class Point(Mapping[str, Answer]):
    """An immutable, hashable mapping path -> answer, in the order the decisions opened.

    Two points are equal when they give equal answers of equal type to the same paths.
    """

    __slots__ = ("_answers", "_key")

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = dict(answers)
        self._key: str | None = None

    def __getitem__(self, path: str) -> Answer:
        return self._answers[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def key(self) -> str:
        """Canonical JSON: sorted, unbroken; what is stored, hashed and compared."""
        if self._key is None:
            self._key = json.dumps(self._answers, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return self._key

    def __hash__(self) -> int:
        return hash(self.key())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and self.key() == other.key()

    def __repr__(self) -> str:
        return f"Point({self._answers!r})"

    def __reduce__(self) -> tuple[type[Point], tuple[dict[str, Answer]]]:
        return Point, (self._answers,)

    def to_json(self) -> str:
        """One JSON object, in the order of opening."""
        return json.dumps(self._answers, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Point:
        """Read what `to_json` wrote. Raises ValueError for anything else."""
        answers = json.loads(text)
        if not isinstance(answers, dict) or not all(
            isinstance(v, bool | int | float | str) for v in answers.values()
        ):
            raise ValueError("a point is a JSON object of path -> number, string or boolean")
        return Point(answers)
