"""An exported file takes raw data, where nasdsl is not installed, and answers as the run did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import nasdsl
from nasdsl.engine.exporting import export, trained
from nasdsl.training import Dataset
from tests.bare_process import run_without_nasdsl

APPLY = """
import numpy
spec = importlib.util.spec_from_file_location("network", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
raw = torch.from_numpy(numpy.load(sys.argv[2]))
with torch.no_grad():
    out = module.load()(module.standardized("input", raw))
torch.save((out, module.predict(raw)), sys.argv[3])
"""
NETWORKS = {
    "classification on wine": "linear(8); batch_norm; relu; linear(outputs)",
    "regression on diabetes": "linear(8); relu; linear(outputs)",
    "classification on digits": "conv2d(4, kernel = 3); batch_norm; relu; flatten; linear(outputs)",
    "classification on mnist1d": "conv1d(4, kernel = 5, stride = 2); relu; flatten; linear(outputs)",
}


@pytest.mark.parametrize("task", NETWORKS)
def test_predictions_from_raw_rows_are_those_that_the_run_measured(tmp_path: Path, task: str) -> None:
    text = f"task {task}\nnetwork {{ {NETWORKS[task]} }}\ntrain {{ epochs = 2; batch_size = 128 }}\n"
    space = nasdsl.parse(text, "raw.space")
    run = nasdsl.search(space, searcher="random", budget=1, workers=1, run=tmp_path / "run")
    assert run.best is not None
    data = Dataset.open(run.folder / "data")
    rows = data.rows("valid")
    np.save(tmp_path / "raw.npy", data.inputs["input"][rows])
    source, _ = export(run, run.best, "python", tmp_path / "network.py")
    files = [source, tmp_path / "raw.npy", tmp_path / "out.pt"]
    run_without_nasdsl(APPLY, files, tmp_path)
    out, predicted = torch.load(tmp_path / "out.pt")
    torch.testing.assert_close(out, module_outputs(run, data, rows), atol=1e-6, rtol=1e-6)
    truth = data.targets["output"][rows]
    if data.classes:
        right = [name == data.classes[number] for name, number in zip(predicted, truth, strict=True)]
        assert sum(right) / len(right) == pytest.approx(run.best.measures["accuracy"])
    else:
        error = (predicted.numpy() - truth).astype(float)
        assert abs(error).mean() == pytest.approx(run.best.measures["mae"], rel=1e-4)


def module_outputs(run: Any, data: Dataset, rows: Any) -> torch.Tensor:
    """What the module of the run gives for standardized rows."""
    _, module = trained(run, run.best)
    x = data.inputs["input"][rows]
    if scale := data.folds[0].inputs.get("input"):
        x = (x - scale.mean) / scale.deviation
    with torch.no_grad():
        return module(torch.from_numpy(np.ascontiguousarray(x)))


TABLE_APPLY = """
import csv
spec = importlib.util.spec_from_file_location("network", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
rows = list(csv.DictReader(open(sys.argv[2])))
cells = [[row[name] for name in module.COLUMNS] for row in rows]
assert module.predict(rows) == module.predict(cells) == module.predict(module.encoded(rows))
for wrong in ([cells[0][:-1]], [{**rows[0], "colour": ""}]):
    try:
        module.predict(wrong)
    except ValueError:
        continue
    raise AssertionError(wrong)
module.predict([{**rows[0], "colour": "a colour never seen"}])
torch.save(module.predict(rows), sys.argv[3])
"""


def test_rows_of_a_table_with_texts_go_in_as_they_stand(tmp_path: Path) -> None:
    table = tmp_path / "fruit.csv"
    rows = [
        f"{('red', 'green', 'deep = blue')[i % 3]},{i % 7},{('s', 'm')[i % 2]},{('apple', 'plum')[i % 3 == 2]}"
        for i in range(90)
    ]
    table.write_text("colour,weight,size,kind\n" + "\n".join(rows) + "\n", encoding="utf-8")
    text = (
        f'task classification on csv("{table.name}", target = "kind")\n'
        "network { linear(8); relu; linear(outputs) }\ntrain { epochs = 20; batch_size = 8 }\n"
    )
    (tmp_path / "fruit.space").write_text(text, encoding="utf-8")
    space = nasdsl.load(str(tmp_path / "fruit.space"))
    run = nasdsl.search(space, searcher="random", budget=1, workers=1, run=tmp_path / "run")
    assert run.best is not None
    source, _ = export(run, run.best, "python", tmp_path / "network.py")
    run_without_nasdsl(TABLE_APPLY, [source, table, tmp_path / "out.pt"], tmp_path)
    data = Dataset.open(run.folder / "data")
    numbers = module_outputs(run, data, np.arange(len(rows))).argmax(1)
    assert torch.load(tmp_path / "out.pt") == [data.classes[number] for number in numbers]
