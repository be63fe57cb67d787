"""Built-in data, files and arrays become the data sets they should."""

import subprocess
import sys

import numpy as np
import pytest

from nasdsl.language.network import Spec, Task
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.data import task_shapes
from nasdsl.training import DataError, Dataset, UserData, open_data
from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.opening import complete


def task(kind, name="shape", **arguments):
    return Task(kind, Spec(name, arguments), {}, 2)


def write_csv(path, n_rows=60, seed=0, dates=False):
    """Columns size (mean 100, deviation 10), color, patient, day, quality, price; size decides quality."""
    rng = np.random.default_rng(seed)
    size = rng.normal(100, 10, n_rows)
    lines = ["size,color,patient,day,quality,price"]
    for row in range(n_rows):
        quality = "good" if size[row] > 100 else "bad"
        day = f"2024-01-{1 + row % 28:02d}" if dates else row % 28
        color = ("red", "green", "blue")[row % 3]
        lines.append(f"{size[row]:.4f},{color},p{row // 6},{day},{quality},{3 * size[row]:.3f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("kind", "name", "sizes"),
    [
        ("classification", "digits", (1078, 360, 359)),
        ("classification", "breast_cancer", (341, 114, 114)),
        ("classification", "wine", (107, 35, 36)),
        ("regression", "diabetes", (265, 89, 88)),
        ("classification", "mnist1d", (3200, 800, 1000)),
    ],
)
def test_built_in_data_have_the_shapes_known_without_loading(tmp_path, kind, name, sizes):
    data = open_data(task(kind, name), tmp_path)
    shapes, outputs = task_shapes(kind, complete(Spec(name)))
    assert data.shapes == shapes
    assert data.outputs == outputs
    assert data.inputs[INPUT].shape[1:] == shapes[INPUT].sizes()
    assert data.inputs[INPUT].dtype == np.float32
    assert tuple(len(data.rows(part)) for part in ("train", "valid", "test")) == sizes
    assert f"{sizes[0]:,} train / {sizes[1]:,} validation / {sizes[2]:,} test" in data.statement
    if kind == "classification":
        assert len(data.classes) == outputs == data.targets[OUTPUT].max() + 1


def test_data_that_do_not_serve_the_task_are_refused(tmp_path):
    for kind, name in (("regression", "wine"), ("classification", "diabetes"), ("regression", "mnist1d")):
        with pytest.raises(DataError, match=f"`{name}` serves no {kind}"):
            open_data(task(kind, name), tmp_path)


def test_a_space_without_data_asks_for_some(tmp_path):
    with pytest.raises(DataError, match=r"names no data.*\nhelp: give --data"):
        open_data(task("classification", "shape", d1=3, classes=2), tmp_path)


def test_a_table_is_encoded_and_scaled_by_its_training_part(tmp_path):
    write_csv(tmp_path / "t.csv")
    data = open_data(task("classification", "csv", path="t.csv", target="quality"), tmp_path)
    assert data.classes == ("bad", "good")
    assert data.features[:4] == ("size", "color=blue", "color=green", "color=red")
    x = data.inputs[INPUT]
    assert (x[:, 1:4].sum(1) == 1).all()
    assert ((x[:, 0] > 100) == (data.targets[OUTPUT] == 1)).all()
    scale, train = data.folds[0].inputs[INPUT], x[data.rows("train")]
    np.testing.assert_allclose(scale.mean[0], train[:, 0].mean(), rtol=1e-5)
    np.testing.assert_allclose(scale.deviation[0], train[:, 0].std(), rtol=1e-4)
    assert not scale.mean[1:4].any() and (scale.deviation[1:4] == 1).all()  # zeros and ones stay
    assert abs(scale.mean[0] - x.mean(0)[0]) > 0  # not of all rows


def test_groups_and_times_are_no_inputs(tmp_path):
    write_csv(tmp_path / "t.csv", dates=True)
    arguments = {"path": "t.csv", "target": "price", "group": "patient", "time": "day"}
    data = open_data(task("regression", "csv", **arguments), tmp_path)
    assert data.features == ("size", "color=blue", "color=green", "color=red", "quality=bad", "quality=good")
    patients = [f"p{row // 6}" for row in range(60)]
    parts = [{patients[row] for row in data.rows(part)} for part in ("train", "valid", "test")]
    assert not parts[0] & parts[1] and not parts[1] & parts[2] and not parts[0] & parts[2]


