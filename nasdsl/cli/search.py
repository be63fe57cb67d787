"""`nasdsl search FILE`: train candidates, keep and report the best."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, get_args

from nasdsl.cli.points import read_point
from nasdsl.cli.values import at_least, duration, names, setting, size
from nasdsl.engine.fidelity import Fidelity
from nasdsl.engine.progress import watcher
from nasdsl.engine.report import write_report
from nasdsl.engine.result import print_result, result_json
from nasdsl.engine.run import Run
from nasdsl.engine.search import DEFAULT_BUDGET, search
from nasdsl.language.errors import NasdslError
from nasdsl.language.reading import load
from searchers import SEARCHERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .space file")
    _how_to_search(parser.add_argument_group("the search"))
    _what_to_train(parser.add_argument_group("the training"))
    _where_to_put(parser.add_argument_group("the run"))


def _how_to_search(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--searcher",
        choices=sorted(SEARCHERS),
        help="how candidates are proposed (default: the best there is)",
    )
    group.add_argument(
        "--budget",
        type=at_least(1),
        metavar="N",
        help=f"trials in all (default: {DEFAULT_BUDGET}, or no limit with --time)",
    )
    group.add_argument(
        "--time", type=duration, metavar="T", help="stop after this time, as in 90s, 10m, 1.5h"
    )
    group.add_argument(
        "--workers", type=at_least(1), metavar="N", help="trials at a time (default: one per core)"
    )
    group.add_argument(
        "--gpus", type=names, default=[], metavar="LIST", help="train on these cards, as in 0,1"
    )
    group.add_argument(
        "--per-gpu",
        type=at_least(1),
        default=1,
        metavar="N",
        help="trials at a time on each card (default: 1)",
    )
    group.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="run the trials there: tcp://… of a Dask scheduler, dask, ray, ray://… or joblib:BACKEND",
    )
    group.add_argument(
        "--trial-time", type=duration, metavar="T", help="a trial that runs longer than this fails"
    )
    group.add_argument(
        "--memory",
        type=size,
        metavar="SIZE",
        help="main memory of each trial, as in 500M, 4G (default: nine tenths of the machine, shared)",
    )
    group.add_argument(
        "--start",
        metavar="POINT",
        help="a file with the point of trial 0, as JSON (default: the `start` of the space)",
    )
    group.add_argument(
        "--warm",
        action="append",
        default=[],
        metavar="RUN",
        help="begin with what an earlier run knows, of this or of an edited space; may be repeated",
    )
    group.add_argument(
        "--fidelity",
        choices=get_args(Fidelity),
        default="none",
        help="asha stops trials that fall behind, halving trains the best of many short ones on (default: none)",
    )
    group.add_argument(
        "--seed", type=int, default=0, metavar="S", help="decides proposals and weights (default: 0)"
    )
    group.add_argument(
        "--confirm", type=at_least(0), default=0, metavar="K", help="train the K best again with K seeds each"
    )


def _what_to_train(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--data", metavar="FILE", help="a csv or npz file in place of the data that the space names"
    )
    group.add_argument("--target", metavar="NAME", help="the column or array of --data to predict")
    group.add_argument("--valid", metavar="FILE", help="validate on this file instead of a part of --data")
    group.add_argument(
        "--set",
        action="append",
        type=setting,
        default=[],
        metavar="PATH=VALUE",
        help="fix a decision or a setting, as in network/width=32 or epochs=5; may be repeated",
    )
    group.add_argument(
        "--evaluate", metavar="PKG.MOD:FN", help="score trials with this Python function instead of training"
    )


def _where_to_put(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--run", metavar="DIR", help="the run folder (default: a fresh runs/SPACE-N)")
    group.add_argument("--resume", action="store_true", help="go on with the run in --run")
    output = group.add_mutually_exclusive_group()
    output.add_argument(
        "--json", action="store_true", help="print one JSON object per finished trial, and one at the end"
    )
    output.add_argument("--quiet", action="store_true", help="print the result only")


def run(options: argparse.Namespace) -> int:
    space = load(options.file)
    for warning in space.warnings:
        print(warning.render() + "\n", file=sys.stderr)
    start = None if options.start is None else read_point(space, options.start)
    if options.evaluate is not None:
        sys.path.insert(0, os.getcwd())  # as `python -m` would: functions beside the space can be named
    with watcher(sys.stdout, sys.stderr, json=options.json, quiet=options.quiet) as watch:
        found = search(
            space,
            searcher=options.searcher,
            budget=options.budget,
            time=options.time,
            seed=options.seed,
            workers=options.workers,
            gpus=options.gpus,
            per_gpu=options.per_gpu,
            cluster=options.cluster,
            trial_time=options.trial_time,
            memory=options.memory,
            run=options.run,
            evaluate=options.evaluate,
            data=_data(options),
            resume=options.resume,
            confirm=options.confirm,
            set=dict(options.set),
            start=start,
            warm=options.warm,
            fidelity=options.fidelity,
            on_event=watch,
        )
    return _finish(found, as_json=options.json)


def _data(options: argparse.Namespace) -> Any:
    """The user's files as the training package takes them. Raises NasdslError for half of a pair."""
    if options.data is None:
        for name in ("target", "valid"):
            if getattr(options, name) is not None:
                raise NasdslError(f"--{name} is about --data, which is not given")
        return None
    from nasdsl.training import UserData

    valid = None if options.valid is None else Path(options.valid)
    return UserData.from_file(Path(options.data), target=options.target, valid=valid)


def _finish(found: Run, as_json: bool) -> int:
    """Write the report, print what came of the run, and say it by the exit status."""
    report = write_report(found)
    if as_json:
        print(result_json(found), flush=True)
    else:
        print_result(found, report, sys.stdout)
    if found.ended == "interrupted":
        return 130
    return 1 if found.best is None else 0
