"""`nasdsl measure FILE`: what untrained networks cost, and what zero-cost proxies say of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from rich.table import Table

from compiler.wording import short_count
from nasdsl.cli.values import at_least
from nasdsl.engine.ranking_untrained import COSTS, Agreement, Measured, agreements, by_rank, drawn, of_run
from nasdsl.engine.run import Run, open_run
from nasdsl.engine.tables import print_table, sketch
from nasdsl.engine.wording import number
from nasdsl.language.errors import NasdslError
from nasdsl.language.reading import load
from nasdsl.language.signatures.measures import PROXIES
from nasdsl.language.space import Space


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .space file")
    parser.add_argument(
        "--proxies", action="store_true", help="measure zero-cost proxies and rank the points by them"
    )
    parser.add_argument(
        "--points", type=at_least(1), default=10, metavar="N", help="how many points (default: 10)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of the first point and its weights (default: 0)"
    )
    parser.add_argument(
        "--run",
        metavar="RUN",
        help="not points at random but those that this run of the space trained; says how far the order by each "
        "proxy, and by cost, is that of the trained scores",
    )
    parser.add_argument("--json", action="store_true", help="print one object")


def run(options: argparse.Namespace) -> int:
    space = load(options.file)
    names = PROXIES if options.proxies else ()
    if options.run is None:
        rows, found = drawn(space, options.points, options.seed, names), None
    else:
        found = _run_of(space, options.run)
        rows = of_run(found, names)
    if options.json:
        print(json.dumps(_as_data(rows, names, found)))
    else:
        _print(space if found is None else found.space, rows, names, found)
    return 0


def _run_of(space: Space, folder: str) -> Run:
    """Raises NasdslError where the run is one of another space."""
    found = open_run(folder)
    if not any(space.contains(record.point) for record in found.records):
        raise NasdslError(f"{folder} has no finished trial that is a point of `{space.name}`")
    return found


def _as_data(rows: Sequence[Measured], names: Sequence[str], found: Run | None) -> dict[str, object]:
    points = [
        {
            ("seed" if found is None else "trial"): row.number,
            "rank": rank,
            "measures": dict(row.values),
            "silent": dict(row.silent),
            "score": row.score,
            "point": dict(row.point),
        }
        for rank, row in by_rank(rows, names)
    ]
    told = [] if found is None else agreements(rows, names)
    listed = [
        {"measure": one.measure, "n": one.n, "kendall": one.kendall, "spearman": one.spearman} for one in told
    ]
    return {"points": points, "agreement": listed}


def _print(space: Space, rows: Sequence[Measured], names: Sequence[str], found: Run | None) -> None:
    print_table(_points(space, rows, names, found), sys.stdout)
    for name in names:
        reasons = {row.silent[name] for row in rows if name in row.silent}
        for reason in sorted(reasons):
            n = sum(row.silent.get(name) == reason for row in rows)
            print(f"\n– {n} of {len(rows)}: {reason}")
    if found is not None:
        print()
        print_table(_agreements(agreements(rows, names), found), sys.stdout)
    elif names:
        print("\nrank: mean over the proxies; whether they say anything here, a run tells: --run RUN")


def _points(space: Space, rows: Sequence[Measured], names: Sequence[str], found: Run | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    score = () if found is None else (found.goals[0].measure,)
    first = "seed" if found is None else "trial"
    ranked = by_rank(rows, names)
    for heading in (first, *score, *(("rank",) if names else ()), "params", "MACs", *names):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("network", overflow="fold")
    for rank, row in ranked:
        cells = [str(row.number)]
        if found is not None:
            sign = 1 if found.goals[0].maximize else -1
            cells.append(number(None if row.score is None else sign * row.score))
        cells += ["–" if rank is None else f"{rank:.1f}"] if names else []
        cells += [short_count(int(row.values[name])) for name in COSTS]
        cells += [_short(row.values.get(name)) for name in names]
        table.add_row(*cells, sketch(space, row.point))
    return table


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _agreements(told: Sequence[Agreement], found: Run) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"order as by {found.goals[0].measure}")
    for heading in ("Kendall", "Spearman", "points"):
        table.add_column(heading, justify="right")
    for one in told:
        numbers = ["–" if value is None else f"{value:.2f}" for value in (one.kendall, one.spearman)]
        table.add_row(one.measure, *numbers, str(one.n))
    return table
