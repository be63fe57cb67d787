"""Rows of the table of operations in words: for `nasdsl ops`, and for editors."""

from __future__ import annotations

from nasdsl.language.kinds import describe
from nasdsl.language.network import Spec, Value
from nasdsl.language.signatures.signature import Argument, Signature


def description(row: Signature) -> str:
    """How to call a row, and each argument with kind, default and meaning."""
    lines = [f"{call_of(row)}    ({row.group})", f"  {row.doc}"]
    if row.later:
        lines.append("  not part of this version")
    first = [f"`{argument.name}`" for argument in row.arguments[: row.positional]]
    if row.group != "setting" and row.arguments:
        lines.append(f"  by position: {', '.join(first)}" if first else "  all arguments by name")
    for argument in row.arguments:
        lines.append(f"    {argument_line(argument)}\n        {argument.doc}")
    if row.source:
        lines.append(f"  source: {row.source}")
    return "\n".join(lines) + "\n"


def argument_line(argument: Argument) -> str:
    """`kernel: a whole number of at least 1; default 3`."""
    kind = describe(argument.kind)
    return f"{argument.name}: " + (f"{kind}; " if kind else "") + _default(argument)


def call_of(row: Signature) -> str:
    """`conv2d(filters, kernel = 3, …)`, `optimizer = …`."""
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
