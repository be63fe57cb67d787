"""What could be written at a place.

Words of the grammar are those that its parser would take there. Names come from the checker: a name
that nobody knows is put at the place, and what the checker would have taken in its stead is offered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nasdsl.editor.analysis import facts_of
from nasdsl.editor.repairing import open_brackets, repaired, stretch
from nasdsl.language import syntax as s
from nasdsl.language.describing import call_of
from nasdsl.language.errors import Source, SpaceError
from nasdsl.language.forms import FORMS
from nasdsl.language.lexer import settle
from nasdsl.language.parser import expected_behind, recover
from nasdsl.language.scanner import CLOSES, OPENS, Token, scan
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.signatures.table import SIGNATURES

_UNKNOWN = "a_name_that_nobody_knows"
_LOGIC = frozenset({"and", "or", "not"})
_CLOSER = {opened: closed for closed, opened in CLOSES.items()}


@dataclass(frozen=True)
class Suggestion:
    """`kind` is "keyword", "operation", "setting", "block", "argument" or "name"."""

    label: str
    kind: str
    detail: str = ""
    doc: str = ""


def complete(text: str, offset: int, name: str) -> tuple[int, list[Suggestion]]:
    """Where the word that is being written begins, and what it could be."""
    start = offset
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    if text[start:offset][:1].isdigit() or _is_inside_text(text, start):
        return start, []
    raw = scan(Source("", text[stretch(text, start)[0] : start]))[0]
    opened = open_brackets(raw)
    if opened is None:
        return start, []
    tokens = settle(raw)
    expected = expected_behind(tokens)
    words = FORMS if start < offset else FORMS.keys() - _LOGIC  # `not` may stand before any value
    suggestions = [
        Suggestion(w, "keyword", "", FORMS[w]) for w in FORMS if w in words and w.upper() in expected
    ]
    if "NAME" in expected and (not tokens or opened or tokens[-1].kind != "SEP"):
        suggestions += _names(text, start, offset, name, tokens)
    return start, suggestions


def _is_inside_text(text: str, offset: int) -> bool:
    """Whether a place is in a comment or between quotes."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    tokens, comments, _ = scan(Source("", line + "\n"))
    quotes = line.count('"') - sum(t.text.count('"') for t in tokens if t.kind == "STRING")
    return bool(quotes or comments)


def _names(text: str, start: int, offset: int, name: str, tokens: list[Token]) -> Iterator[Suggestion]:
    end = offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    seen: set[str] = set()
    if tokens and tokens[-1].text in ("(", ",") and (open_brackets(tokens) or [""])[-1] == "(":
        n_positional, named = _given(tokens)
        for argument in _known(text, start, end, name, f"{_UNKNOWN} = 0")[0][n_positional:]:
            if argument not in named:
                seen.add(argument)
                yield Suggestion(f"{argument} = ", "argument")
    known, file = _known(text, start, end, name, _UNKNOWN)
    blocks = {i.name: i for i in file.items if isinstance(i, s.BlockDefinition)} if file else {}
    for one in known:
        if one not in seen and one != _UNKNOWN:
            seen.add(one)
            if (suggestion := _suggestion(one, blocks)) is not None:
                yield suggestion


def _given(tokens: list[Token]) -> tuple[int, set[str]]:
    """The arguments that the innermost open call already has: how many by position, and which by name."""
    depth, commas, named = 0, 0, set()
    for at in range(len(tokens) - 1, -1, -1):
        text = tokens[at].text
        depth += (text in CLOSES) - (text in OPENS)
        if depth < 0:
            break
        commas += depth == 0 and text == ","
        if depth == 0 and text == "=":
            named.add(tokens[at - 1].text)
    return commas - len(named), named


def _suggestion(name: str, blocks: dict[str, s.BlockDefinition]) -> Suggestion | None:
    if name in blocks:
        parameters = ", ".join(p.name for p in blocks[name].parameters)
        return Suggestion(name, "block", f"block {name}({parameters})", blocks[name].doc)
    row: Signature | None = SIGNATURES.get(name)
    if row is None:
        return Suggestion(name, "name")
    if row.later:
        return None
    return Suggestion(name, "setting" if row.group == "setting" else "operation", call_of(row), row.doc)


def _known(text: str, start: int, end: int, name: str, probe: str) -> tuple[tuple[str, ...], s.File | None]:
    """What the checker would take in place of an unknown name. Where the rest of its item does not
    go with it, brackets are closed behind it."""
    first, last = stretch(text, start)
    head = text[first:start] + probe
    closed = "".join(_CLOSER[one] for one in reversed(open_brackets(scan(Source("", head))[0]) or []))
    before, after = repaired(text[:first]), repaired(text[last:])
    file = None
    for tail in (text[end:last], closed + "\n"):
        try:
            file, _ = recover(before + head + tail + after, name)
        except SpaceError:
            continue
        found = facts_of(file).candidates.get(_UNKNOWN)
        if found is not None:
            return found, file
    return (), file
