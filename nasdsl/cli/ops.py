"""`nasdsl ops [NAME]`: the table of operations, settings and data sets."""

from __future__ import annotations

import argparse
import sys

from nasdsl.language.errors import NasdslError
from nasdsl.language.kinds import describe
from nasdsl.language.network import Spec, Value
from nasdsl.language.signatures.signature import Argument, Signature
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
    if not named:
        help = did_you_mean(options.name, [row.name for row in rows])
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


def description(row: Signature) -> str:
    """How to call a row, and each argument with kind, default and meaning."""
    lines = [f"{_call(row)}    ({row.group})", f"  {row.doc}"]
    if row.later:
        lines.append("  not part of this version")
    for argument in row.arguments:
        lines.append(
            f"    {argument.name}: {describe(argument.kind)}; {_default(argument)}\n        {argument.doc}"
        )
    if row.source:
        lines.append(f"  source: {row.source}")
    return "\n".join(lines) + "\n"


def _call(row: Signature) -> str:
    if row.group == "setting":
        return f"{row.name} = …"
    shown = [a.name if a.required else f"{a.name} = {_text(a.default)}" for a in row.arguments]
    return row.name + (f"({', '.join(shown)})" if shown else "") + (" { … }" if row.body else "")


def _default(argument: Argument) -> str:
    if argument.required:
        return "required"
    return "not given by default" if argument.default is None else f"default {_text(argument.default)}"


def _text(value: Value) -> str:
    match value:
        case None:
            return "…"
        case bool():
            return "yes" if value else "no"
        case Spec(name, _):
            return name
        case float():
            return f"{value:g}"
        case tuple():
            return ", ".join(str(part) for part in value)
    return str(value)
