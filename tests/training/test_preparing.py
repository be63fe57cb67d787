"""`prepare = quantile`: each column by its ranks, the texts of a table as they are, in training and in exported files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from training_toys import FAST, arrays, cnn, mlp, run, same

import nasdsl
from nasdsl.engine.exporting import export
from nasdsl.language.errors import SpaceError
from nasdsl.training import DataError, UserData, open_data
from nasdsl.training.preparing import Bent, knots
from nasdsl.training.resident import resident
from tests.bare_process import run_without_nasdsl

QUANTILE = {**FAST, "prepare": "quantile"}


def bent(train, texts=None):
    found = knots(train, np.zeros(train.shape[1], bool) if texts is None else texts)
    return Bent(torch.from_numpy(found.places), torch.from_numpy(found.values))


def test_columns_that_train_become_normal_whatever_they_were():
    rng = np.random.default_rng(0)
    train = np.stack([rng.exponential(size=4000), rng.standard_cauchy(4000), rng.uniform(size=4000)], 1)
    z = bent(train.astype(np.float32))(torch.from_numpy(train.astype(np.float32)))
    assert z.mean(0).tolist() == pytest.approx([0, 0, 0], abs=0.02)
    assert z.std(0).tolist() == pytest.approx([1, 1, 1], abs=0.05)
    grid = torch.linspace(-2, 2, 9)
    share = torch.stack([(z <= t).float().mean(0) for t in grid])
    torch.testing.assert_close(share, torch.special.ndtr(grid)[:, None].expand(-1, 3), atol=0.02, rtol=0)


def test_order_is_kept_and_what_lies_beyond_ends_at_the_last_knot():
    train = np.random.default_rng(0).normal(size=(500, 1)).astype(np.float32) ** 3
    scale = bent(train)
    line = torch.linspace(-100, 100, 2001)[:, None]
    z = scale(line)[:, 0]
    assert (z.diff() >= 0).all() and z[0] == -z[-1] == scale(torch.tensor([[-1e30]]))[0, 0]
    assert float(z[-1]) == pytest.approx(2.58, abs=0.01)


def test_equal_values_have_one_place_and_constant_columns_are_zero():
    train = np.stack([np.repeat([0.0, 5.0, 9.0], [700, 200, 100]), np.full(1000, 7.0)], 1).astype(np.float32)
    z = bent(train)(torch.from_numpy(train))
    assert z[:, 0].unique().numel() == 3
    assert not z[:, 1].any()
    assert torch.isfinite(bent(train)(torch.tensor([[3.0, -1.0]]))).all()


def table(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        f"{v:.4f},{'red' if c else 'blue'},{int(v > 1 or c)}"
        for v, c in zip(rng.exponential(size=200), rng.random(200) < 0.3, strict=True)
    ]
    (tmp_path / "t.csv").write_text("income,colour,class\n" + "\n".join(rows) + "\n")
    return tmp_path / "t.csv"


def test_texts_of_a_table_stay_zeros_and_ones(tmp_path):
    space = nasdsl.parse("task classification on shape(3, classes = 2)\nnetwork { linear(outputs) }")
    data = open_data(space.task, tmp_path, UserData.from_file(table(tmp_path), "class"))
    assert data.features == ("income", "colour=blue", "colour=red")
    x = resident(data, 0, torch.device("cpu"), "quantile").inputs["input"]
    assert torch.equal(x[:, 1:], torch.from_numpy(np.array(data.inputs["input"][:, 1:])))
    plain = resident(data, 0, torch.device("cpu"))
    assert torch.equal(plain.inputs["input"], torch.from_numpy(np.array(data.inputs["input"])))


def test_training_is_the_same_after_any_change_of_columns_that_keeps_their_order(two_classes):
    x, y = np.array(two_classes.inputs["input"]), np.array(two_classes.targets["output"])
    a = run(mlp(), arrays("classification", x, y), QUANTILE, epochs=2)
    b = run(mlp(), arrays("classification", np.sinh(3 * x), y), QUANTILE, epochs=2)
    assert a.measures["loss"] == pytest.approx(b.measures["loss"], abs=0.02)
    assert not same(a, run(mlp(), two_classes, FAST, epochs=2))


def test_it_is_for_tables(pictures):
    with pytest.raises(DataError, match="is for tables, and `input` is"):
        run(cnn(), pictures, QUANTILE)
    text = "task classification on digits\nnetwork { flatten; linear(outputs) }\ntrain { prepare = standardize | quantile }"
    with pytest.raises(SpaceError, match="ranks the columns of a table, and the inputs are image"):
        nasdsl.parse(text)


APPLY = """
spec = importlib.util.spec_from_file_location("network", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
torch.save((module.predict(torch.load(sys.argv[2])), module.standardized("input", torch.load(sys.argv[2]))), sys.argv[3])
"""


def test_an_exported_file_prepares_as_the_run_did(tmp_path: Path):
    text = """task classification on wine
    network { linear(8); relu; linear(outputs) }
    train { epochs = 3; prepare = quantile }"""
    found = nasdsl.search(
        nasdsl.parse(text, "a.space"), budget=1, workers=1, run=tmp_path / "run", searcher="random"
    )
    data = open_data(found.space.task, tmp_path)
    rows = data.rows("valid")
    torch.save(torch.from_numpy(np.array(data.inputs["input"][rows])), tmp_path / "raw.pt")
    source, _ = export(found, found.best, "python", tmp_path / "network.py")
    run_without_nasdsl(APPLY, [source, tmp_path / "raw.pt", tmp_path / "out.pt"], tmp_path)
    answers, z = torch.load(tmp_path / "out.pt")
    prepared = resident(data, 0, torch.device("cpu"), "quantile").inputs["input"]
    torch.testing.assert_close(z, prepared[torch.from_numpy(rows)], atol=1e-5, rtol=1e-5)
    right = [a == data.classes[y] for a, y in zip(answers, data.targets["output"][rows], strict=True)]
    assert sum(right) / len(right) == pytest.approx(found.best.measures["accuracy"])
