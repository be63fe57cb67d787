"""Malformed data files and what `nasdsl search` says of them, as a person reads it.

`pytest tests/cli/test_malformed_data.py --update-golden` writes the expected files anew; read the difference
before it is kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result

FILES = Path(__file__).parents[1] / "golden" / "data"
TABLES = sorted(path.stem for path in FILES.glob("*.csv"))
OF_NUMBERS = {"text_to_predict", "constant_to_predict", "too_few_rows"}
SPACE = """space table
task {kind} on shape(2{classes})
network {{
    linear(4 | 8)
    linear(outputs)
}}
"""

X, Y = np.arange(60.0).reshape(20, 3), np.arange(20) % 2
ARRAYS: dict[str, dict[str, Any]] = {
    "npz_other_names": {"inputs": X, "label": Y},
    "npz_lengths": {"X": X, "label": Y[:-1]},
    "npz_not_a_number": {"X": np.where(X == 31, np.nan, X), "label": Y},
    "npz_objects": {"X": X, "label": np.array([{}] * 20, dtype=object)},
    "npz_one_axis": {"X": X[:, 0], "label": Y},
    "npz_fractions": {"X": X, "label": Y + 0.5},
    "npz_one_hot": {"X": X, "label": np.eye(2)[Y]},
    "npz_texts": {"X": X.astype(str), "label": Y},
}
Nasdsl = Callable[..., Result]
Golden = Callable[[str, str], None]


def refused(nasdsl: Nasdsl, golden: Golden, name: str, file: str, target: str = "label") -> None:
    kind = "regression" if name in OF_NUMBERS else "classification"
    text = SPACE.format(kind=kind, classes="" if kind == "regression" else ", classes = 2")
    Path("table.space").write_text(text)
    result = nasdsl("search", "table.space", "--data", file, "--target", target, "--run", "run")
    assert (result.status, result.out) == (2, "")
    assert file in result.err
    assert "\nhelp: " in result.err
    assert "Traceback" not in result.err
    golden(f"data/{name}.error.txt", result.err)


@pytest.mark.parametrize("name", TABLES)
def test_tables(nasdsl: Nasdsl, golden: Golden, name: str) -> None:
    shutil.copy(FILES / f"{name}.csv", ".")
    refused(nasdsl, golden, name, f"{name}.csv", "lable" if name == "misspelt_target" else "label")


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(nasdsl: Nasdsl, golden: Golden, name: str) -> None:
    np.savez(f"{name}.npz", **ARRAYS[name])
    refused(nasdsl, golden, name, f"{name}.npz")


def test_a_damaged_file(nasdsl: Nasdsl, golden: Golden) -> None:
    Path("npz_damaged.npz").write_bytes(b"PK\x03\x04 cut off")
    refused(nasdsl, golden, "npz_damaged", "npz_damaged.npz")


def test_a_misspelt_file(nasdsl: Nasdsl, golden: Golden) -> None:
    shutil.copy(FILES / "ragged.csv", "ragged.csv")
    refused(nasdsl, golden, "no_such_file", "raged.csv")


def test_what_is_suspicious_is_told_before_any_training(nasdsl: Nasdsl, golden: Golden) -> None:
    """A constant column, copies of rows, a rare class, and a class that nobody validates."""
    rows = [f"{i},7,{'maybe' if i in (0, 1, 2) else 'yes' if i % 2 else 'no'}" for i in range(150)]
    Path("train.csv").write_text("\n".join(["size,unit,label", *rows]) + "\n")
    Path("valid.csv").write_text("\n".join(["size,unit,label", rows[9], rows[20], "400,7,yes"]) + "\n")
    Path("table.space").write_text(SPACE.format(kind="classification", classes=", classes = 3"))
    result = nasdsl(
        *("search", "table.space", "--data", "train.csv", "--target", "label", "--valid", "valid.csv"),
        *("--run", "run", "--budget", "1", "--workers", "1", "--set", "epochs=1", "--quiet"),
    )
    assert result.status == 0, result.err
    golden("data/suspicious.warning.txt", result.err)
    warnings = [line.removeprefix("warning     ") for line in result.out.splitlines() if "warning  " in line]
    assert [f"nasdsl: warning: {line}" for line in warnings] == result.err.splitlines()


def test_labels_out_of_range(nasdsl: Nasdsl, golden: Golden) -> None:
    rows = [f"{i},{i % 7},{i % 2}" for i in range(30)]
    Path("train.csv").write_text("\n".join(["x,z,label", *rows]) + "\n")
    Path("valid.csv").write_text("x,z,label\n1,2,0\n3,4,2\n")
    Path("table.space").write_text(SPACE.format(kind="classification", classes=", classes = 2"))
    command = ("search", "table.space", "--target", "label", "--run", "run", "--data")
    unseen = nasdsl(*command, "train.csv", "--valid", "valid.csv")
    lines = ["x,z,warm,label", *(f"{i},{i % 7},{i % 2},{i % 3 % 2}" for i in range(30)), "3,4,0,2"]
    Path("train.csv").write_text("\n".join(lines) + "\n")
    Path("table.space").write_text(SPACE.format(kind="multilabel", classes=", classes = 2"))
    neither = nasdsl(*command, "train.csv", "--target", "warm, label")
    assert unseen.status == neither.status == 2
    golden("data/label_out_of_range.error.txt", unseen.err + neither.err)
