"""One look at a text: its problems, and the facts that the checker learned on the way.

A text that does not parse is examined without what does not, so that hovers and completions work
while something is being written.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasdsl.editor.repairing import repaired
from nasdsl.language import syntax as s
from nasdsl.language.check import Examination, examine
from nasdsl.language.errors import Diagnostic, Source, SpaceError
from nasdsl.language.facts import Facts
from nasdsl.language.findings import pruned
from nasdsl.language.node import replace
from nasdsl.language.parser import recover
from nasdsl.language.scanner import Token, scan
from nasdsl.language.space import Space


@dataclass(frozen=True)
class Analysis:
    """`file` is what of the text could be read."""

    text: str
    name: str
    file: s.File
    problems: tuple[Diagnostic, ...]
    facts: Facts

    def token(self, offset: int) -> Token | None:
        """The word that an offset is in, or right behind."""
        words = [t for t in words_of(self.text) if t.span.start <= offset <= t.span.end]
        return next((t for t in reversed(words) if t.kind in ("NAME", "STRING")), None)


def analyse(text: str, name: str) -> Analysis:
    """Parse and check a text; `name` is the path that its own paths are relative to."""
    file, problems = _read(text, name)
    found = examine(file)
    learnt = () if found.program is None or problems else pruned(Space(found.program).findings())
    return Analysis(text, name, file, problems or (*found.problems, *learnt), facts_of(file, found))


def facts_of(file: s.File, found: Examination | None = None) -> Facts:
    """What the checker learns of a file; where an import cannot be had, of the file without."""
    found = examine(file) if found is None else found
    if found.was_resolved:
        return found.facts
    return examine(replace(file, items=tuple(i for i in file.items if not isinstance(i, s.Import)))).facts


def _read(text: str, name: str) -> tuple[s.File, tuple[Diagnostic, ...]]:
    """What of a text could be read, and why not all of it."""
    try:
        file, problems = recover(text, name)
        return file, tuple(problems)
    except SpaceError as error:
        try:
            return recover(repaired(text), name)[0], error.diagnostics
        except SpaceError:
            return s.File(None, (), source=Source(name, text)), error.diagnostics


def words_of(text: str) -> list[Token]:
    """All tokens, told by their letters alone."""
    return scan(Source("", text))[0]
