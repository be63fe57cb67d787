"""A zoo of bad candidates in one search: networks that take their process down, beside networks that train.

    python -m benchmarks.zoo [--trials 64] [--workers 2]

Networks on digits hold a `beast`: most do nothing, the others raise while they are built, raise in forward, give NaN, never
come back, ask for 100 GB, end the process, print 1 GB, or fork. The search must end with every trial told for what it is, and
each good trial must have, bit for bit, the score that it has in a search of good trials alone. Exit status 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

import nasdsl
from nasdsl.engine.records import Record
from nasdsl.language.point import Point
from searchers.protocol import Outcome

TAME = "tame"
EXPECTED = {
    "raises_in_build": "RuntimeError: not a network",
    "raises_in_forward": "RuntimeError: not today",
    "nan": "Diverged: the training loss is nan",
    "loops": "over the time limit",
    "allocates": "out of memory",
    "exits": "the worker process ended with exit code 7",
    "prints": None,  # a nuisance, not a failure
    "forks": None,  # the copy is ended where it would speak for the trial
}
_EVERY = 3  # one trial in so many is bad
_SPACE = """
task classification on digits
network { flatten; linear(width = 16..64); relu; beast(%s); linear(outputs) }
train { epochs = 3 }
"""
_LIMITS = {"trial_time": 10.0, "memory": 1 << 30}


class Beast(nn.Module):
    """Passes its input on; what else it does, `kind` says."""

    def __init__(self, kind: str = TAME) -> None:
        super().__init__()
        self.kind = kind
        self.scale = nn.Parameter(torch.ones(1))
        self._done = False
        if kind == "raises_in_build" and not self.scale.is_meta:
            raise RuntimeError("not a network")

    def forward(self, x: Tensor) -> Tensor:
        if x.is_meta or self._done:
            return x * self.scale
        self._done = True
        match self.kind:
            case "raises_in_forward":
                raise RuntimeError("not today")
            case "nan":
                return x * self.scale * float("nan")
            case "loops":
                while True:
                    pass
            case "allocates":
                return x + torch.ones(25 * 10**9)[0]
            case "exits":
                os._exit(7)
            case "prints":
                for _ in range(1000):
                    sys.stdout.write("x" * 10**6)
            case "forks":
                os.fork()
        return x * self.scale


class Keeper:
    """Asks for every third trial to be bad, each kind in turn; `tame` puts good ones in their places."""

    def __init__(self, space: nasdsl.Space, tame: bool) -> None:
        self._space, self._tame = space, tame

    def ask(self, trial: int) -> Point | None:
        point = self._space.sample(seed=trial)
        kinds = list(EXPECTED)
        bad = trial % _EVERY == 1 and not self._tame
        kind = kinds[trial // _EVERY % len(kinds)] if bad else TAME
        return Point({path: kind if path.endswith("kind") else answer for path, answer in point.items()})

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Nothing to learn."""


def kind_of(record: Record) -> str:
    return next(str(answer) for path, answer in record.point.items() if path.endswith("kind"))


def search(folder: Path, trials: int, workers: int, tame: bool) -> nasdsl.Run:
    nasdsl.op(Beast, kind=(TAME, *EXPECTED))
    space = nasdsl.parse(_SPACE % ("kind = " + " | ".join((TAME, *EXPECTED))), name="zoo.space")
    return nasdsl.search(
        space,
        Keeper(space, tame),
        budget=trials,
        workers=workers,
        run=folder,
        on_event=lambda event: None,
        **_LIMITS,
    )


def complaints(zoo: Sequence[Record], alone: Sequence[Record]) -> list[str]:
    """What went otherwise than it should; none is what is wanted."""
    good = {record.trial: record for record in alone}
    found = [] if len(zoo) == len(good) else [f"{len(zoo)} of {len(good)} trials have an outcome"]
    for record in zoo:
        kind, other = kind_of(record), good[record.trial]
        expected = EXPECTED.get(kind)
        if expected is not None and not (record.error or "").startswith(expected):
            found.append(f"trial {record.trial}, {kind}: {record.error or record.score}")
        if expected is None and (record.error or record.score is None):
            found.append(f"trial {record.trial}, {kind}, failed: {record.error}")
        if kind == TAME and (record.score, record.curve) != (other.score, other.curve):
            found.append(f"trial {record.trial} has {record.score}, alone {other.score}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as base:
        zoo = search(Path(base) / "zoo", options.trials, options.workers, tame=False)
        alone = search(Path(base) / "alone", options.trials, options.workers, tame=True)
        log_bytes = sum(path.stat().st_size for path in (Path(base) / "zoo" / "logs").iterdir())
    for record in sorted(zoo.records, key=lambda record: record.trial):
        if kind_of(record) != TAME:
            told = record.error.splitlines()[0] if record.error else f"score {record.score:.4f}"
            print(f"trial {record.trial:3d} {kind_of(record):18} {told}")
    found = complaints(zoo.records, alone.records)
    n_tame = sum(kind_of(record) == TAME for record in zoo.records)
    print(
        f"{len(zoo.records)} trials in {time.monotonic() - began:.0f} s, {n_tame} of them tame; logs {log_bytes} bytes"
    )
    print("\n".join(found) or "every tame trial has the score that it has alone, bit for bit")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
