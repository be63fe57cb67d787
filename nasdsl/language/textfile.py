"""The text of a `.space` file, or a Diagnostic that says why it cannot be read."""

from __future__ import annotations

import os

from nasdsl.language.errors import NOWHERE, Diagnostic, Source, SpaceError, Span
from nasdsl.language.lexer import MAX_FILE
from nasdsl.language.suggest import did_you_mean

_SUFFIX = ".space"
_MOST_SHOWN = 8  # files in a help line


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a `.space` file. Raises SpaceError for what is no readable UTF-8 file."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        help = (
            _beside(name)
            if isinstance(error, FileNotFoundError)
            else "name a `.space` file that you may read"
        )
        raise _unreadable(name, f"cannot read the file: {reason}", help) from error
    except ValueError as error:  # a NUL in the name
        message = f"cannot read the file: {error}"
        raise _unreadable(name, message, "write the name without that character") from error
    return decoded(raw, name)


def decoded(raw: bytes, name: str) -> str:
    """The text of the bytes of a file. Raises SpaceError where they are no UTF-8."""
    try:
        # A file cut at the limit may end inside a character; the lexer refuses it for its size.
        return raw.decode("utf-8-sig", errors="replace" if len(raw) > MAX_FILE else "strict")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, raw, error.start) from error


def _unreadable(name: str, message: str, help: str) -> SpaceError:
    return SpaceError([Diagnostic("unreadable-file", message, NOWHERE, Source(name, ""), (help,))])


def _beside(name: str) -> str:
    """The file that may be meant, or which there are."""
    folder = os.path.dirname(name) or "."
    if not os.path.isdir(folder):
        return f"there is no folder `{folder}`"
    spaces = sorted(one for one in os.listdir(folder) if one.endswith(_SUFFIX))
    listed = ", ".join(f"`{one}`" for one in spaces[:_MOST_SHOWN]) + ", …" * (len(spaces) > _MOST_SHOWN)
    near = did_you_mean(
        os.path.basename(name).removesuffix(_SUFFIX), [one.removesuffix(_SUFFIX) for one in spaces]
    )
    return (near and near.replace("`?", f"{_SUFFIX}`?")) or (
        f"there are {listed}" if spaces else f"there is no `.space` file in `{folder}`"
    )


def _not_utf8(name: str, raw: bytes, offset: int) -> SpaceError:
    text = raw.decode("utf-8", errors="replace")
    before = raw[:offset].decode("utf-8", errors="replace")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    span = Span(len(before), len(before) + 1, line, column, line, column + 1)
    message = f"byte 0x{raw[offset]:02x} is not UTF-8"
    help = ("save the file as UTF-8",)
    return SpaceError([Diagnostic("not-utf-8", message, span, Source(name, text), help)])
