"""Points that the user gives as JSON."""

from __future__ import annotations

from pathlib import Path

from nasdsl.language.errors import AnswerError, NasdslError
from nasdsl.language.point import Point
from nasdsl.language.space import Space


def read_point(space: Space, file: str) -> Point:
    """The point in a file. Raises NasdslError where it cannot be read or is no point of the space."""
    try:
        point = Point.from_json(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise NasdslError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise NasdslError(f"{file} holds no point: {error}") from error
    try:
        space.decided(point)
    except AnswerError as error:
        raise NasdslError(f"{file} is no point of `{space.name}`: {error}") from error
    if not space.contains(point):
        raise NasdslError(f"{file} is no point of `{space.name}`: it breaks a `require`")
    return point