def test_several_targets_of_a_regression(tmp_path):
    write_csv(tmp_path / "t.csv")
    arguments = {"path": "t.csv", "target": "price, size", "group": "patient"}
    spec = Spec("csv", arguments)
    data = open_data(Task("regression", spec, {}, 2), tmp_path)
    assert data.outputs == 2 == task_shapes("regression", spec)[1]
    assert data.targets[OUTPUT].shape == (60, 2)
    assert "size" not in data.features
    np.testing.assert_allclose(
        data.folds[0].targets[OUTPUT].mean, data.targets[OUTPUT][data.rows("train")].mean(0), rtol=1e-5
    )


def test_the_delimiter_is_found_and_quotes_are_kept(tmp_path):
    lines = ["\ufeffa;b;label"] + [f'{i};{i * i};"x;{i % 2}"' for i in range(20)]
    (tmp_path / "t.csv").write_text("\r\n".join(lines), "utf-8")
    data = open_data(task("classification", "csv", path="t.csv", target="label"), tmp_path)
    assert data.features == ("a", "b")
    assert data.classes == ("x;0", "x;1")


def test_a_validation_file_is_encoded_as_the_first(tmp_path):
    write_csv(tmp_path / "t.csv")
    write_csv(tmp_path / "v.csv", n_rows=20, seed=1)
    arguments = {"path": "t.csv", "target": "quality", "valid_file": "v.csv"}
    data = open_data(task("classification", "csv", **arguments), tmp_path)
    assert data.rows("valid").tolist() == list(range(60, 80))
    assert len(data.inputs[INPUT]) == 80
    assert data.rows("train").max() < 60
    assert "validation from its own file" in data.statement


def test_folds_have_scales_of_their_own(tmp_path):
    write_csv(tmp_path / "t.csv")
    data = open_data(task("classification", "csv", path="t.csv", target="quality", folds=4), tmp_path)
    assert len(data.folds) == 4
    assert len({float(fold.inputs[INPUT].mean[0]) for fold in data.folds}) == 4


