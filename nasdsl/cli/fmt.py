"""`nasdsl fmt FILE…`: canonical text, comments kept, shortcuts written where a shape changes."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import tempfile
from pathlib import Path

from nasdsl.language.errors import NasdslError, SpaceError
from nasdsl.language.formatting import formatted
from nasdsl.language.parser import parse
from nasdsl.language.textfile import read_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .space file; rewritten in place")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file would change")
    only.add_argument("--diff", action="store_true", help="write nothing; print what would change")


def run(options: argparse.Namespace) -> int:
    changed = broken = False
    for name in options.files:
        try:
            before = read_text(name)
            after = formatted(parse(before, name))
        except SpaceError as error:
            print(f"{error}\n", file=sys.stderr)
            broken = True
            continue
        if before != after:
            changed = True
            _tell_or_write(options, name, before, after)
    if broken:
        return 2
    return 1 if changed and options.check else 0


def _tell_or_write(options: argparse.Namespace, name: str, before: str, after: str) -> None:
    if options.check:
        print(f"{name}: not in canonical form")
    elif options.diff:
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), name, f"{name} (formatted)", lineterm=""
        )
        print("\n".join(lines))
    else:
        _replace(Path(name), after)
        print(f"{name}: formatted")


def _replace(path: Path, text: str) -> None:
    """All or nothing: an interrupt leaves the old text. A link stays a link. Raises NasdslError."""
    target = path.resolve()
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.chmod(temporary, target.stat().st_mode & 0o7777)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise NasdslError(f"cannot write {path}: {error.strerror}") from error
