"""Torn and hostile files through the checker: no traceback, no hang, each within 2 s and 512 MB.

    python -m benchmarks.fuzz [--rounds 100000] [--from 0] [--commands 0] [--hostile]

Round `i` is made from the seed `i` alone, so that a finding is had again by `--from i --rounds 1`. Seconds are
CPU seconds of this process; memory is limited by RLIMIT_AS for all of the run, and the peak is shown. `--commands n`
puts the last n texts through `nasdsl check`, `fmt --check` and `count` as processes as well.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fuzz.hostile import HOSTILE, texts_of
from benchmarks.fuzz.mutations import ROOT, corpus, mutated
from benchmarks.fuzz.reading import read

MOST_S = 2.0
MOST_BYTES = 512 * 2**20


class Hang(BaseException):
    """A text that takes ten times as long as it may; no handler of ours catches it."""


def stop(signum: int, frame: object) -> None:
    raise Hang


def rounds(first: int, many: int) -> Iterator[tuple[str, str, bytes]]:
    """Label, file name and content of each text."""
    texts = corpus()
    for number in range(first, first + many):
        name, raw = mutated(random.Random(f"fuzz/{number}"), texts)
        yield str(number), name, raw


def in_process(label: str, name: str, raw: bytes) -> tuple[str, float, str]:
    """What became of a text, in how many CPU seconds, and what went wrong with it ("": nothing)."""
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, 10 * MOST_S)
    try:
        outcome, wrong = read(raw, name), ""
    except (Hang, Exception):
        outcome, wrong = "wrong", traceback.format_exc(limit=-6)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = time.process_time() - start
    if not wrong and seconds > MOST_S:
        wrong = f"took {seconds:.1f} s"
    return outcome, seconds, wrong


def as_command(command: list[str], raw: bytes, folder: Path) -> str:
    """What is wrong with how a command ends on a text ("": nothing)."""
    path = folder / "text.space"
    path.write_bytes(raw)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "nasdsl", *command, str(path)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES)),
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = done.stderr.decode("utf-8", "replace")
    if done.returncode not in (0, 1, 2) or "Traceback" in told:
        return f"{command}: exit {done.returncode}\n{told[-2000:]}"
    if done.returncode and not told and not done.stdout:
        return f"{command}: exit {done.returncode} and not a word"
    return f"{command}: took {seconds:.1f} s" if seconds > MOST_S else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--commands", type=int, default=0, help="how many of them as processes as well")
    parser.add_argument("--hostile", action="store_true", help="the hostile files in place of torn ones")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    signal.signal(signal.SIGPROF, stop)
    texts = texts_of(HOSTILE) if options.hostile else rounds(options.first, options.rounds)
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()  # of findings; two of each are shown
    findings, slowest, last = 0, (0.0, ""), list[tuple[str, bytes]]()
    for label, name, raw in texts:
        outcome, seconds, wrong = in_process(label, name, raw)
        outcomes[outcome] += 1
        slowest = max(slowest, (seconds, label))
        last = [*last[-options.commands + 1 :], (label, raw)] if options.commands else []
        if options.hostile:
            print(f"{label}: {outcome}, {seconds:.2f} s", flush=True)
        if wrong:
            findings += 1
            kinds[wrong[-300:]] += 1
            if kinds[wrong[-300:]] <= 2:
                print(f"--- {label} ({name}): {wrong}", flush=True)
    for label, wrong in _commands(last):
        findings += 1
        print(f"--- {label}: {wrong}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(dict(outcomes.most_common()))
    print(
        f"{sum(outcomes.values()):,} texts, {len(last)} of them by three commands; {findings} findings; "
        f"the slowest {slowest[0]:.2f} s ({slowest[1]}); peak of this process {peak} MB"
    )
    return 1 if findings else 0


def _commands(texts: list[tuple[str, bytes]]) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        for label, raw in texts:
            for command in (["check"], ["fmt", "--check"], ["count"]):
                wrong = as_command(command, raw, Path(folder))
                if wrong:
                    yield label, wrong


if __name__ == "__main__":
    sys.exit(main())
