"""Runs on disk: one JSON line per seed, so that a long comparison goes on where it was left.

FOLDER/<problem>/<searcher>-<budget>x<workers>.jsonl    {"seed", "incumbent", "seconds"} per line
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.search.harness import Trace


def path_of(folder: Path, problem: str, searcher: str, budget: int, workers: int) -> Path:
    """The file of one comparison."""
    return folder / problem / f"{searcher}-{budget}x{workers}.jsonl"


def read(path: Path) -> dict[int, Trace]:
    """Seed -> run; empty where there is no file yet."""
    if not path.exists():
        return {}
    rows = (json.loads(line) for line in path.read_text().splitlines())
    return {row["seed"]: Trace(row["incumbent"], row["seconds"]) for row in rows}


def append(path: Path, seed: int, trace: Trace) -> None:
    """Add one run; a single write, so that a stop leaves no half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seconds = [round(second, 6) for second in trace.seconds]
    row = {"seed": seed, "incumbent": trace.incumbent, "seconds": seconds}
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def all_of(folder: Path) -> Iterator[tuple[str, str, int, int, dict[int, Trace]]]:
    """(problem, searcher, budget, workers, runs by seed) of every file, sorted."""
    for path in sorted(folder.glob("*/*.jsonl")):
        searcher, _, rest = path.stem.rpartition("-")
        budget, _, workers = rest.partition("x")
        yield path.parent.name, searcher, int(budget), int(workers), read(path)
