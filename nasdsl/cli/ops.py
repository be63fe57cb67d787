"""`nasdsl ops [NAME]`: the table of operations, settings and data sets."""

from __future__ import annotations

import argparse
import sys

from nasdsl.language.describing import description
from nasdsl.language.errors import NasdslError
from nasdsl.language.forms import FORMS
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.signatures.table import DATA, LAYERS, TRAINING
from nasdsl.language.suggest import did_you_mean

_TABLES = (LAYERS, TRAINING, DATA)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="describe this one, with its arguments and defaults"
    )


def run(options: argparse.Namespace) -> int:
    rows = [row for table in _TABLES for row in table.values()]
    if options.name is None:
        sys.stdout.write(listing(rows))
        return 0
    named = [row for row in rows if row.name == options.name]
    if not named and options.name in FORMS:
        sys.stdout.write(
            f"{FORMS[options.name]}\n  a word of the language: docs/language.md shows it at work\n"
        )
        return 0
    if not named:
        help = did_you_mean(options.name, [*FORMS, *(row.name for row in rows if not row.later)])
        raise NasdslError(
            "\n".join([f"nothing is called `{options.name}`", *([f"help: {help}"] if help else [])])
        )
    sys.stdout.write("\n".join(description(row) for row in named))
    return 0


def listing(rows: list[Signature]) -> str:
    """All rows by group, a line each; what is reserved for later is left out."""
    rows = [row for row in rows if not row.later]
    width = max(len(row.name) for row in rows)
    sections = []
    for group in dict.fromkeys(row.group for row in rows):
        lines = [f"  {row.name:<{width}}  {row.doc}" for row in rows if row.group == group]
        sections.append("\n".join([group, *lines]) + "\n")
    return "\n".join(sections)
