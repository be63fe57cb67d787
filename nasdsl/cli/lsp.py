"""`nasdsl lsp`: a language server for editors, on standard input and output."""

from __future__ import annotations

import argparse

from nasdsl.language.errors import NasdslError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    # Editors that start a server by habit say so; there is no other channel.
    parser.add_argument(
        "--stdio", action="store_true", help="what it does anyway; taken for the editors that say it"
    )


def run(options: argparse.Namespace) -> int:
    try:
        from nasdsl.editor.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise NasdslError(
            "the language server needs pygls, which is not installed\nhelp: pip install 'nasdsl[lsp]'"
        ) from error
    serve()
    return 0
