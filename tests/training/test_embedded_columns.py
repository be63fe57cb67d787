"""`embed_columns`: texts of a table looked up in learned tables, planned, trained and exported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import nasdsl
from compiler.build import build
from compiler.modules import EmbedColumns
from nasdsl.cli import main
from nasdsl.engine.data import with_its_data
from nasdsl.engine.exporting import export, trained
from nasdsl.language.errors import SpaceError
from nasdsl.language.reading import load
from nasdsl.language.shapes import Shape
from nasdsl.training import Dataset
from nasdsl.training.fused.forms import Members, Unfusable
from nasdsl.training.fused.table import fuse
from tests.bare_process import run_without_nasdsl

TOWNS = ("Bern", "Cork", "Graz", "Lund", "Oulu")
SPACE = """task classification on csv("t.csv", target = "class")
network { embed_columns(EMBED); linear(16); relu; linear(outputs) }
train { epochs = 25; batch_size = 16; optimizer = adamw(lr = 0.02) }
"""


def written(folder: Path, embed: str = "") -> Path:
    """A table whose classes are those of the town and the colour together, whatever the income."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(240):
        income, town, red = rng.exponential(), rng.integers(5), rng.integers(2)
        rows.append(f"{income:.3f},{TOWNS[town]},{('blue', 'red')[red]},{(0, 1, 1, 0, 1)[town] ^ red}")
    (folder / "t.csv").write_text("income,town,colour,class\n" + "\n".join(rows) + "\n")
    (folder / "a.space").write_text(SPACE.replace("EMBED", embed))
    return folder / "a.space"


@pytest.mark.parametrize(("embed", "widths"), [("", (3, 1)), ("4", (4, 4))])
def test_each_column_of_texts_has_a_table_and_numbers_pass(
    tmp_path: Path, embed: str, widths: tuple[int, int]
) -> None:
    space = with_its_data(load(written(tmp_path, embed)))
    assert space.task is not None
    assert space.task.inputs["input"].columns == (("income", 1), ("town", 5), ("colour", 2))
    plan = nasdsl.plan(space, space.default())
    node = next(node for node in plan.nodes if node.op == "embed_columns")
    assert node.shape == (1 + sum(widths),)
    assert node.params == node.macs == 5 * widths[0] + 2 * widths[1]
    module = build(plan, seed=0)
    assert sum(p.numel() for p in module.parameters()) == plan.params
    embedding = module.get_submodule("embed_columns")
    assert isinstance(embedding, EmbedColumns)
    out = embedding(torch.tensor([[0.7, 0, 0, 1, 0, 0, 0, 1], [0.7, 0, 0, 0, 0, 0, 1, 0]]))
    town, colour = embedding.tables[1].weight, embedding.tables[2].weight
    assert torch.equal(out[0], torch.cat([torch.tensor([0.7]), town[2], colour[1]]))
    assert not out[1, 1 : 1 + widths[0]].any()  # a town that the table does not know


def test_widths_follow_the_number_of_texts_up_to_fifty() -> None:
    text = "task classification on shape(142, classes = 2)\nnetwork { embed_columns; linear(outputs) }"
    bare = "task classification on csv('t.csv', target = 'y')".replace("'", '"')
    space = nasdsl.parse(text.replace("task classification on shape(142, classes = 2)", bare))
    table = Shape((142,), "vector", columns=(("a", 101), ("b", 1), ("c", 39), ("d", 1)))
    bound = space.with_task({"input": table}, 2)
    node = nasdsl.plan(bound, bound.default()).nodes[1]
    assert node.shape == (50 + 1 + 20 + 1,)
    assert node.params == 101 * 50 + 39 * 20


def test_networks_on_columns_of_other_sizes_are_others_only_where_they_are_embedded() -> None:
    def hashes(network: str) -> set[str]:
        space = nasdsl.parse(f'task classification on csv("t.csv", target = "y")\nnetwork {{ {network} }}')
        tables = [(("a", 2), ("b", 4)), (("a", 4), ("b", 2)), (("c", 4), ("d", 2))]
        bound = [space.with_task({"input": Shape((6,), "vector", columns=columns)}, 2) for columns in tables]
        return {nasdsl.plan(one, one.default()).hash for one in bound}

    assert len(hashes("embed_columns(3); linear(outputs)")) == 2
    assert len(hashes("linear(3); linear(outputs)")) == 1


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            "wine",
            "`embed_columns` looks up the texts of a table, and the vector \\(13\\) that it gets has none",
        ),
        ("digits", "`embed_columns` takes a vector, and gets an image"),
    ],
)
def test_it_is_for_tables_with_texts(task: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        nasdsl.parse(f"task classification on {task}\nnetwork {{ embed_columns; flatten; linear(outputs) }}")


def test_width_and_whether_it_is_there_may_be_decisions() -> None:
    space = nasdsl.parse(
        'task classification on csv("t.csv", target = "y")\nnetwork { embed_columns(2 | 3)?; linear(outputs) }'
    )
    bound = space.with_task({"input": Shape((6,), "vector", columns=(("a", 2), ("b", 4)))}, 2)
    assert bound.count() == 3
    assert {nasdsl.plan(bound, point).params for point in bound.samples(40)} == {14, 22, 32}


def test_it_trains_alone_and_says_so() -> None:
    parts = [EmbedColumns((1, 3), (0, 2)) for _ in range(2)]
    with pytest.raises(Unfusable, match="EmbedColumns does not fuse"):
        fuse(parts, (), Members(2))


APPLY = """
import json
spec = importlib.util.spec_from_file_location("network", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
rows = json.load(open(sys.argv[2]))
with torch.no_grad():
    out = module.load()(module.standardized("input", rows))
torch.save((module.standardized("input", rows), out, module.predict(rows)), sys.argv[3])
"""


def test_it_learns_is_shown_and_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "2")
    found = nasdsl.search(load(path), searcher="random", budget=1, workers=1, run=tmp_path / "run")
    assert found.best is not None and found.best.measures["accuracy"] > 0.9
    for shown in (path, found.folder):
        assert main(["show", str(shown)]) == 0
        assert "columns of texts, and how many each has\n  town  5\n  colour  2\n" in capsys.readouterr().out
    data = Dataset.open(found.folder / "data")
    assert data.shapes["input"].texts == (("town", 5), ("colour", 2))
    rows = [[1.5, "Graz", "red"], [0.2, "Oulu", "blue"], [0.2, "Rome", "blue"]]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    source, _ = export(found, found.best, "python", tmp_path / "network.py")
    run_without_nasdsl(APPLY, [source, tmp_path / "rows.json", tmp_path / "out.pt"], tmp_path)
    x, out, answers = torch.load(tmp_path / "out.pt")
    assert not x[2, 1:6].any() and x[0, 3] == 1  # zeros and ones, and zeros for a town that no row had
    assert answers[:2] == ["0", "1"]
    _, module = trained(found, found.best)
    torch.testing.assert_close(module(x), out, atol=1e-6, rtol=1e-6)
    (onnx,) = export(found, found.best, "onnx", tmp_path / "network.onnx")
    (given,) = onnxruntime.InferenceSession(onnx).run(None, {"input": x.numpy()})
    np.testing.assert_allclose(given, out.numpy(), atol=1e-5)
