"""All that reading a file does, on one text: parse, check, format, count a little, in the limits of the language."""

from __future__ import annotations

from contextlib import suppress

from nasdsl.language.check import examine
from nasdsl.language.configuration import LimitError
from nasdsl.language.depth import deep_recursion
from nasdsl.language.errors import Diagnostic, NasdslError, SpaceError
from nasdsl.language.fold import counting
from nasdsl.language.parser import parse
from nasdsl.language.printer import print_file
from nasdsl.language.space import Space
from nasdsl.language.textfile import decoded

COUNTED = 1_000  # situations gone through at most to count a space here


def read(raw: bytes, name: str) -> str:
    """What becomes of a text: the code of its first problem, `refused` by a limit, or `counted`.

    Raises AssertionError where what the tools say contradicts itself; any other exception is a mistake too.
    """
    try:
        file = parse(decoded(raw, name), name)
    except SpaceError as error:
        return _said(error.diagnostics)
    shown = print_file(file)
    again = parse(shown, name)
    with deep_recursion():
        assert again == file, "formatting changes what the file means"
    assert print_file(again) == shown, "formatting does not come to rest"
    found = examine(file)
    if found.program is None:
        return _said(found.problems)
    if found.problems:
        _said(found.problems)
    space = Space(found.program)
    try:
        counting(space._decider, COUNTED).begin()
    except LimitError as error:
        assert "limit" in str(error), error
        return "refused"
    if not space.has_requirements:
        with suppress(NasdslError):
            space.sample(0)
    return "counted"


def _said(problems: tuple[Diagnostic, ...]) -> str:
    """Each problem has its place in its file, a cause, and is rendered."""
    assert problems
    for one in problems:
        assert one.code and one.message and 0 <= one.span.start <= one.span.end
        assert one.source.text or one.code in ("unreadable-file", "empty-file", "empty-space")
        assert one.render()
    return problems[0].code
