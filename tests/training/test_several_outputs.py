"""Networks of several outputs: targets by name, a loss and measures of each, and what does not fit said in words."""

import math

import numpy as np
import pytest

import nasdsl
from compiler.build import build
from nasdsl.language.network import Spec, Task
from nasdsl.training import DataError, Dataset, UserData, measure, open_data, train
from nasdsl.training.fused.train import Candidate, train_group
from nasdsl.training.trainer import check_fits

SPACE = """
task {kind} on shape(6{classes})
network {{ dag {{
    body = {{ linear(16 | 24); relu }} from input
    output.sign = linear({sign}) from body
    output.size = linear({size}) from body
}} }}
train {{ optimizer = adam(lr = 0.02); batch_size = 16; epochs = 12; {more} }}
"""


def rows(n=240):
    x = np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32)
    return x, {"sign": (x[:, 0] > 0).astype(int), "size": np.digitize(x[:, 1], [-0.5, 0.5])}


def opened(kind="classification", y=None):
    x, classes = rows()
    return open_data(Task(kind, None, {}, 1), None, UserData.from_arrays((x, classes if y is None else y)))


def parsed(kind="classification", sign=2, size=3, more=""):
    classes = ", classes = 2" if kind == "classification" else ""
    return nasdsl.parse(SPACE.format(kind=kind, classes=classes, sign=sign, size=size, more=more))


def trained(space, data):
    point = space.sample(seed=0)
    plan = nasdsl.plan(space, point)
    module = build(plan, seed=0)
    return module, train(module, plan, space.decided(point).settings, data, 0)


def test_each_output_learns_its_own_target(tmp_path):
    data = opened()
    assert (dict(data.widths), data.classes) == ({"sign": 2, "size": 3}, ())
    assert "output.sign of 2, output.size of 3" in data.statement
    module, found = trained(parsed(), data)
    names = [f"{name}.{key}" for name in ("sign", "size") for key in ("accuracy", "loss")]
    assert set(found.measures) == {*names, "accuracy", "loss"}
    assert min(found.measures["sign.accuracy"], found.measures["size.accuracy"]) > 0.85
    mean = (found.measures["sign.accuracy"] + found.measures["size.accuracy"]) / 2
    assert found.measures["accuracy"] == pytest.approx(mean)
    data.save(tmp_path / "kept")
    again = Dataset.open(tmp_path / "kept")
    assert dict(again.widths) == dict(data.widths)
    assert measure(module, {}, again, "valid") == found.measures


@pytest.mark.parametrize(
    "more", ["mixup", "label_smoothing", "elr", "ps_kd", "data = subset(by = el2n)", "adamixup"]
)
def test_methods_of_classes_know_how_many_each_output_has(more):
    _, found = trained(parsed(more=f"{more}; until = epochs(4)"), opened())
    assert all(math.isfinite(value) for value in found.measures.values())


def test_fused_they_end_where_they_would_alone():
    space, data = parsed(more="mixup; until = epochs(12)"), opened()
    settings = {"batch_size": 16, "epochs": 3, "mixup": Spec("mixup")}
    plan = nasdsl.plan(space, space.sample(seed=0))
    alone = train(build(plan, seed=1), plan, settings, data, 1)
    members = [Candidate(build(plan, seed=s), settings, s) for s in (0, 1)]
    together = dict(train_group(members, plan, data, epochs=3))
    assert together[1].measures == pytest.approx(alone.measures, rel=1e-3, abs=1e-3)


def test_several_numbers_under_several_names():
    x, _ = rows()
    data = opened("regression", {"sign": x[:, 0], "size": 5 * x[:, 1:3] + 2})
    _, found = trained(parsed("regression", 1, 2), data)
    assert found.measures["size.r2"] > 0.8
    assert found.measures["size.mae"] > found.measures["sign.mae"]  # in the units of the data


def test_targets_by_name_from_a_file(tmp_path):
    x, y = rows()
    np.savez(tmp_path / "two.npz", X=x, **y)
    text = SPACE.format(kind="classification", classes="", sign="2", size="3", more="until = epochs(1)")
    text = text.replace("shape(6)", 'npz("two.npz", target = "sign, size")')
    (tmp_path / "two.space").write_text(text)
    run = nasdsl.search(
        nasdsl.load(str(tmp_path / "two.space")),
        searcher="random",
        budget=1,
        workers=1,
        run=str(tmp_path / "run"),
    )
    assert run.records[0].error is None
    assert {"sign.accuracy", "size.accuracy", "accuracy"} <= set(run.best.measures)


def test_columns_of_a_table_are_outputs(tmp_path):
    lines = ["a,b,sort,far out"] + [f"{i % 7},{i % 5},{'pq'[i % 2]},{i % 3}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    spec = Spec("csv", {"path": "t.csv", "target": "sort, b"})
    data = open_data(Task("classification", spec, {}, 2), tmp_path)
    assert dict(data.widths) == {"sort": 2, "b": 5}
    spec = Spec("csv", {"path": "t.csv", "target": "sort, far out"})
    with pytest.raises(DataError, match=r"`far out` cannot be the name of an output\nhelp: .*far_out"):
        open_data(Task("classification", spec, {}, 2), tmp_path)


def test_weights_of_classes_are_of_one_output():
    with pytest.raises(
        DataError, match="weights of classes are of one output, and here are 2: `sign`, `size`"
    ):
        trained(parsed(more="loss = cross_entropy(weights = balanced)"), opened())


def test_what_does_not_fit_is_said():
    _, y = rows()
    space = parsed()
    plan = nasdsl.plan(space, space.sample(seed=0))
    with pytest.raises(
        DataError, match=r"gives `sign`, `size`, but the data have targets for `output`\nhelp: give targets"
    ):
        check_fits(plan, opened(y=y["sign"]))
    wide = parsed(size=4)
    with pytest.raises(DataError, match=r"`output.size` has shape \(4,\), and its targets ask for \(3,\)"):
        check_fits(nasdsl.plan(wide, wide.sample(seed=0)), opened())
    with pytest.raises(DataError, match="240 rows of inputs, but 100 targets"):
        opened(y={"sign": y["sign"], "size": y["size"][:100]})
    with pytest.raises(DataError, match="there are no targets"):
        opened(y={})
