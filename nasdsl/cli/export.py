"""`nasdsl export RUN --to FORMAT OUT`: a trained network that leaves the house."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from nasdsl.engine.exporting import FORMATS, export
from nasdsl.engine.run import open_run
from nasdsl.engine.tables import trial_or_best


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument(
        "out", metavar="OUT", help="the file to write; python adds its weights beside it, with suffix .pt"
    )
    parser.add_argument("--to", required=True, choices=FORMATS, help="the format")
    parser.add_argument("--trial", type=int, metavar="N", help="this trial (default: the winner)")


def run(options: argparse.Namespace) -> int:
    # torch's exporter logs which packages it does without, which tells our user nothing.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    found = open_run(options.run)
    record = trial_or_best(found, options.trial)
    for path in export(found, record, options.to, Path(options.out)):
        print(path)
    return 0
