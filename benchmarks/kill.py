"""kill -9 of a whole `nasdsl search` at random moments, then `--resume`, with every promise checked.

    python benchmarks/kill.py [--space spaces/mnist1d.space] [--kills 20] [--budget 40] [--seed 0]

Each round starts the command in a fresh process, kills it with SIGKILL after a random time, and compares
the run file with what had been finished before: every finished trial still there and unchanged, none
twice, no process left behind, no lock left. At the end a last resume must meet the budget exactly.
Prints one line for each kill and a verdict; exit status 1 at the first broken promise.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nasdsl.engine.errors import RunError
from nasdsl.engine.records import Record
from nasdsl.engine.run import open_run
from nasdsl.engine.store import has_run

_MARK = "NASDSL_KILL_BENCHMARK"
_LONGEST_ROUND_S = 25.0
_GONE_WITHIN_S = 20.0


def main() -> int:
    arguments = _arguments()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "run"
        kept: dict[int, Record] = {}
        kills = 0
        while kills < arguments.kills:
            command = _start(arguments.space, len(kept) + arguments.budget, folder)
            delay = rng.uniform(0.0, _LONGEST_ROUND_S)
            ended = _wait(command, delay)
            command.kill()
            command.wait()
            kills += not ended
            _promise(_all_gone(folder), "a process is left behind")
            kept = _checked(folder, kept)
            print(f"kill {kills:3d} after {delay:5.2f} s: {len(kept)} finished trials, all there", flush=True)
        budget = len(kept) + 4
        _promise(_start(arguments.space, budget, folder).wait() == 0, "the last resume failed")
        kept = _checked(folder, kept)
        _promise(
            sorted(kept) == list(range(budget)), f"the budget of {budget} is not met exactly: {sorted(kept)}"
        )
        _promise(not open_run(folder).pending, "a trial is still pending")
    print(f"{kills} kills, {budget} trials: each finished trial once, budget exact, nothing left behind")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--space", default="spaces/mnist1d.space")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--budget", type=int, default=40, help="trials still to run at each start")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _start(space: str, budget: int, folder: Path) -> subprocess.Popen[bytes]:
    call = "import sys; from nasdsl.cli import main; sys.exit(main())"
    options = ["--budget", str(budget), "--run", str(folder), "--resume", "--quiet"]
    return subprocess.Popen(
        [sys.executable, "-c", call, "search", space, *options],
        env=os.environ | {_MARK: str(folder)},
        stdout=subprocess.DEVNULL,
    )


def _wait(command: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the command ended by itself; then it must have succeeded."""
    try:
        _promise(command.wait(seconds) == 0, f"the search ended with status {command.returncode}")
    except subprocess.TimeoutExpired:
        return False
    return True


def _checked(folder: Path, before: dict[int, Record]) -> dict[int, Record]:
    """The finished trials, after a look at every promise about them."""
    if not has_run(folder):
        _promise(not before, "the run file is gone")
        return {}
    try:
        records = open_run(folder).records
    except RunError:
        _promise(not before, "the run file is unreadable")
        return {}
    now = {record.trial: record for record in records}
    _promise(len(now) == len(records), "a trial is stored twice")
    _promise(before.items() <= now.items(), "a finished trial was lost or changed")
    return now


def _all_gone(folder: Path) -> bool:
    """Whether no process that inherited the mark lives on; they have a moment to notice."""
    deadline = time.monotonic() + _GONE_WITHIN_S
    while _alive(f"{_MARK}={folder}".encode()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _alive(mark: bytes) -> bool:
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark in (process / "environ").read_bytes():
                return True
        except OSError:
            continue  # ended meanwhile, or another user's
    return False


def _promise(held: bool, otherwise: str) -> None:
    if not held:
        print(f"BROKEN: {otherwise}", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    raise SystemExit(main())
