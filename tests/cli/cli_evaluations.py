"""Evaluations that the command line finds by name."""

from __future__ import annotations

import os
import time
from typing import Any


def score(trial: Any) -> dict[str, float]:
    """Best at a = 3; every third trial fails."""
    if trial.number % 3 == 2:
        raise ValueError(f"<b>no luck</b> in trial {trial.number}")
    return {"score": trial.point["a"] + trial.point["rate"], "speed": 1.0}


def fail(trial: Any) -> float:
    raise RuntimeError("never works")


def slow(trial: Any) -> float:
    """Tells the test by a file that it runs."""
    open(f"started-{trial.number}", "w").close()
    time.sleep(0.2 if os.environ.get("FAST") else 0.5)
    return float(trial.number)