def test_an_npz_of_images_is_scaled_by_channel(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal([[[[5.0]], [[100.0]]]], [[[[1.0]], [[7.0]]]], (40, 2, 6, 5))
    np.savez(tmp_path / "i.npz", X=x, y=np.arange(40) % 4)
    data = open_data(task("classification", "npz", path="i.npz"), tmp_path)
    assert data.shapes[INPUT] == Shape((2, 6, 5), "image")
    scale = data.folds[0].inputs[INPUT]
    assert scale.mean.shape == (2, 1, 1)
    np.testing.assert_allclose(scale.deviation.ravel(), [1, 7], rtol=0.1)


def test_an_npz_in_time(tmp_path):
    days = np.datetime64("2024-01-01") + np.random.default_rng(0).permutation(30)
    np.savez(tmp_path / "t.npz", a=np.arange(30.0)[:, None], b=np.arange(30.0), when=days)
    arguments = {"path": "t.npz", "inputs": "a", "target": "b", "time": "when"}
    data = open_data(task("regression", "npz", **arguments), tmp_path)
    assert days[data.rows("train")].max() < days[data.rows("valid")].min()
    assert days[data.rows("valid")].max() < days[data.rows("test")].min()


def test_arrays_in_place_of_the_data_of_a_space(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(50, 3)), ["a", "b"] * 25
    data = open_data(task("classification", "digits"), tmp_path, UserData.from_arrays((x, y)))
    assert data.classes == ("a", "b")
    assert data.shapes[INPUT] == Shape((3,), "vector")
    valid = (x[:10], y[:10])
    data = open_data(task("classification", "digits"), tmp_path, UserData.from_arrays((x, y), valid))
    assert data.rows("valid").tolist() == list(range(50, 60))


def test_a_users_file_keeps_what_the_space_says_of_its_own(tmp_path):
    mine = write_csv(tmp_path / "mine.csv")
    said = task("classification", "csv", path="absent.csv", target="quality", group="patient", valid=0.3)
    data = open_data(said, tmp_path, UserData.from_file(mine))
    assert "no `patient` in two parts" in data.statement
    assert len(data.rows("valid")) == 18
    price = open_data(task("regression"), tmp_path, UserData.from_file(mine, target="price"))
    assert price.outputs == 1
    assert "patient=p0" in price.features


def test_saved_data_come_back_mapped_and_equal(tmp_path):
    write_csv(tmp_path / "t.csv")
    data = open_data(task("regression", "csv", path="t.csv", target="price", folds=3), tmp_path)
    data.save(tmp_path / "saved")
    opened = Dataset.open(tmp_path / "saved")
    assert isinstance(opened.inputs[INPUT], np.memmap)
    assert (opened.inputs[INPUT] == data.inputs[INPUT]).all()
    assert (opened.targets[OUTPUT] == data.targets[OUTPUT]).all()
    assert (opened.test == data.test).all()
    for a, b in zip(opened.folds, data.folds, strict=True):
        assert (a.train == b.train).all() and (a.valid == b.valid).all()
        assert (a.inputs[INPUT].mean == b.inputs[INPUT].mean).all()
        assert (a.targets[OUTPUT].deviation == b.targets[OUTPUT].deviation).all()
    for name in ("kind", "shapes", "outputs", "statement", "classes", "features", "is_table"):
        assert getattr(opened, name) == getattr(data, name)


def test_a_folder_of_something_else_is_no_data_set(tmp_path):
    with pytest.raises(DataError, match="not a saved data set"):
        Dataset.open(tmp_path)


def test_reading_data_loads_no_torch(tmp_path):
    code = (
        "import sys; from pathlib import Path; from nasdsl.training import open_data, Dataset;"
        "from nasdsl.language.network import Spec, Task;"
        "open_data(Task('classification', Spec('wine'), {}, 3), Path('.'));"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_several_inputs_by_name_are_scaled_each(tmp_path):
    rng = np.random.default_rng(0)
    inputs = {"table": rng.normal(5, 2, (40, 3)), "image": rng.normal(9, 4, (40, 1, 6, 6))}
    user = UserData.from_arrays(
        (inputs, np.arange(40) % 2), ({k: x[:10] for k, x in inputs.items()}, np.arange(10) % 2)
    )
    data = open_data(task("classification"), tmp_path, user)
    assert data.shapes == {"table": Shape((3,), "vector"), "image": Shape((1, 6, 6), "image")}
    assert {name: len(x) for name, x in data.inputs.items()} == {"table": 50, "image": 50}
    train = inputs["image"][data.rows("train")]
    np.testing.assert_allclose(data.folds[0].inputs["image"].mean.ravel(), [train.mean()], rtol=1e-5)
    data.save(tmp_path / "d")
    opened = Dataset.open(tmp_path / "d")
    assert list(opened.inputs) == ["table", "image"]
    assert opened.warnings == data.warnings
    assert data.warnings  # the validation rows are copies of training rows


def test_labels_that_are_whole_numbers_are_in_their_order(tmp_path):
    (tmp_path / "t.csv").write_text("x,label\n" + "".join(f"{i},{i % 12}\n" for i in range(120)))
    (tmp_path / "v.csv").write_text("x,label\n1,10\n2,9\n")
    arguments = {"path": "t.csv", "target": "label", "valid_file": "v.csv"}
    data = open_data(task("classification", "csv", **arguments), tmp_path)
    assert data.classes == tuple(map(str, range(12)))
    assert data.targets[OUTPUT].tolist() == [*(i % 12 for i in range(120)), 10, 9]


def warned(x, y):
    return open_data(task("classification"), None, UserData.from_arrays((x, y))).warnings


def test_suspicious_data_are_warned_of_but_used():
    x, y = np.random.default_rng(0).normal(size=(100, 3)), np.arange(100) % 2
    assert warned(x, y) == ()
    flat = x.copy()
    flat[:, 1] = 7
    (constant,) = warned(flat, y)
    assert constant.startswith("`input[1]`: constant in the training part")
    (valid, test) = warned(np.repeat(x[:50], 2, axis=0), y)
    assert "validation rows have the inputs of a training row, the first of them row " in valid
    assert "test rows have the inputs of a training row" in test
    uneven = warned(x, np.arange(100) >= 97)
    assert uneven[0].startswith("unbalanced classes, 3 of `True` and 97 of `False`: accuracy rewards")


def test_copies_are_named_by_their_lines_and_files(tmp_path):
    rows = [f"{i},{i % 5},{'ab'[i % 2]}" for i in range(30)]
    (tmp_path / "t.csv").write_text("\n".join(["x,z,label", *rows]) + "\n")
    (tmp_path / "v.csv").write_text("\n".join(["x,z,label", "90,1,a", rows[7], "91,1,b"]) + "\n")
    found = open_data(
        task("classification", "csv", path="t.csv", target="label", valid_file="v.csv", test=0.0), tmp_path
    )
    (copies,) = found.warnings
    assert copies.startswith(
        "1 of 3 validation rows have the inputs of a training row, the first of them line 3 of "
    )
    assert "v.csv, as line 9: figures come out too good" in copies


def test_a_class_that_a_part_lacks_is_warned_of(tmp_path):
    (tmp_path / "t.csv").write_text("x,label\n" + "".join(f"{i},{'abc'[i % 3]}\n" for i in range(60)))
    (tmp_path / "v.csv").write_text("x,label\n70,a\n71,b\n")
    arguments = {"path": "t.csv", "target": "label", "valid_file": "v.csv"}
    (absent,) = open_data(task("classification", "csv", **arguments), tmp_path).warnings
    assert absent.startswith("no validation row is of class `c`")
