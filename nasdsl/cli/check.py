"""`nasdsl check FILE…`: every problem of every file, and when each `require` line is known to hold."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from nasdsl.language.errors import Diagnostic, SpaceError
from nasdsl.language.reading import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .space file")
    parser.add_argument("--json", action="store_true", help="print one list of problems, for editors")


def run(options: argparse.Namespace) -> int:
    found = {name: _checked(name) for name in options.files}
    if options.json:
        print(json.dumps([problem.as_json() for problems, _ in found.values() for problem in problems]))
    else:
        for name, (problems, settled) in found.items():
            _print(name, problems, settled)
    errors = any(problem.severity == "error" for problems, _ in found.values() for problem in problems)
    return 2 if errors else 0


def _checked(name: str) -> tuple[Sequence[Diagnostic], Sequence[tuple[int, str]]]:
    """The problems of a file; and when its `require` lines are known to hold, where nothing is wrong with it."""
    try:
        space = load(name)
        return space.warnings, space.settled()
    except SpaceError as error:
        return error.diagnostics, ()


def _print(name: str, problems: Sequence[Diagnostic], settled: Sequence[tuple[int, str]]) -> None:
    """Problems to standard error, one line that sums them up and the `require` lines to standard output."""
    for problem in problems:
        print(problem.render() + "\n", file=sys.stderr)
    print(f"{name}: {summary(problems)}")
    for line, when in settled:
        print(f"  line {line}: `require` is {when}")


def summary(problems: Sequence[Diagnostic]) -> str:
    """`no problems`, `2 errors, 1 warning`."""
    parts = []
    for severity in dict.fromkeys(problem.severity for problem in problems):
        n = sum(problem.severity == severity for problem in problems)
        parts.append(f"{n} {severity}{'s' * (n != 1)}")
    return ", ".join(parts) or "no problems"
