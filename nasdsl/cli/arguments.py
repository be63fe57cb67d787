"""The command line: which commands there are, and the arguments of the one that was asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

# Summaries stand here, so that `nasdsl --help` need not import every command.
COMMANDS = {
    "check": "find every problem of space files",
    "fmt": "rewrite space files in canonical form",
    "count": "count the points of a space, exactly",
    "diff": "compare two versions of a space, or a run with a space",
    "sample": "draw points of a space",
    "measure": "rank untrained networks by zero-cost proxies, beside what they cost",
    "show": "print one network as a table of layers, or draw it",
    "lsp": "answer an editor: a language server on standard input and output",
    "ops": "list the operations of the language, or describe one",
    "widths": "check whether one learning rate fits all widths of a network",
    "search": "search a space: train candidates, keep and report the best",
    "best": "print the best trials of a run",
    "report": "write the HTML report of a run",
    "export": "write a trained network as Python, torch.export or ONNX",
    "trust": "let a space file bring in the Python that it names",
    "ask": "get the next trial of a run to evaluate elsewhere",
    "tell": "store the outcome of a trial that was asked for",
}

# What reads space files, and so may be told that their authors are trusted.
_READING = frozenset(
    (
        "check",
        "count",
        "sample",
        "measure",
        "show",
        "widths",
        "search",
        "diff",
        "best",
        "report",
        "export",
        "ask",
        "tell",
    )
)
_TRUST_HELP = "trust the author of the space: run the Python that it uses, read files outside its folder"

_EPILOG = "exit status: 0 done; 1 no trial of the run succeeded; 2 bad usage or a bad file; 130 interrupted"


def parse_arguments(
    arguments: Sequence[str],
) -> tuple[Callable[[argparse.Namespace], int], argparse.Namespace]:
    """What to run, and with what. Exits as argparse does: 0 after help, 2 after bad usage."""
    parser = argparse.ArgumentParser(
        prog="nasdsl",
        formatter_class=_Help,
        description="Search for neural networks in spaces written as text.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, prog="nasdsl")
    asked = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if asked in COMMANDS and name != asked:
            continue  # a parser that nobody asked for takes its time to make
        command = commands.add_parser(
            name, help=summary, description=_sentence(summary), formatter_class=_Help
        )
        if name == asked and name in _READING:
            command.add_argument("--trust", action="store_true", help=_TRUST_HELP)
        if name == asked:
            importlib.import_module(f"nasdsl.cli.{name}").add_arguments(command)
    options = parser.parse_args(arguments)
    if getattr(options, "trust", False):
        from nasdsl.language.trusting import trust_everything  # `--help` need not load the language

        trust_everything()
    return importlib.import_module(f"nasdsl.cli.{options.command}").run, options


class _Help(argparse.HelpFormatter):
    """As wide as the terminal. Told so, argparse need not load shutil to find out."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    told = os.environ.get("COLUMNS", "")
    if told.isdigit() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80


class _Version(argparse.Action):
    """Looks the version up only when asked: the look-up reads the disk."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("nasdsl")
        except PackageNotFoundError:  # run from a checkout that is not installed
            found = "(not installed)"
        parser.exit(0, f"nasdsl {found}\n")


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:] + "."
