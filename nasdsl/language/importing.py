"""`import "blocks/conv.space"`: the blocks and lets of another file, put in the place of the line.

A file is resolved before it is checked, so everything after this knows one file only: what is
stored with a run needs no other. Only where a problem is has to be told apart: the places of each
imported file are moved behind those of the files before it, and `Problems` moves them back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from nasdsl.language import syntax as s
from nasdsl.language.errors import Diagnostic, Source, SpaceError
from nasdsl.language.lexer import MAX_FILE
from nasdsl.language.node import replace
from nasdsl.language.parser import parse
from nasdsl.language.places import with_places
from nasdsl.language.textfile import read_text

MAX_IMPORTS = 100


def resolve(file: s.File, trust: bool = False) -> s.File:
    """The file with the blocks and lets of all that it imports. Raises SpaceError with every
    problem of every file that was read; with `trust` a path may leave the folder of the file."""
    if not any(isinstance(item, s.Import) for item in file.items):
        return file
    found = _Files(file, trust)
    items = tuple(found.items_of(file, os.path.realpath(file.source.name)))
    if found.problems:
        raise SpaceError(found.problems)
    return replace(file, items=items, imported=tuple(found.imported))


class _Files:
    """All files of one space, each read once."""

    def __init__(self, file: s.File, trust: bool) -> None:
        self._trust = trust
        self._home = os.path.dirname(os.path.realpath(file.source.name))
        self._is_file = os.path.isfile(file.source.name)
        self._end = len(file.source.text) + 1  # where the places of the next file begin
        self._open: list[str] = []  # files that are being resolved, outermost first
        self._done: set[str] = set()
        self.imported: list[tuple[int, Source]] = []
        self.problems: list[Diagnostic] = []

    def items_of(self, file: s.File, path: str, base: int = 0) -> Iterator[s.Item]:
        """The items of a file, those of its imports in their places."""
        self._open.append(path)
        for item in file.items:
            if isinstance(item, s.Import):
                yield from self._imported(file.source, item)
            elif not base:
                yield item
            elif isinstance(item, s.Let | s.BlockDefinition | s.Use):
                yield with_places(item, lambda at: at._replace(start=at.start + base, end=at.end + base))
        self._open.pop()
        self._done.add(path)

    def _imported(self, source: Source, item: s.Import) -> Iterator[s.Item]:
        """The blocks and lets that an `import` brings: none of a file that is there already."""
        name = os.path.normpath(os.path.join(os.path.dirname(source.name), item.path.replace("\0", "")))
        path = os.path.realpath(name)
        if not self._may_read(source, item, path) or path in self._done:
            return
        try:
            text = read_text(name)
            file = parse(text, name)
        except SpaceError as error:
            self.problems += self._at_import(source, item, error)
            self._done.add(path)
            return
        base, self._end = self._end, self._end + len(text) + 1
        if self._end > MAX_FILE or len(self.imported) >= MAX_IMPORTS:
            limit = f"{MAX_IMPORTS} imported files, or {MAX_FILE:,} characters in all"
            help = "put the blocks of several files into one, and leave out what is not used"
            self._report(source, item, "limit", f"the limit of a space is {limit}", help)
            return
        self.imported.append((base, file.source))
        yield from self.items_of(file, path, base)

    def _may_read(self, source: Source, item: s.Import, path: str) -> bool:
        if not self._is_file:
            help = "save it beside what it imports, or put the blocks into it"
            message = "only a file can import: this text has no folder to look in"
            self._report(source, item, "missing-import", message, help)
        elif path in self._open:
            chain = [*self._open[self._open.index(path) :], path]
            shown = " imports ".join(f"`{os.path.relpath(one, self._home)}`" for one in chain)
            help = "put what both need into a third file, and import that"
            self._report(source, item, "cyclic-import", f"these files import one another: {shown}", help)
        elif not self._trust and os.path.commonpath([self._home, path]) != self._home:
            message = f'"{item.path}" lies outside the folder of this space'
            help = "put it below that folder, or pass `--trust` if you know who wrote this file"
            self._report(source, item, "file-outside", message, help)
        elif not os.path.isfile(path):
            message = f'there is no file "{item.path}" beside this one'
            self._report(
                source, item, "missing-import", message, "a path starts from the file that imports it"
            )
        else:
            return True
        return False

    def _at_import(self, source: Source, item: s.Import, error: SpaceError) -> tuple[Diagnostic, ...]:
        """What is wrong with the file itself, or that it cannot be read, said of the import."""
        first = error.diagnostics[0]
        if first.code == "unreadable-file":
            return (Diagnostic(first.code, first.message, item.span, source, first.help),)
        return error.diagnostics

    def _report(self, source: Source, item: s.Import, code: str, message: str, *help: str) -> None:
        self.problems.append(Diagnostic(code, message, item.span, source, help))
