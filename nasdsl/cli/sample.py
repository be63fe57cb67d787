"""`nasdsl sample FILE`: points at random."""

from __future__ import annotations

import argparse

from nasdsl.cli.values import at_least
from nasdsl.engine.wording import point_text
from nasdsl.language.reading import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .space file")
    parser.add_argument("-n", type=at_least(1), default=1, metavar="N", help="how many points (default: 1)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of the first point; the next has S + 1 (default: 0)"
    )
    parser.add_argument(
        "--uniform",
        choices=("decisions", "points"),
        default="decisions",
        help="draw decision by decision with the author's weights (default), or all points alike",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per point and line")


def run(options: argparse.Namespace) -> int:
    space = load(options.file)
    for seed in range(options.seed, options.seed + options.n):
        point = space.sample(seed, options.uniform)
        print(point.to_json() if options.json else f"# seed {seed}\n{point_text(point)}\n")
    return 0
