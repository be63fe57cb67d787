"""Seconds that `nasdsl check` takes as a whole process, beside a Python that does nothing.

    python benchmarks/check.py [SPACE] [RUNS]

Prints the medians of both, taken in turn, and the difference. Run it on a quiet machine; the first,
uncounted run writes the byte code, which an installation has and a variable could forbid.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time


def seconds(command: list[str]) -> float:
    """Wall time of one process, from its start to its end."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def main() -> None:
    space = sys.argv[1] if len(sys.argv) > 1 else "spaces/mnist1d.space"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    check = [sys.executable, "-m", "nasdsl", "check", space]
    nothing = [sys.executable, "-c", "pass"]
    seconds(check)
    pairs = [(seconds(check), seconds(nothing)) for _ in range(runs)]
    checked, idle = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"check {checked:.3f} s, python alone {idle:.3f} s, difference {checked - idle:.3f} s ({runs} runs)"
    )


if __name__ == "__main__":
    main()
