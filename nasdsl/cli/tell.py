"""`nasdsl tell RUN TRIAL`: the outcome of a trial that `nasdsl ask` gave out."""

from __future__ import annotations

import argparse
import json

from nasdsl.engine.errors import EngineError
from nasdsl.engine.external import report, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("trial", type=int, metavar="TRIAL", help="the number that `ask` gave")
    outcome = parser.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--score", type=float, metavar="X", help="what it reached; higher is better")
    outcome.add_argument("--error", type=_sentence, metavar="TEXT", help="why it failed")
    parser.add_argument(
        "--step",
        type=_amount,
        metavar="S",
        help="the score is one on the way, after S epochs; prints whether the trial has to stop",
    )


def run(options: argparse.Namespace) -> int:
    if options.step is not None:
        if options.score is None:
            raise EngineError("`--step` says when a score was reached; an error ends the trial without it")
        print(json.dumps({"stop": report(options.run, options.trial, options.step, options.score)}))
        return 0
    tell(options.run, options.trial, score=options.score, error=options.error)
    return 0


def _sentence(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say in words why it failed")
    return text


def _amount(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("it must be above 0")
    return value
