"""Ten thousand trials of an evaluation that takes no time: what the engine itself costs.

    python -m benchmarks.many [--trials 10000] [--workers 2] [--searcher random]

Prints every tenth of the run: trials a second, memory of the driver and of its workers, how often the bar of a terminal
was drawn. At the end the size of the run folder, and the CPU time that the driver spent on a trial, all included:
asking, storing, telling, drawing.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

import nasdsl
from nasdsl.engine.events import Event, TrialFinished
from nasdsl.engine.isolation import memory_status
from nasdsl.engine.progress import Bar
from nasdsl.engine.run import open_run
from nasdsl.engine.trial import Trial

_SPACE = """
let rate = 1e-4..0.1 log
let width = 8..512
let kind = a | b
let depth = 1..6
"""


def evaluate(trial: Trial) -> float:
    """No work."""
    return float(trial.point["width"])  # type: ignore[arg-type]


class Screen(io.StringIO):
    """A terminal that keeps nothing and counts what is drawn."""

    drawn = 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.drawn += "done" in text
        return len(text)


class Watch:
    """The bar as a terminal shows it, and a line for each tenth of the run."""

    def __init__(self, trials: int) -> None:
        self.screen = Screen()
        self.bar = Bar(Console(file=self.screen, highlight=False, width=120))
        self._tenth = max(1, trials // 10)
        self._began, self._last = 0.0, (0, 0.0)

    def take(self, event: Event) -> None:
        self.bar.take(event)
        if not isinstance(event, TrialFinished) or event.finished % self._tenth:
            return
        before, at = self._last
        self._last = (event.finished, event.elapsed_s)
        rate = (event.finished - before) / (event.elapsed_s - at)
        driver, workers = memory_status("self", "VmRSS"), sum(map(_rss, _children()))
        print(
            f"{event.finished:6d} trials  {rate:6.0f} a second  driver {driver / 2**20:6.1f} MiB  "
            f"workers {workers / 2**20:6.1f} MiB  bar drawn {self.screen.drawn} times",
            file=sys.__stdout__,  # the bar holds the other
            flush=True,
        )


def _rss(pid: int) -> int:
    return memory_status(pid, "VmRSS")


def _children() -> list[int]:
    """Every process below this one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {os.getpid()})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--searcher", default="random")
    options = parser.parse_args()
    space = nasdsl.parse(_SPACE, name="many.space")
    watch = Watch(options.trials)
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "run"
        cpu, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        with watch.bar.live:
            nasdsl.search(
                space,
                searcher=options.searcher,
                budget=options.trials,
                workers=options.workers,
                run=folder,
                evaluate="benchmarks.many:evaluate",
                on_event=watch.take,
            )
        wall, now = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
        spent = now.ru_utime + now.ru_stime - cpu.ru_utime - cpu.ru_stime
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        began = time.monotonic()
        n_read = len(open_run(folder).records)
        print(
            f"{n_read} trials in {wall:.1f} s: {n_read / wall:.0f} a second; driver {1e3 * spent / n_read:.2f} ms of CPU "
            f"a trial; run folder {size / 1e6:.1f} MB, read in {time.monotonic() - began:.1f} s"
        )


if __name__ == "__main__":
    main()
