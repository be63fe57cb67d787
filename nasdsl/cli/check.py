"""`nasdsl check FILE…`: every problem of every file, and when each `require` line is known to hold."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from nasdsl.language.errors import Diagnostic, SpaceError
from nasdsl.language.reading import load
from nasdsl.language.wide_and_deep import limits_in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .space file")
    parser.add_argument("--json", action="store_true", help="print one list of problems, for editors")


def run(options: argparse.Namespace) -> int:
    found = {name: _checked(name) for name in options.files}
    if options.json:
        print(json.dumps([problem.as_json() for problems, _ in found.values() for problem in problems]))
    else:
        for name, (problems, facts) in found.items():
            _print(name, problems, facts)
    errors = any(problem.severity == "error" for problems, _ in found.values() for problem in problems)
    return 2 if errors else 0


def _checked(name: str) -> tuple[Sequence[Diagnostic], Sequence[str]]:
    """The problems of a file; and what is worth knowing of one with which nothing is wrong: whether all networks
    fit, when its `require` lines are known to hold, and the limits of activations where it asks for such a one."""
    try:
        space = load(name)
    except SpaceError as error:
        return error.diagnostics, ()
    found = space.findings()
    facts = [_fact(one) for one in found if one.severity == "note"]
    facts += [f"`{name}`, wide and deep: {what}" for name, what in limits_in(space.file.items).items()]
    return (*space.warnings, *found), facts


def _fact(note: Diagnostic) -> str:
    return note.message if note.code == "shapes" else f"line {note.span.line}: {note.message}"


def _print(name: str, problems: Sequence[Diagnostic], facts: Sequence[str]) -> None:
    """Problems to standard error, one line that sums them up and the facts to standard output."""
    problems = [problem for problem in problems if problem.severity != "note"]
    for problem in problems:
        print(problem.render() + "\n", file=sys.stderr)
    print(f"{name}: {summary(problems)}")
    for fact in facts:
        print(f"  {fact}")


def summary(problems: Sequence[Diagnostic]) -> str:
    """`no problems`, `2 errors, 1 warning`."""
    parts = []
    for severity in dict.fromkeys(problem.severity for problem in problems):
        n = sum(problem.severity == severity for problem in problems)
        parts.append(f"{n} {severity}{'s' * (n != 1)}")
    return ", ".join(parts) or "no problems"
