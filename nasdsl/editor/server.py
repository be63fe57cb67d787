"""`nasdsl lsp`: the language server protocol on standard input and output.

This module alone knows pygls. What is said stands in the modules beside it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.metadata import PackageNotFoundError, version

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from nasdsl.editor.analysis import Analysis, analyse
from nasdsl.editor.completing import complete
from nasdsl.editor.explaining import definition, explain
from nasdsl.editor.positions import Positions
from nasdsl.language import syntax as s
from nasdsl.language.errors import NOWHERE, Diagnostic, SpaceError
from nasdsl.language.formatting import formatted
from nasdsl.language.parser import parse

_PAUSE_S = 0.1  # without a keystroke, before a text is checked

_KINDS = {
    "keyword": types.CompletionItemKind.Keyword,
    "operation": types.CompletionItemKind.Function,
    "setting": types.CompletionItemKind.Property,
    "block": types.CompletionItemKind.Class,
    "argument": types.CompletionItemKind.Field,
    "name": types.CompletionItemKind.Variable,
}
_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}


class SpaceServer(LanguageServer):
    """Keeps the last analysis of each open file, and who waits for the next."""

    def __init__(self) -> None:
        super().__init__("nasdsl", _version(), text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.waiting: dict[str, asyncio.Task[None]] = {}
        self._last: dict[str, Analysis] = {}

    def text(self, uri: str) -> str:
        return self.workspace.get_text_document(uri).source

    def analysis(self, uri: str) -> Analysis:
        """Of the present text; worked out once per text."""
        text = self.text(uri)
        last = self._last.get(uri)
        if last is None or last.text != text:
            last = self._last[uri] = analyse(text, _name(uri))
        return last

    def forget(self, uri: str) -> None:
        self._last.pop(uri, None)

    def positions(self, text: str) -> Positions:
        return Positions(text, self.workspace.position_encoding or "utf-16")

    def offset(self, text: str, position: types.Position) -> int:
        return self.positions(text).offset(position.line, position.character)

    def range(self, positions: Positions, start: int, end: int) -> types.Range:
        return types.Range(types.Position(*positions.of(start)), types.Position(*positions.of(end)))


def _version() -> str:
    try:
        return version("nasdsl")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


def _name(uri: str) -> str:
    return to_fs_path(uri) or uri


def serve() -> None:
    """Answer an editor until it says goodbye."""
    # pygls closes what it writes to; standard output is still flushed once this command is done.
    make_server().start_io(stdout=os.fdopen(os.dup(sys.stdout.fileno()), "wb"))


def make_server() -> SpaceServer:
    """A server with all its answers, on no channel yet."""
    server = SpaceServer()
    for name, answer in (
        (types.TEXT_DOCUMENT_DID_OPEN, _changed),
        (types.TEXT_DOCUMENT_DID_CHANGE, _changed),
        (types.TEXT_DOCUMENT_DID_SAVE, _changed),
        (types.TEXT_DOCUMENT_DID_CLOSE, _closed),
        (types.TEXT_DOCUMENT_HOVER, _hover),
        (types.TEXT_DOCUMENT_DEFINITION, _definition),
        (types.TEXT_DOCUMENT_FORMATTING, _format),
    ):
        server.feature(name)(answer)
    options = types.CompletionOptions(trigger_characters=["(", ",", "=", "|"])
    server.feature(types.TEXT_DOCUMENT_COMPLETION, options)(_complete)
    return server


# --- problems -------------------------------------------------------------------------------

_Changed = (
    types.DidOpenTextDocumentParams | types.DidChangeTextDocumentParams | types.DidSaveTextDocumentParams
)


async def _changed(server: SpaceServer, params: _Changed) -> None:
    """Check once the typing pauses; an earlier wait for the same file is over."""
    uri = params.text_document.uri
    earlier = server.waiting.pop(uri, None)
    if earlier is not None:
        earlier.cancel()
    server.waiting[uri] = asyncio.create_task(_check_later(server, uri))


async def _check_later(server: SpaceServer, uri: str) -> None:
    await asyncio.sleep(_PAUSE_S)
    del server.waiting[uri]
    server.forget(uri)  # what it imports may have changed
    found = server.analysis(uri)
    positions = server.positions(found.text)
    problems = [_problem(server, positions, found, problem) for problem in found.problems]
    number = server.workspace.get_text_document(uri).version
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, problems, number))


def _problem(
    server: SpaceServer, positions: Positions, found: Analysis, problem: Diagnostic
) -> types.Diagnostic:
    """A problem of an imported file stands at the first import, and says where it is."""
    span, message = problem.span, problem.message
    if problem.source.name != found.name:
        span = next((item.span for item in found.file.items if isinstance(item, s.Import)), NOWHERE)
        message = f"{problem.source.name}:{problem.span.line}:{problem.span.column}: {message}"
    message = "\n".join([message, *(f"help: {line}" for line in problem.help)])
    return types.Diagnostic(
        server.range(positions, span.start, max(span.end, span.start + 1)),
        message,
        _SEVERITIES[problem.severity],
        problem.code,
        source="nasdsl",
    )


def _closed(server: SpaceServer, params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    waiting = server.waiting.pop(uri, None)
    if waiting is not None:
        waiting.cancel()
    server.forget(uri)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


# --- answers --------------------------------------------------------------------------------


def _hover(server: SpaceServer, params: types.HoverParams) -> types.Hover | None:
    found = server.analysis(params.text_document.uri)
    said = explain(found, server.offset(found.text, params.position))
    if said is None:
        return None
    word, text = said
    place = server.range(server.positions(found.text), word.span.start, word.span.end)
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), place)


def _definition(server: SpaceServer, params: types.DefinitionParams) -> types.Location | None:
    found = server.analysis(params.text_document.uri)
    there = definition(found, server.offset(found.text, params.position))
    if there is None:
        return None
    path, text, offset = there
    uri = params.text_document.uri if path == found.name else from_fs_path(path) or path
    return types.Location(uri, server.range(server.positions(text), offset, offset))


def _complete(server: SpaceServer, params: types.CompletionParams) -> list[types.CompletionItem]:
    uri = params.text_document.uri
    text = server.text(uri)
    offset = server.offset(text, params.position)
    start, suggestions = complete(text, offset, _name(uri))
    place = server.range(server.positions(text), start, offset)
    return [
        types.CompletionItem(
            one.label,
            kind=_KINDS[one.kind],
            detail=one.detail or None,
            documentation=one.doc or None,
            text_edit=types.TextEdit(place, one.label),
        )
        for one in suggestions
    ]


def _format(server: SpaceServer, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
    """The canonical text; nothing while the file does not parse."""
    text = server.text(params.text_document.uri)
    try:
        again = formatted(parse(text, _name(params.text_document.uri)))
    except SpaceError:
        return []
    if again == text:
        return []
    return [types.TextEdit(server.range(server.positions(text), 0, len(text)), again)]
