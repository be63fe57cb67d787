"""The text of a `.space` file, or a Diagnostic that says why it cannot be read."""

from __future__ import annotations

import os

from nasdsl.language.errors import NOWHERE, Diagnostic, Source, SpaceError, Span
from nasdsl.language.lexer import MAX_FILE


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a `.space` file. Raises SpaceError for what is no readable UTF-8 file."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _unreadable(name, "unreadable-file", f"cannot read the file: {reason}") from error
    except ValueError as error:  # a NUL in the name
        raise _unreadable(name, "unreadable-file", f"cannot read the file: {error}") from error
    return decoded(raw, name)


def decoded(raw: bytes, name: str) -> str:
    """The text of the bytes of a file. Raises SpaceError where they are no UTF-8."""
    try:
        # A file cut at the limit may end inside a character; the lexer refuses it for its size.
        return raw.decode("utf-8-sig", errors="replace" if len(raw) > MAX_FILE else "strict")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, raw, error.start) from error


def _unreadable(name: str, code: str, message: str) -> SpaceError:
    return SpaceError([Diagnostic(code, message, NOWHERE, Source(name, ""))])


def _not_utf8(name: str, raw: bytes, offset: int) -> SpaceError:
    text = raw.decode("utf-8", errors="replace")
    before = raw[:offset].decode("utf-8", errors="replace")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    span = Span(len(before), len(before) + 1, line, column, line, column + 1)
    message = f"byte 0x{raw[offset]:02x} is not UTF-8"
    help = ("save the file as UTF-8",)
    return SpaceError([Diagnostic("not-utf-8", message, span, Source(name, text), help)])
