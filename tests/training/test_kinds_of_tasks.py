"""Texts, several labels, several numbers: read, trained, measured by their definitions."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from training_toys import FAST, arrays, plan_for, rows, run

import nasdsl
from compiler.build import build
from nasdsl.language.network import Spec, Task
from nasdsl.training import DataError, UserData, measure, open_data, train
from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.measures import balanced_accuracy, ece, macro_f1
from nasdsl.training.textfile import read_text

TEXT = Spec("text", {"path": "t.txt", "context": 8, "valid": 0.25, "test": 0.25})


def text(folder, content, **arguments):
    (folder / "t.txt").write_bytes(content)
    spec = Spec("text", {**TEXT.arguments, **arguments})
    return open_data(Task("next_token", spec, {}, 256), folder)


class Bigram(nn.Module):
    """The best that one symbol can say of the next."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(256, 256)

    def forward(self, x):
        return self.table(x)


def test_a_text_is_cut_in_order_and_its_targets_are_one_further(tmp_path):
    content = bytes(range(1, 101))
    data = text(tmp_path, content)
    assert data.inputs[INPUT].shape == data.targets[OUTPUT].shape == (12, 8)
    assert data.inputs[INPUT].reshape(-1).tolist() == list(content[:96])
    assert data.targets[OUTPUT].reshape(-1).tolist() == list(content[1:97])
    assert [len(data.rows(part)) for part in ("train", "valid", "test")] == [6, 3, 3]
    assert data.rows("train").max() < data.rows("valid").min() < data.rows("test").min()
    assert data.warnings == ()


def test_what_repeats_is_learned_and_bits_are_those_of_the_definition(tmp_path):
    data = text(tmp_path, b"abcd" * 200)
    module = Bigram()
    settings = {"optimizer": Spec("adam", {"lr": 0.1}), "epochs": 20, "batch_size": 10}
    trained = run(module, data, settings)
    assert trained.measures["accuracy"] == 1
    assert trained.measures["bits_per_byte"] < 0.1
    x = torch.from_numpy(data.inputs[INPUT][data.rows("test")]).long()
    y = torch.from_numpy(data.targets[OUTPUT][data.rows("test")]).long()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(module(x).flatten(0, 1), y.flatten()).item()
    found = measure(module, settings, data, "test")
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    assert found["bits_per_byte"] == pytest.approx(loss / math.log(2), rel=1e-5)


def test_a_network_that_sees_what_comes_is_refused(tmp_path):
    class Peeking(Bigram):
        def forward(self, x):
            return self.table(torch.roll(x, -1, 1))

    data = text(tmp_path, b"abcd" * 100)
    with pytest.raises(DataError, match=r"sees the symbols that it is to predict\nhelp: .*causal = yes"):
        run(Peeking(), data, FAST)


def test_mixup_of_a_text_is_refused(tmp_path):
    data = text(tmp_path, b"abcd" * 100)
    with pytest.raises(DataError, match="a text has none"):
        run(Bigram(), data, {**FAST, "mixup": Spec("mixup")})


def test_a_text_too_short_for_its_parts_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"20 bytes are 2 stretches of 8, too few"):
        text(tmp_path, b"x" * 20)
    with pytest.raises(DataError, match="no such file"):
        open_data(Task("next_token", Spec("text", {"path": "none.txt"}), {}, 256), tmp_path)


