"""`nasdsl best RUN`: the best trials so far, also of a run that is still going on."""

from __future__ import annotations

import argparse
import json
import sys

from nasdsl.cli.values import at_least
from nasdsl.engine.progress import record_json
from nasdsl.engine.records import Record
from nasdsl.engine.result import figures, print_front
from nasdsl.engine.run import Run, open_run
from nasdsl.engine.tables import best_table, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("-k", type=at_least(1), default=5, metavar="K", help="how many (default: 5)")
    parser.add_argument("--json", action="store_true", help="print a list of records")


def _entry(record: Record, run: Run) -> dict[str, object]:
    """With several objectives, also whether the trial is on the Pareto front, and its measures."""
    entry = record_json(record)
    if len(run.goals) > 1:
        entry |= {"front": record in run.front, "measures": dict(record.known)}
    return entry


def run(options: argparse.Namespace) -> int:
    found = open_run(options.run)
    top = found.top(options.k)
    if options.json:
        print(json.dumps([_entry(record, found) for record in top]))
    elif not top:
        print(f"no trial of {options.run} has succeeded; {len(found.records)} have an outcome")
    else:
        print_table(best_table(found, options.k), sys.stdout)
        print_front(found, sys.stdout)
        told = figures(found)
        print("\n" + "\n".join(told) if told else "", end="\n" if told else "")
    return 0
