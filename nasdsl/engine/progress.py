"""A search as it runs, for people and programs: a bar on a terminal, lines on a pipe, JSON on request.

Each watcher is a function of events; see events.py.
"""

from __future__ import annotations

import json as json_text
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeAlias

from rich.console import Console
from rich.live import Live
from rich.text import Text

from nasdsl.engine.events import (
    Ended,
    Event,
    Notice,
    PhaseStarted,
    PhaseStep,
    Started,
    TrialFinished,
    TrialReported,
    TrialStarted,
)
from nasdsl.engine.records import Record
from nasdsl.engine.wording import clock

Watch: TypeAlias = Callable[[Event], None]
_PHASES = {
    "confirm": "training the best again",
    "test": "testing the winner",
    "baselines": "fitting baselines",
}
_BAR = 24  # columns


@contextmanager
def watcher(out: TextIO, errors: TextIO, *, json: bool = False, quiet: bool = False) -> Iterator[Watch]:
    """The watcher that suits the stream: JSON lines, nothing but notices, a live bar, or plain lines."""
    if json:
        yield lambda event: _json_line(event, out, errors)
    elif quiet:
        yield lambda event: _notice(event, errors)
    elif out.isatty():
        bar = Bar(Console(file=out, highlight=False))
        with bar.live:
            yield bar.take
    else:
        yield Lines(out).take


def _json_line(event: Event, out: TextIO, errors: TextIO) -> None:
    """One object per finished trial; notices go to standard error, away from the objects."""
    if isinstance(event, TrialFinished):
        print(json_text.dumps(record_json(event.record)), file=out, flush=True)
    _notice(event, errors)


def _notice(event: Event, errors: TextIO) -> None:
    match event:
        case Notice(text):
            print(f"nasdsl: {text}", file=errors, flush=True)
        case Ended(by="interrupted" | "failing", why=why):
            print(f"nasdsl: {why}", file=errors, flush=True)
        case _:
            pass


def record_json(record: Record) -> dict[str, object]:
    """What programs read of a trial."""
    return {
        "trial": record.trial,
        "score": record.score,
        "error": record.error,
        "seconds": round(record.seconds, 3),
        "point": dict(record.point),
        "params": record.params,
        "macs": record.macs,
        "seed": record.seed,
        "measures": dict(record.measures),
    }


class Tally:
    """How far a search is: what both the bar and the lines say."""

    def __init__(self) -> None:
        self.budget: int | None = None
        self.time_s: float | None = None
        self.finished = self.here = self.failed = self.running = 0
        self.best: Record | None = None
        self.began = time.monotonic()

    def take(self, event: Event) -> None:
        match event:
            case Started(budget=budget, time_s=time_s, finished=finished):
                self.budget, self.time_s, self.finished = budget, time_s, finished
                self.began = time.monotonic()
            case TrialStarted():
                self.running += 1
            case TrialFinished(record=record, best=best, finished=finished, running=running):
                self.here += 1
                self.failed += record.score is None
                self.finished, self.running, self.best = finished, running, best
            case _:
                pass

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began

    @property
    def share(self) -> float | None:
        """Of the budget or the time, whichever ends first; None where neither is set."""
        shares = []
        if self.budget:
            shares.append(self.finished / self.budget)
        if self.time_s:
            shares.append(self.elapsed_s / self.time_s)
        return min(1.0, max(shares)) if shares else None

    def left_s(self) -> float | None:
        """Seconds to go at the rate so far; None while nothing has finished and no time is set."""
        guesses = []
        if self.budget and self.here:
            guesses.append((self.budget - self.finished) * self.elapsed_s / self.here)
        if self.time_s:
            guesses.append(max(0.0, self.time_s - self.elapsed_s))
        return min(guesses) if guesses else None

    def progress(self) -> str:
        """`12/32 done, 1 failed`"""
        of = f"/{self.budget}" if self.budget else ""
        return f"{self.finished}{of} done" + (f", {self.failed} failed" if self.failed else "")

    def best_text(self) -> str:
        if self.best is None or self.best.score is None:
            return "no score yet"
        return f"best {self.best.score:.4f} (trial {self.best.trial})"

    def rate(self) -> str:
        return f"{60 * self.here / self.elapsed_s:.1f}/min" if self.here and self.elapsed_s > 0 else ""

    def left(self) -> str:
        seconds = self.left_s()
        return "" if seconds is None else f"{clock(seconds)} left"


class Lines:
    """A line for each thing that happened, for pipes and logs."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tally = Tally()

    def take(self, event: Event) -> None:
        self._tally.take(event)
        match event:
            case Started():
                self._say(started_text(event))
            case TrialFinished(record=record):
                parts = [
                    trial_text(record),
                    self._tally.progress(),
                    self._tally.best_text(),
                    self._tally.left(),
                ]
                self._say("  ".join(part for part in parts if part))
            case PhaseStarted(phase, total):
                self._say(f"{_PHASES[phase]}: {total} to do" if total > 1 else _PHASES[phase])
            case Notice(text):
                self._say(text)
            case Ended(why=why):
                self._say(why)
            case _:
                pass

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class Bar:
    """One live line at the foot of a terminal; failures and notices scroll above it."""

    def __init__(self, console: Console) -> None:
        self._tally = Tally()
        self._phase = ""
        self.live = Live(console=console, transient=True, refresh_per_second=4, get_renderable=self._line)

    def take(self, event: Event) -> None:
        self._tally.take(event)
        match event:
            case Started():
                self._say(started_text(event))
            case TrialFinished(record=record) if record.score is None:
                self._say(trial_text(record), "yellow")
            case PhaseStarted(phase, total):
                self._phase = f"{_PHASES[phase]} 0/{total}"
            case PhaseStep(phase, done):
                self._phase = f"{_PHASES[phase]} {done}/{self._phase.rpartition('/')[2]}"
            case Notice(text):
                self._say(text, "yellow")
            case Ended(why=why):
                self._say(why, "bold")
            case TrialStarted() | TrialReported() | TrialFinished():
                pass

    def _say(self, text: str, style: str = "") -> None:
        self.live.console.print(Text(text, style=style))

    def _line(self) -> Text:
        tally = self._tally
        if self._phase:
            return Text(self._phase)
        filled = round(_BAR * (tally.share or 0.0))
        parts = [tally.progress(), f"{tally.running} running", tally.best_text(), tally.rate(), tally.left()]
        line = Text("━" * filled, style="green", no_wrap=True, overflow="ellipsis") + Text(
            "━" * (_BAR - filled), style="bright_black"
        )
        return line + Text("  " + "  ".join(part for part in parts if part), style="default")


def started_text(event: Started) -> str:
    limits = [f"{event.budget} trials"] if event.budget else []
    limits += [f"within {clock(event.time_s)}"] if event.time_s else []
    before = f"; {event.finished} finished before" if event.finished else ""
    return (
        f"searching {event.space} by {event.searcher}: {' '.join(limits)}, {event.slots} at a time{before}; "
        f"run folder {event.folder}"
    )


def trial_text(record: Record) -> str:
    """`trial 12  0.9134  2.1 s`, or why it failed."""
    what = (
        f"{record.score:.4f}" if record.score is not None else f"{record.reason}: {_first_line(record.error)}"
    )
    return f"trial {record.trial}  {what}  {record.seconds:.1f} s"


def _first_line(error: str | None) -> str:
    return (error or "").strip().split("\n")[0][:200]
