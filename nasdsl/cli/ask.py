"""`nasdsl ask RUN`: the next trial, for schedulers and other languages."""

from __future__ import annotations

import argparse
import json
import sys

from nasdsl.engine.external import ask, begin
from nasdsl.language.reading import load
from searchers import SEARCHERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--space", metavar="FILE", help="begin the run in this space, if it has not begun")
    parser.add_argument(
        "--searcher",
        choices=sorted(SEARCHERS),
        default="random",
        help="of a run that begins (default: random)",
    )
    parser.add_argument(
        "--fidelity",
        choices=("none", "asha"),
        default="none",
        help="of a run that begins: asha stops trials that fall behind in what `tell --step` reports",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of a run that begins (default: 0)")


def run(options: argparse.Namespace) -> int:
    if options.space is not None:
        begin(options.run, load(options.space), options.searcher, options.seed, options.fidelity)
    asked = ask(options.run)
    if asked is None:
        print("nasdsl: the search space is exhausted: nothing left to try", file=sys.stderr)
        print(json.dumps({"trial": None, "point": None}))
    else:
        trial, point = asked
        print(json.dumps({"trial": trial, "point": dict(point)}))
    return 0
