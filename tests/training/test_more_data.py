"""Data that are generated, folders of images, tensors, functions."""

import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import nasdsl
from nasdsl.language.network import Spec, Task
from nasdsl.training import DataError, open_data
from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.procedural import modular, spirals


def opened(text, folder):
    space = nasdsl.parse(f"task classification on {text}\nnetwork {{ flatten; linear(outputs) }}")
    data = open_data(space.task, folder)
    assert all(data.shapes[name].sizes() == shape.sizes() for name, shape in space.task.inputs.items())
    assert data.outputs == space.task.outputs
    return data


@pytest.mark.parametrize(("op", "of"), [("add", (5, 6, 4)), ("subtract", (2, 6, 3)), ("multiply", (5, 6, 2))])
def test_modular_arithmetic_is_right(op, of):
    data = modular(7, op)
    a, b, answer = of
    row = np.flatnonzero((data.inputs[INPUT][:, a] == 1) & (data.inputs[INPUT][:, 7 + b] == 1))
    assert data.targets[OUTPUT][row].tolist() == [answer]
    assert data.inputs[INPUT].shape == (49, 14)
    assert (data.inputs[INPUT].sum(1) == 2).all()
    assert data.folds[0].inputs == {}  # codes stay as they are


def test_spirals_are_two_arms_and_not_separable_by_a_line(tmp_path):
    data = spirals(400, 0.0)
    x, y = data.inputs[INPUT], data.targets[OUTPUT]
    assert np.bincount(y).tolist() == [200, 200]
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    assert LogisticRegression().fit(x, y).score(x, y) < 0.75
    train, test = data.rows("train"), data.rows("test")
    assert KNeighborsClassifier(1).fit(x[train], y[train]).score(x[test], y[test]) > 0.95


@pytest.mark.parametrize("text", ["digits", "mnist1d", "modular(31)", "spirals"])
def test_wrong_labels_are_as_many_as_said_and_only_where_it_trains(text, tmp_path):
    call = text if "(" in text else f"{text}()"
    clean = opened(call, tmp_path)
    wrong = opened(call.replace(")", f"{', ' if call[-2] != '(' else ''}corrupt = 30%)"), tmp_path)
    differ = np.flatnonzero(clean.targets[OUTPUT] != wrong.targets[OUTPUT])
    assert len(differ) == round(0.3 * len(clean.rows("train")))
    assert np.isin(differ, clean.rows("train")).all()
    assert "wrong, on purpose" in wrong.statement


def picture(path, size, value):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size, 3), value, dtype=np.uint8)).save(path)


def test_a_folder_of_images(tmp_path):
    for number in range(10):
        picture(tmp_path / f"pets/cats/{number}.png", 6, 250 - number)
        picture(tmp_path / f"pets/dogs/{number}.jpg", 6, number)
    data = open_data(Task("classification", Spec("images", {"path": "pets"}), {}, 2), tmp_path)
    assert data.inputs[INPUT].shape == (20, 3, 6, 6)
    assert data.classes == ("cats", "dogs")
    assert 0 <= data.inputs[INPUT].min() < 0.1 < 0.9 < data.inputs[INPUT].max() <= 1
    small = Spec("images", {"path": "pets", "size": 4, "grey": True})
    assert open_data(Task("classification", small, {}, 2), tmp_path).inputs[INPUT].shape == (20, 1, 4, 4)
    picture(tmp_path / "pets/cats/odd.png", 5, 0)
    with pytest.raises(DataError, match=r"differ in size: 5 x 5, 6 x 6\nhelp: .*size = 32"):
        open_data(Task("classification", Spec("images", {"path": "pets"}), {}, 2), tmp_path)
    (tmp_path / "pets/cats/odd.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="not an image"):
        open_data(Task("classification", Spec("images", {"path": "pets"}), {}, 2), tmp_path)


def test_tensors(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2
    save_file({"X": x, "y": y}, tmp_path / "t.safetensors")
    task = Task("classification", Spec("tensor", {"path": "t.safetensors"}), {}, 2)
    assert np.array_equal(open_data(task, tmp_path).inputs[INPUT], x)
    (tmp_path / "t.safetensors").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a safetensors file"):
        open_data(task, tmp_path)


def test_a_function_needs_trust_and_gives_a_pair(tmp_path, monkeypatch):
    (tmp_path / "my_data.py").write_text(
        "import numpy as np\n\ndef load():\n    x = np.arange(60.0).reshape(30, 2)\n    return x, np.arange(30) % 3\n"
        "def bad():\n    return 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    text = 'task classification on python("my_data:load")\nnetwork { linear(outputs) }'
    with pytest.raises(nasdsl.SpaceError, match="runs code of the author"):
        nasdsl.parse(text)
    assert "my_data" not in sys.modules
    data = open_data(Task("classification", Spec("python", {"function": "my_data:load"}), {}, 3), tmp_path)
    assert data.outputs == 3
    for place, said in (
        ("my_data:bad", "gave no pair"),
        ("my_data:none", "no function"),
        ("x", "no function"),
    ):
        with pytest.raises(DataError, match=said):
            open_data(Task("classification", Spec("python", {"function": place}), {}, 3), tmp_path)


def test_batches_of_generated_data_are_the_same_every_time():
    a, b = modular(11, "add"), modular(11, "add")
    assert np.array_equal(a.rows("train"), b.rows("train"))
    assert torch.equal(
        torch.from_numpy(spirals(50, 0.3).inputs[INPUT]), torch.from_numpy(spirals(50, 0.3).inputs[INPUT])
    )
