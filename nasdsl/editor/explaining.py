"""What a word of a file means, where it was declared, and what shapes pass there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from nasdsl.editor.analysis import Analysis, analyse, words_of
from nasdsl.language import syntax as s
from nasdsl.language.describing import argument_line, description
from nasdsl.language.errors import SpaceError, Span
from nasdsl.language.forms import FORMS
from nasdsl.language.reading import read_text
from nasdsl.language.scanner import Token
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.table import DATA, LAYERS, TRAINING

_LONGEST = 200  # letters shown of a declaration


def explain(found: Analysis, offset: int) -> tuple[Token, str] | None:
    """The word at an offset, and what there is to say of it, as Markdown."""
    word = found.token(offset)
    if word is None or word.kind != "NAME":
        return None
    parts = [_meaning(found, word), _shapes(found, word.span.start)]
    text = "\n\n".join(part for part in parts if part)
    return (word, text) if text else None


def _meaning(found: Analysis, word: Token) -> str:
    facts, at = found.facts, word.span.start
    if at in facts.references:
        return _declaration(found, facts.references[at])
    if at in facts.arguments:
        argument = facts.arguments[at]
        return f"{_code(argument_line(argument))}\n\n{argument.doc}"
    if at in facts.rows:
        return _code(description(facts.rows[at]))
    for item in found.file.items:
        if isinstance(item, s.BlockDefinition) and item.name == word.text:
            return _declaration(found, item.span)
    if word.text in FORMS:
        return FORMS[word.text]
    rows = [table[word.text] for table in (LAYERS, TRAINING, DATA) if word.text in table]
    return "\n".join(_code(description(row)) for row in rows)


def _declaration(found: Analysis, span: Span) -> str:
    """A let as it stands; the head of a block, with its doc."""
    for item in found.file.items:
        if isinstance(item, s.BlockDefinition) and item.span == span:
            head = found.text[span.start : item.body.span.start].strip()
            return _code(head) + (f"\n\n{item.doc}" if item.doc else "")
    text = found.text[span.start : span.end].split("{")[0].strip()
    return _code(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _code(text: str) -> str:
    return f"```space\n{text.rstrip()}\n```"


def _shapes(found: Analysis, offset: int) -> str:
    """What comes in and goes out here: of the smallest statement that begins with the word."""
    here = [span for span in found.facts.flows if span.start == offset]
    if not here:
        return ""
    before, after = found.facts.flows[min(here, key=lambda span: span.end)]
    return f"here: {_listed(before.values())} → {_listed(after.values())}"


def _listed(shapes: Iterable[Shape]) -> str:
    return " or ".join(f"`{shape}`" for shape in shapes) or "nothing gets through"


def definition(found: Analysis, offset: int) -> tuple[str, str, int] | None:
    """Where the word at an offset was declared: the file, its text, and the offset there."""
    word = found.token(offset)
    if word is None:
        return None
    if word.kind == "STRING":
        return _imported_file(found, word)
    span = found.facts.references.get(word.span.start)
    if span is not None and (at := _name_in(found.text, span, word.text)) is not None:
        return found.name, found.text, at
    return _in_imports(found, word.text)


def _name_in(text: str, span: Span, name: str) -> int | None:
    """Where a name stands in its declaration."""
    match = re.compile(rf"\b{re.escape(name)}\b").search(text, span.start, span.end)
    return match.start() if match else None


def _imported_file(found: Analysis, word: Token) -> tuple[str, str, int] | None:
    words = words_of(found.text)
    before = words[words.index(word) - 1] if words[0] != word else None
    if before is None or before.text != "import":
        return None
    path = _beside(found.name, word.text[1:-1])
    return None if path is None else (path, read_text(path), 0)


def _beside(name: str, path: str) -> str | None:
    """A file named in a space is relative to it."""
    beside = os.path.normpath(os.path.join(os.path.dirname(name), path))
    return beside if os.path.isfile(beside) else None


def _in_imports(found: Analysis, name: str) -> tuple[str, str, int] | None:
    """A block or a let of a file that is imported, directly or by one of those."""
    waiting, seen = [found], {found.name}
    while waiting:
        one = waiting.pop(0)
        for item in one.file.items:
            if isinstance(item, s.BlockDefinition | s.Let) and item.name == name:
                at = _name_in(one.text, item.span, name)
                return None if at is None else (one.name, one.text, at)
            if isinstance(item, s.Import) and (path := _beside(one.name, item.path)) not in (None, *seen):
                assert path is not None
                seen.add(path)
                try:
                    waiting.append(analyse(read_text(path), path))
                except SpaceError:
                    continue  # no readable file, which the check of the file that imports it says
    return None