def test_a_users_text_takes_the_place_of_the_spaces(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes(b"abcdefgh" * 40)
    data = open_data(Task("next_token", TEXT, {}, 256), None, UserData.from_file(path))
    assert data.inputs[INPUT].shape == (39, 8)


def test_a_saved_text_opens_as_it_was(tmp_path):
    data = text(tmp_path, b"abcd" * 100)
    data.save(tmp_path / "kept")
    again = type(data).open(tmp_path / "kept")
    assert np.array_equal(again.inputs[INPUT], data.inputs[INPUT])
    assert again.inputs[INPUT].dtype == np.uint8
    assert again.shapes == data.shapes


def test_the_shipped_language_model_learns_its_text():
    space = nasdsl.load("spaces/tiny_lm.space")
    point = space.sample(seed=1)
    plan, decided = nasdsl.plan(space, point), space.decided(point)
    data = open_data(space.task, Path("spaces"))
    few = read_text(Path("spaces/corpus.txt"), 64, 0.7, 0.1)  # a fifth of it trains
    assert data.shapes == few.shapes
    trained = train(build(plan, seed=0), plan, decided.settings, few, 0, epochs=2)
    assert trained.measures["bits_per_byte"] < 6  # 8 bits know nothing


def test_the_corpus_is_what_its_example_writes():
    import runpy

    written = runpy.run_path("examples/make_corpus.py")["corpus"]()
    assert Path("spaces/corpus.txt").read_text("utf-8") == written


# --- several labels -----------------------------------------------------------------------------


def labels():
    x, _ = rows()
    return x, np.stack([x[:, 0] > 0, x[:, 1] > 0.5, x.sum(1) > 0], 1).astype(int)


def test_several_labels_are_learned():
    data = arrays("multilabel", *labels())
    assert (data.outputs, data.classes) == (3, ())
    module = nn.Linear(2, 3)
    trained = run(module, data, {**FAST, "optimizer": Spec("adam", {"lr": 0.1}), "epochs": 20})
    assert trained.measures["macro_f1"] > 0.9
    assert set(trained.measures) == {"macro_f1", "loss"}


def test_labels_are_zeros_and_ones_and_not_all_alike():
    x, y = labels()
    with pytest.raises(DataError, match="label 2 in row 1 is 2"):
        arrays("multilabel", x, y + np.array([0, 2 - y[0, 1], 0]))
    with pytest.raises(DataError, match="label 3 is the same in all rows"):
        arrays("multilabel", x, y * np.array([1, 1, 0]))


def test_labels_from_a_table(tmp_path):
    lines = ["a,wet,cold"] + [f"{i},{i % 2},{i % 3 == 0:d}" for i in range(30)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    spec = Spec("csv", {"path": "t.csv", "target": "wet, cold"})
    data = open_data(Task("multilabel", spec, {}, 2), tmp_path)
    assert data.outputs == 2
    assert data.targets[OUTPUT][:4].tolist() == [[0, 1], [1, 0], [0, 0], [1, 1]]


def test_several_numbers_are_predicted_at_once():
    x, _ = rows()
    data = arrays("regression", x, x @ np.array([[1, 0, 2], [0, 1, -2]]))
    trained = run(nn.Linear(2, 3), data, {**FAST, "optimizer": Spec("adam", {"lr": 0.1}), "epochs": 20})
    assert trained.measures["r2"] > 0.98
    assert plan_for(data).inputs == {INPUT: (2,)}


# --- measures -----------------------------------------------------------------------------------


def test_measures_of_classes_are_scikit_learns():
    from sklearn.metrics import balanced_accuracy_score, f1_score

    torch.manual_seed(0)
    output, target = torch.randn(200, 4), torch.randint(0, 3, (200,))  # class 3 is only answered
    answers = output.argmax(1)
    assert macro_f1(output, target) == pytest.approx(f1_score(target, answers, average="macro"))
    kept = output[:, :3]
    expected = balanced_accuracy_score(target, kept.argmax(1))
    assert balanced_accuracy(kept, target) == pytest.approx(expected)
    several = torch.randint(0, 2, (200, 4)).float()
    expected = f1_score(several, output > 0, average="macro")
    assert macro_f1(output, several) == pytest.approx(expected)


def test_ece_is_the_gap_between_confidence_and_accuracy():
    sure = torch.tensor([[math.log(9.0), 0.0]] * 10)  # 90% for class 0
    right = torch.tensor([0] * 6 + [1] * 4)
    assert ece(sure, right) == pytest.approx(0.3, abs=1e-6)
    assert ece(sure, torch.tensor([0] * 9 + [1])) == pytest.approx(0, abs=1e-6)


def test_measures_are_taken_where_they_are_asked_for(two_classes):
    module = nn.Linear(2, 2)
    trained = run(module, two_classes, FAST, measures=("ece", "balanced_accuracy"))
    assert set(trained.measures) == {"accuracy", "loss", "ece", "balanced_accuracy"}
    assert measure(module, FAST, two_classes, "valid", measures=("ece",))["ece"] == trained.measures["ece"]
