"""`nasdsl best RUN`: the best trials so far, also of a run that is still going on."""

from __future__ import annotations

import argparse
import json
import sys

from nasdsl.cli.values import at_least
from nasdsl.engine.progress import record_json
from nasdsl.engine.result import figures
from nasdsl.engine.run import open_run
from nasdsl.engine.tables import best_table, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("-k", type=at_least(1), default=5, metavar="K", help="how many (default: 5)")
    parser.add_argument("--json", action="store_true", help="print a list of records")


def run(options: argparse.Namespace) -> int:
    found = open_run(options.run)
    top = found.top(options.k)
    if options.json:
        print(json.dumps([record_json(record) for record in top]))
    elif not top:
        print(f"no trial of {options.run} has succeeded; {len(found.records)} have an outcome")
    else:
        print_table(best_table(found, options.k), sys.stdout)
        told = figures(found)
        print("\n" + "\n".join(told) if told else "", end="\n" if told else "")
    return 0
