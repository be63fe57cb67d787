"""`nasdsl tell RUN TRIAL`: the outcome of a trial that `nasdsl ask` gave out."""

from __future__ import annotations

import argparse

from nasdsl.engine.external import tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("trial", type=int, metavar="TRIAL", help="the number that `ask` gave")
    outcome = parser.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--score", type=float, metavar="X", help="what it reached; higher is better")
    outcome.add_argument("--error", type=_sentence, metavar="TEXT", help="why it failed")


def run(options: argparse.Namespace) -> int:
    tell(options.run, options.trial, score=options.score, error=options.error)
    return 0


def _sentence(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say in words why it failed")
    return text
