"""A search among bad candidates, in full; test_pool.py has a short one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo import EXPECTED, TAME, complaints, kind_of, search


@pytest.mark.slow
def test_64_trials_of_which_21_are_bad(tmp_path: Path) -> None:
    zoo = search(tmp_path / "zoo", 64, 2, tame=False).records
    alone = search(tmp_path / "alone", 64, 2, tame=True).records
    assert {kind_of(record) for record in zoo} == {TAME, *EXPECTED}
    assert complaints(zoo, alone) == []
    assert all(log.stat().st_size <= 1 << 20 for log in (tmp_path / "zoo" / "logs").iterdir())
