"""`nasdsl report RUN`: the HTML report, written anew from what is stored."""

from __future__ import annotations

import argparse

from nasdsl.engine.report import write_report
from nasdsl.engine.run import open_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder; the report becomes RUN/report.html")


def run(options: argparse.Namespace) -> int:
    print(write_report(open_run(options.run)))
    return 0
