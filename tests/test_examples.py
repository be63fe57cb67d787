"""The programs of `examples/` that use searchers alone run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# What a program takes, to be done in seconds.
PROGRAMS = {"custom_loop.py": (), "hpo_sklearn.py": ("12",)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_runs(name: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-W",
        "error::DeprecationWarning",
        str(ROOT / "examples" / name),
        *PROGRAMS[name],
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout
