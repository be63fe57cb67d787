"""`nasdsl count FILE`: the exact number of points; a range of reals counts as one."""

from __future__ import annotations

import argparse
import json

from nasdsl.language.reading import load
from nasdsl.language.space import Space


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .space file")
    parser.add_argument(
        "--json",
        action="store_true",
        help='print {"tree": before `require`, "valid": after it or bounds on that}',
    )


def run(options: argparse.Namespace) -> int:
    space = load(options.file)
    total = str(space.count())
    print(json.dumps({"tree": total, "valid": _valid(space)}) if options.json else total)
    return 0


def _valid(space: Space) -> str | dict[str, str]:
    """The number of points that hold every `require`; certified bounds where it is not known exactly."""
    if not space.has_requirements:
        return str(space.count())
    found = space.count_valid()
    if found.at_least == found.at_most:
        return str(found.at_least)
    return {"at_least": str(found.at_least), "at_most": str(found.at_most)}
