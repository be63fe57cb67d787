"""From a text or a file to a checked Space."""

from __future__ import annotations

import os

from nasdsl.language import parser
from nasdsl.language.check import check
from nasdsl.language.space import Space
from nasdsl.language.textfile import read_text


def parse(text: str, name: str = "inline.space", trust: bool = False) -> Space:
    """The space that a text describes; `name` stands in its diagnostics. Raises SpaceError.

    `trust`: its author is trusted, so it may name files outside its folder.
    """
    return Space(check(parser.parse(text, name), trust=trust))


def load(path: str | os.PathLike[str], trust: bool = False) -> Space:
    """The space of a file. Raises SpaceError, also where the file cannot be read."""
    return parse(read_text(path), os.fspath(path), trust)
