"""Arrays mapped from files are read a block at a time; what comes of them is what comes of arrays in memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasdsl.language.reading import parse
from nasdsl.training import Dataset, UserData, open_data, room
from nasdsl.training import blocks as blocks_module
from nasdsl.training.errors import DataError
from nasdsl.training.tables import read_table

SHAPE = (4000, 2, 300)  # 9.6 MB
BLOCK = 1 << 18


def mapped(folder: Path, spoil: bool = False) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, 2.0, SHAPE).astype(np.float32)
    if spoil:
        x[3210, 1, 7] = np.nan
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r"), rng.integers(0, 3, len(x))


def opened(pair: tuple[Any, Any]) -> Dataset:
    space = parse("task classification on mnist1d\nnetwork { flatten; linear(outputs) }")
    return open_data(space.task, Path("."), UserData.from_arrays(pair))


def test_a_mapped_array_is_opened_within_a_few_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = mapped(tmp_path)
    whole = opened((np.array(pair[0]), pair[1]))
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", BLOCK)
    tracemalloc.start()
    data = opened(pair)
    data.save(tmp_path / "saved")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * BLOCK < pair[0].nbytes / 4
    again = Dataset.open(tmp_path / "saved")
    (x,), (scale,), (expected,) = (
        again.inputs.values(),
        again.folds[0].inputs.values(),
        whole.folds[0].inputs.values(),
    )
    assert np.array_equal(x, pair[0]) and data.warnings == whole.warnings
    np.testing.assert_allclose(scale.mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(scale.deviation, expected.deviation, rtol=1e-6)


def test_a_number_that_is_none_is_found_in_any_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", BLOCK)
    with pytest.raises(DataError, match=r"X\[3210, 1, 7\] is nan"):
        opened(mapped(tmp_path, spoil=True))


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_an_npz_file_is_opened_within_a_few_blocks(
    write: Any, kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.random.default_rng(0).integers(-9, 9, SHAPE).astype(kind)
    y = np.random.default_rng(1).integers(0, 3, len(x))
    write(tmp_path / "data.npz", x=x, y=y, unused=np.array([{}], dtype=object))
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", BLOCK)
    text = 'task classification on npz("data.npz", inputs = "x", target = "y")\nnetwork { flatten; linear(outputs) }'
    tracemalloc.start()
    data = open_data(parse(text).task, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(data.inputs["input"], x)
    assert peak < 10 * BLOCK < 4 * x.size / 3


def test_a_damaged_member_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez_compressed(path, x=np.arange(4000.0).reshape(1000, 4), y=np.zeros(1000, int))
    torn = bytearray(path.read_bytes())
    torn[200:220] = bytes(20)
    path.write_bytes(torn)
    text = 'task classification on npz("data.npz", inputs = "x", target = "y")\nnetwork { linear(outputs) }'
    with pytest.raises(DataError, match="damaged"):
        open_data(parse(text).task, tmp_path)


def test_a_table_that_does_not_fit_the_memory_is_refused_with_its_size_and_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.csv"
    path.write_text("a,b,y\n" + "0.125,1.5,0\n0.25,2.5,1\n" * 1000)
    monkeypatch.setattr(room, "_SMALL", 1000)
    monkeypatch.setattr(room, "free_memory", lambda: 100_000)
    with pytest.raises(
        DataError, match=r"2.2e-05 GB|read whole it takes about 0.0005\d* GB .* 0.0001 GB are free"
    ) as told:
        read_table(path)
    assert "open_memmap" in f"{told.value}"
    monkeypatch.setattr(room, "free_memory", lambda: 10_000_000)
    assert len(read_table(path).lines) == 2000
    monkeypatch.undo()
    assert room.free_memory() > 1 << 20
