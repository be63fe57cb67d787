"""A Python process in which the packages of nasdsl cannot be imported, installed or not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# An editable install is found even by `python -I`, so the names themselves are barred.
BARRED = """
import sys
for name in ("nasdsl", "compiler", "searchers"):
    sys.modules[name] = None
try:
    import nasdsl
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("nasdsl is importable: the test shows nothing")
import importlib.util, torch
torch.set_num_threads(1)
"""


def run_without_nasdsl(program: str, arguments: Sequence[Path], folder: Path) -> None:
    command = [sys.executable, "-I", "-c", BARRED + program, *map(str, arguments)]
    subprocess.run(command, cwd=folder, check=True)
