"""What a word of a file means, where it was declared, and what shapes pass there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from nasdsl.editor.analysis import Analysis, words_of
from nasdsl.language import syntax as s
from nasdsl.language.describing import argument_line, description
from nasdsl.language.errors import Source, Span
from nasdsl.language.forms import FORMS
from nasdsl.language.scanner import Token
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.table import DATA, LAYERS, TRAINING
from nasdsl.language.textfile import read_text

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
    declared = facts.declared(at)
    if declared is not None:
        return _declaration(*declared)
    if at in facts.arguments:
        argument = facts.arguments[at]
        return f"{_code(argument_line(argument))}\n\n{argument.doc}"
    if at in facts.rows:
        return _code(description(facts.rows[at]))
    for item in found.file.items:
        if isinstance(item, s.BlockDefinition) and item.name == word.text:
            return _declaration(found.file.source, item.span)
    if word.text in FORMS:
        return FORMS[word.text]
    rows = [table[word.text] for table in (LAYERS, TRAINING, DATA) if word.text in table]
    return "\n".join(_code(description(row)) for row in rows)


def _declaration(source: Source, span: Span) -> str:
    """A let as it stands; the head of a block, with the doc comment above it."""
    text = source.text[span.start : span.end]
    if not text.startswith("let"):
        text = text.split("{")[0].strip()
    doc = []
    for line in reversed(source.text[: span.start].splitlines()):
        if not line.startswith("##"):
            break
        doc.append(line.lstrip("# "))
    code = _code(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")
    return "\n\n".join([code, *(["\n".join(reversed(doc))] if doc else [])])


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
    declared = found.facts.declared(word.span.start)
    if declared is None:
        return None
    source, span = declared
    at = re.compile(rf"\b{re.escape(word.text)}\b").search(source.text, span.start, span.end)
    return source.name, source.text, at.start() if at else span.start


def _imported_file(found: Analysis, word: Token) -> tuple[str, str, int] | None:
    words = words_of(found.text)
    before = words[words.index(word) - 1] if words[0] != word else None
    if before is None or before.text != "import":
        return None
    path = os.path.normpath(os.path.join(os.path.dirname(found.name), word.text[1:-1]))
    return (path, read_text(path), 0) if os.path.isfile(path) else None
