"""One seed and one worker give the same run bit for bit: in another process, and after a kill."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nasdsl.engine.errors import RunError
from nasdsl.engine.records import Record
from nasdsl.engine.run import open_run
from nasdsl.engine.search import search
from nasdsl.engine.store import Store, has_run
from nasdsl.language.reading import parse

BUDGET = 14  # beyond the random beginning of the surrogate
TEXT = """
task classification on digits
network { flatten; linear(4..24); relu | tanh; dropout(0.0..0.4); linear(outputs) }
train { epochs = 3; optimizer = adamw(lr = 1e-3..0.1 log) }
"""
DRIVER = f"""
import sys
import nasdsl
space = nasdsl.parse({TEXT!r}, name="flower.space")
nasdsl.search(space, "smbo", budget={BUDGET}, workers=1, run=sys.argv[1], resume=True, seed=5)
"""


def start(folder: Path, hash_seed: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(folder)], env=os.environ | {"PYTHONHASHSEED": str(hash_seed)}
    )


def n_finished(folder: Path) -> int:
    try:
        return len(open_run(folder).records) if has_run(folder) else 0
    except RunError:
        return 0  # not begun


def content(records: tuple[Record, ...]) -> list[Any]:
    """All but the clock."""
    return [
        (r.trial, list(r.point.items()), r.score, r.error, r.seed, r.params, dict(r.measures), r.curve)
        for r in records
    ]


def test_in_two_processes_and_after_a_kill(tmp_path: Path) -> None:
    whole, broken = start(tmp_path / "whole", 1), start(tmp_path / "broken", 2)
    while n_finished(tmp_path / "broken") < 11 and broken.poll() is None:
        time.sleep(0.01)
    broken.kill()
    assert broken.wait() == -9, "it was to be killed in the middle"
    assert whole.wait() == 0 and start(tmp_path / "broken", 3).wait() == 0
    records = open_run(tmp_path / "whole").records
    assert len(records) == BUDGET and all(record.score is not None for record in records)
    assert content(open_run(tmp_path / "broken").records) == content(records)


@pytest.mark.parametrize("together", [False, True])
def test_confirmation_keeps_to_what_the_probe_chose(tmp_path: Path, together: bool) -> None:
    space = parse(TEXT, name="flower.space")

    def confirmed(folder: Path) -> Any:
        options: dict[str, Any] = {"budget": 3, "workers": 1, "seed": 5, "confirm": 2, "resume": True}
        return search(space, "random", run=folder, **options).meta

    first = confirmed(tmp_path / "run")
    # As if the probe had chosen so: whichever the clock preferred, a resume does not ask it again.
    with Store(tmp_path / "run") as store:
        chosen = {key: [together, "as stored"] for key in first["groups"]}
        store.set_meta({"groups": chosen, "confirmed": []})
    again = confirmed(tmp_path / "run")
    assert again["groups"] == chosen
    with Store(tmp_path / "run") as store:
        store.set_meta({"confirmed": []})
    assert confirmed(tmp_path / "run")["confirmed"] == again["confirmed"]
