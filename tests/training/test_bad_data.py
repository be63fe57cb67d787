"""Whatever is wrong with data is said with its place and what to do."""

import pickle

import numpy as np
import pytest

from nasdsl.language.network import Spec, Task
from nasdsl.training import DataError, UserData, open_data

GOOD = [f"{i},{i % 7},{'ab'[i % 2]}" for i in range(20)]


def text(*rows, header="x,z,label"):
    return "\n".join([header, *rows]) + "\n"


def swapped(line, row):
    """Twenty good rows with one other in place of row `line` of the file."""
    return text(*GOOD[: line - 2], row, *GOOD[line - 1 :])


# name: (content, kind, arguments, place after the path, message, help)
CSV = {
    "empty": ("", "classification", {}, "", "the file is empty", ""),
    "blank": ("\n \n", "classification", {}, "", "the file is empty", ""),
    "no rows": ("x,z,label\n", "classification", {}, "", "there are names but no rows", ""),
    "unknown target": (text(*GOOD), "classification", {"target": "lable"}, ":1", "no column `lable`", "did you mean `label`?"),
    "far target": (text(*GOOD), "classification", {"target": "income"}, ":1", "no column `income`", "the columns are x, z, label"),
    "unknown group": (text(*GOOD), "classification", {"group": "g"}, ":1", "no column `g` for the group", "the columns"),
    "ragged": (swapped(6, "1,2"), "classification", {}, ":6", "2 cells, but the first line names 3", "quote"),
    "ragged after a quoted line break": (
        text('1,2,"a\nb"', "1,2"), "classification", {}, ":4", "2 cells, but the first line names 3", "quote",
    ),
    "twice the same name": (text(*GOOD, header="x,x,label"), "classification", {}, ":1", "two columns are called `x`", "rename"),
    "nameless": (text(*GOOD, header="x,,label"), "classification", {}, ":1", "column 2 has no name", "name it"),
    "no header": ("1,2,3\n4,5,6\n", "regression", {"target": "3"}, ":1", "holds numbers, not names", "add a line"),
    "one class": (text(*(f"{i},1,a" for i in range(20))), "classification", {}, "", "of one class, `a`", "two or more"),
    "rare class": (swapped(3, "1,2,c"), "classification", {}, "", "too few rows of class `c`: 1", "three or more"),
    "text to predict": (text(*GOOD), "regression", {}, ":2", "`a` in column `label` is not a number", "correct"),
    "numbers as classes": (
        text(*(f"{i},1,{i}.5" for i in range(20))), "classification", {}, "", "20 classes in 20 rows", "task regression",
    ),
    "constant numbers": (text(*(f"{i},1,5" for i in range(20))), "regression", {}, "", "the same number", "nothing to learn"),
    "missing cell": (swapped(9, "1,,a"), "classification", {}, ":9", "column `z` has no value", "fill the cell"),
    "nan": (swapped(9, "1,NaN,a"), "classification", {}, ":9", "column `z` has no value (`NaN`)", "fill the cell"),
    "infinite": (swapped(4, "1,inf,a"), "classification", {}, ":4", "`inf` in column `z`", ""),
    "too large": (swapped(4, "1,1e300,a"), "classification", {}, ":4", "`1e300` in column `z`", ""),
    "text among numbers": (swapped(5, "1,two,a"), "classification", {}, ":5", "`two` in column `z` is not", "correct"),
    "missing target": (swapped(5, "1,2,"), "classification", {}, ":5", "column `label` has no value", "fill the cell"),
    "too many texts": (
        text(*(f"u{i},{i},{'ab'[i % 2]}" for i in range(60))), "classification", {}, "", "column `x` has 60 different", "take it out",
    ),
    "no time": (text(*GOOD), "classification", {"time": "label"}, ":2", "neither a number nor a date", "2024-12-31"),
    "too few rows": (text("1,2,a", "2,2,a", "2,3,a"), "regression", {"target": "z"}, "", "too few rows", "more data"),
    "nothing to learn from": ("label\na\nb\n", "classification", {}, "", "no column is left", ""),
    "open quote": (text(*GOOD, '"1,2,a'), "classification", {}, ":22", "not a table", "quote"),
    "classes gone by time": (
        text(*(f"{i},1,{'a' if i < 15 else 'b'}" for i in range(20))), "classification", {"time": "x"}, "", "no row of class `b`", "another split",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CSV)
def test_malformed_tables(tmp_path, name):
    content, kind, arguments, place, message, help = CSV[name]
    path = tmp_path / "t.csv"
    path.write_text(content, "utf-8")
    task = Task(kind, Spec("csv", {"path": "t.csv", "target": "label", **arguments}), {}, 2)
    with pytest.raises(DataError) as caught:
        open_data(task, tmp_path)
    assert caught.value.place == f"{path}{place}"
    assert message in caught.value.message
    assert help in caught.value.help
    assert str(caught.value).startswith(f"{path}{place}: ")


RIGHT = {"X": np.random.default_rng(0).normal(size=(20, 3)), "y": np.arange(20) % 2}
NPZ = {
    "wrong key": ({"Y": RIGHT["y"], "X": RIGHT["X"]}, {}, "no array `y`", "did you mean `Y`?"),
    "unknown key": (RIGHT, {"inputs": "images"}, "no array `images` for the inputs", "the file holds X, y"),
    "lengths": ({"X": RIGHT["X"], "y": RIGHT["y"][:7]}, {}, "20 rows of inputs, but 7 targets", ""),
    "nan": ({"X": np.where(RIGHT["X"] > 1.5, np.nan, RIGHT["X"]), "y": RIGHT["y"]}, {}, "is nan", "missing"),
    "texts": ({"X": np.full((20, 3), "a"), "y": RIGHT["y"]}, {}, "not numbers", "numbers"),
    "one axis": ({"X": np.arange(20.0), "y": RIGHT["y"]}, {}, "have shape (20,)", "counts rows"),
    "no rows": ({"X": np.zeros((0, 3)), "y": np.zeros(0)}, {}, "are empty", ""),
    "one-hot classes": ({"X": RIGHT["X"], "y": np.eye(2)[RIGHT["y"]]}, {}, "shape (20, 2)", "one class per row"),
    "fractions": ({"X": RIGHT["X"], "y": RIGHT["y"] + 0.5}, {}, "fractions, not classes", "task regression"),
    "objects": ({"X": RIGHT["X"], "y": np.array([{}] * 20, dtype=object)}, {}, "never loaded", "plain numbers"),
    "group": ({**RIGHT, "g": np.arange(3)}, {"group": "g"}, "not (20,)", "one value per row"),
    "time": ({**RIGHT, "t": np.full(20, "x")}, {"time": "t"}, "holds no times", "datetime64"),
}  # fmt: skip


@pytest.mark.parametrize("name", NPZ)
def test_malformed_arrays(tmp_path, name):
    arrays, arguments, message, help = NPZ[name]
    np.savez(tmp_path / "d.npz", **arrays)
    task = Task("classification", Spec("npz", {"path": "d.npz", **arguments}), {}, 2)
    with pytest.raises(DataError) as caught:
        open_data(task, tmp_path)
    assert caught.value.place == str(tmp_path / "d.npz")
    assert message in caught.value.message
    assert help in caught.value.help


def test_files_that_are_something_else(tmp_path):
    (tmp_path / "d.npz").write_bytes(b"PK\x03\x04 not a zip")
    (tmp_path / "e.npz").write_bytes(b"")
    np.save(tmp_path / "f.npy", np.zeros(3))
    (tmp_path / "f.npy").rename(tmp_path / "f.npz")
    for name, message in (("d.npz", "damaged"), ("e.npz", "damaged"), ("f.npz", "one array")):
        with pytest.raises(DataError, match=message):
            open_data(Task("classification", Spec("npz", {"path": name}), {}, 2), tmp_path)
    (tmp_path / "b.csv").write_bytes(b"x,label\n1,\xff\xfe\n")
    with pytest.raises(DataError, match=r"b\.csv:2: the file is not UTF-8"):
        open_data(Task("classification", Spec("csv", {"path": "b.csv", "target": "label"}), {}, 2), tmp_path)
    with pytest.raises(DataError, match=r"`\.xlsx` are not read\nhelp: give a \.csv"):
        open_data(Task("classification", None, {}, 2), tmp_path, UserData.from_file("t.xlsx", target="y"))


@pytest.mark.parametrize("name", ["csv", "npz"])
def test_missing_files(tmp_path, name):
    task = Task("classification", Spec(name, {"path": "absent", "target": "y"}), {}, 2)
    with pytest.raises(DataError, match="absent: no such file\nhelp: paths in a space"):
        open_data(task, tmp_path)


def test_a_class_only_the_validation_file_knows(tmp_path):
    (tmp_path / "t.csv").write_text(text(*GOOD))
    (tmp_path / "v.csv").write_text(text("1,2,a", "1,2,B"))
    arguments = {"path": "t.csv", "target": "label", "valid_file": "v.csv"}
    with pytest.raises(DataError, match="class `B` is not among those") as caught:
        open_data(Task("classification", Spec("csv", arguments), {}, 2), tmp_path)
    assert caught.value.place == str(tmp_path / "v.csv")
    assert caught.value.help == "did you mean `b`?"


def test_a_validation_file_without_a_column(tmp_path):
    (tmp_path / "t.csv").write_text(text(*GOOD))
    (tmp_path / "v.csv").write_text("x,label\n1,a\n2,b\n")
    arguments = {"path": "t.csv", "target": "label", "valid_file": "v.csv"}
    with pytest.raises(DataError, match=r"v\.csv:1: no column `z`"):
        open_data(Task("classification", Spec("csv", arguments), {}, 2), tmp_path)


def test_arrays_that_do_not_fit_each_other():
    x, y = np.zeros((9, 3)), np.arange(9) % 2
    task = Task("classification", None, {}, 2)
    with pytest.raises(DataError, match="rows of shape"):
        open_data(task, None, UserData.from_arrays((x, y), (np.zeros((4, 2)), y[:4])))
    with pytest.raises(DataError, match="9 rows of inputs, but 8 targets"):
        open_data(task, None, UserData.from_arrays((x, y[:8])))
    with pytest.raises(DataError, match=r"pair \(X, y\)"):
        UserData.from_arrays((x, y, y))


def test_a_file_of_a_user_needs_a_target(tmp_path):
    (tmp_path / "t.csv").write_text(text(*GOOD))
    with pytest.raises(DataError, match="--target NAME"):
        open_data(Task("classification", None, {}, 2), tmp_path, UserData.from_file(tmp_path / "t.csv"))


def test_errors_cross_between_processes_whole():
    error = pickle.loads(pickle.dumps(DataError("m", "p", "h")))
    assert (error.message, error.place, error.help, str(error)) == ("m", "p", "h", "p: m\nhelp: h")


@pytest.mark.parametrize("path", ["../t.csv", "/etc/passwd", "link.csv"])
def test_files_outside_the_folder_of_the_space_are_not_read(tmp_path, path):
    (tmp_path / "t.csv").write_text(text(*GOOD))
    folder = tmp_path / "spaces"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "t.csv")
    with pytest.raises(DataError, match="may not lie outside"):
        open_data(Task("classification", Spec("csv", {"path": path, "target": "label"}), {}, 2), folder)
