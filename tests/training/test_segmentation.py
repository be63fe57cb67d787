"""A class for each position: shapes, losses, measures, data, augmentation, and a training that finds drawn shapes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

import nasdsl
from compiler.build import build
from nasdsl.language.network import Spec, Task
from nasdsl.training import DataError, UserData, open_data, train
from nasdsl.training.batch import Batch
from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.fused.forms import Unfusable
from nasdsl.training.fused.train import Candidate, train_group
from nasdsl.training.losses import NOWHERE, training_loss
from nasdsl.training.measures import agreement, segmentation
from nasdsl.training.methods.augment import AUGMENTATIONS

TASK = Task("segmentation", None, {}, 1)


def drawn_shapes(n=80, size=16, seed=0):
    """Squares (class 1) and discs (class 2), of one brightness, on noise (class 0)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(scale=0.3, size=(n, 1, size, size)).astype(np.float32)
    y = np.zeros((n, size, size), dtype=np.int64)
    down, right = np.mgrid[:size, :size]
    for i in range(n):
        for kind, half in ((1, 2), (2, 3)):
            a, b = rng.integers(4, size - 4, 2)
            if kind == 1:
                inside = (abs(down - a) <= half) & (abs(right - b) <= half)
            else:
                inside = (down - a) ** 2 + (right - b) ** 2 <= half**2
            x[i, 0][inside] += 1.5 * kind
            y[i][inside] = kind
    return x, y


def opened(x, y):
    return open_data(TASK, None, UserData.from_arrays((x, y)))


UNET = """
task segmentation on shape(1, 16, 16, classes = 3)
network {
    parallel(merge = concat) {
        conv2d(8)
        { conv2d(8); max_pool(2); batch_norm; relu; conv2d(8); relu; upsample(2) }
    }
    relu; conv2d(outputs, kernel = 1)
}
train { optimizer = adam(lr = 0.02); batch_size = 16; epochs = 12; augment { flip } ; label_smoothing(0.01) }
"""


def test_drawn_shapes_are_found():
    data = opened(*drawn_shapes())
    assert (data.outputs, data.classes, data.targets[OUTPUT].dtype) == (3, ("0", "1", "2"), np.uint8)
    space = nasdsl.parse(UNET).with_task(data.shapes, data.outputs)
    point = space.sample(seed=0)
    plan = nasdsl.plan(space, point)
    assert plan.nodes[-1].shape == (3, 16, 16)
    settings = space.decided(point).settings
    trained = train(build(plan, seed=0), plan, settings, data, 0)
    assert set(trained.measures) == {"accuracy", "mean_iou", "loss"}
    assert trained.measures["mean_iou"] > 0.7  # all background has 0.3
    assert space.goals[0].measure == "mean_iou"
    members = [Candidate(build(plan, seed=s), settings, s) for s in (0, 1)]
    with pytest.raises(Unfusable):
        list(train_group(members, plan, data, epochs=1))


def test_a_search_runs_on_maps(tmp_path):
    np.savez(tmp_path / "shapes.npz", X=drawn_shapes(40)[0], y=drawn_shapes(40)[1])
    text = UNET.replace("shape(1, 16, 16, classes = 3)", 'npz("shapes.npz")').replace(
        "conv2d(8);", "conv2d(4 | 8);"
    )
    (tmp_path / "s.space").write_text(text.replace("epochs = 12", "epochs = 1"))
    space = nasdsl.load(str(tmp_path / "s.space"))
    run = nasdsl.search(space, searcher="random", budget=2, workers=1, run=str(tmp_path / "run"))
    assert [record.error for record in run.records] == [None, None]
    assert 0 <= run.best.score <= 1
    (out, _) = exported(run, tmp_path)
    module = load_file(out)
    answers = module.predict(drawn_shapes(3)[0])
    assert answers.shape == (3, 16, 16)
    assert set(answers.unique().tolist()) <= {0, 1, 2}


def exported(run, folder):
    from nasdsl.engine.exporting import export

    return export(run, run.best, "python", folder / "net.py")


def load_file(path):
    import importlib.util

    spec = importlib.util.spec_from_file_location("exported_maps", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- losses and measures ------------------------------------------------------------------------


def test_the_loss_is_the_mean_over_positions():
    torch.manual_seed(0)
    z, y = torch.randn(3, 4, 5, 6), torch.randint(4, (3, 5, 6))
    flat = functional.cross_entropy(z.movedim(1, -1).reshape(-1, 4), y.reshape(-1))
    assert training_loss({}, "segmentation")(z, y) == pytest.approx(float(flat))
    plain = Spec("focal", {"gamma": 0.0, "weights": "none"})
    assert training_loss({"loss": plain}, "segmentation")(z, y) == pytest.approx(float(flat), rel=1e-5)


@pytest.mark.parametrize("name", ["cross_entropy", "focal"])
def test_positions_from_outside_count_for_nothing(name):
    torch.manual_seed(0)
    z, y = torch.randn(2, 3, 4, 4), torch.randint(3, (2, 4, 4))
    loss = training_loss({"loss": Spec(name)}, "segmentation")
    part = loss(z[:, :, :2], y[:, :2])
    y[:, 2:] = NOWHERE
    assert loss(z, y) == pytest.approx(float(part), rel=1e-6)


def test_measures_are_scikit_learns():
    from sklearn.metrics import accuracy_score, jaccard_score

    torch.manual_seed(0)
    z, y = torch.randn(4, 5, 7, 7), torch.randint(3, (4, 7, 7))
    found = segmentation(agreement(z, y), 0.0)
    truth, answers = y.flatten().numpy(), z.argmax(1).flatten().numpy()
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, answers))
    assert found["mean_iou"] == pytest.approx(jaccard_score(truth, answers, average="macro"))
    halves = agreement(z[:1], y[:1]) + agreement(z[1:], y[1:])
    assert segmentation(halves, 0.0) == found


# --- augmentation -------------------------------------------------------------------------------


class _Setup:
    kind = "segmentation"

    def __init__(self, data):
        self.data = data

    def chance(self, name):
        return np.random.default_rng(0)


@pytest.mark.parametrize(
    "spec", [Spec("flip", {"probability": 0.5}), Spec("crop", {"pad": 3})], ids=lambda s: s.name
)
def test_masks_move_with_their_maps(spec):
    class Data:
        shapes = nasdsl.parse(UNET).task.inputs

    (change,) = AUGMENTATIONS[spec.name](spec, _Setup(Data)).augment
    y = torch.randint(1, 3, (8, 16, 16))
    for _ in range(2):  # the second time with other draws
        moved = change(Batch({INPUT: y[:, None].float()}, {OUTPUT: y}, torch.arange(8)), None)
        there = moved.targets[OUTPUT] != NOWHERE
        assert torch.equal(moved.inputs[INPUT][:, 0][there], moved.targets[OUTPUT][there].float())
        assert (moved.inputs[INPUT][:, 0][~there] == 0).all()
        assert not torch.equal(moved.targets[OUTPUT], y)
        y = moved.targets[OUTPUT].clamp_min(0) + 1


# --- data ---------------------------------------------------------------------------------------


def test_masks_that_do_not_fit_are_refused():
    x, y = drawn_shapes(20)
    with pytest.raises(DataError, match=r"masks of shape \(8, 8\), but inputs of \(16, 16\)"):
        opened(x, y[:, :8, :8])
    with pytest.raises(DataError, match="all positions are of one class, `0`"):
        opened(x, y * 0)
    with pytest.raises(DataError, match="targets are fractions, not classes"):
        opened(x, y + 0.5)
    with pytest.raises(DataError, match=r"inputs of shape \(256,\) have no positions"):
        opened(x.reshape(20, -1), y)
    y[:] = 0
    y[3, 0, 0] = 1
    with pytest.raises(DataError, match="no row of class `1` is left to train on"):
        for row in range(20):  # wherever it goes, for some row it is not the training part
            opened(x, np.roll(y, row, 0))


def test_images_with_masks(tmp_path):
    image = pytest.importorskip("PIL.Image")
    x, y = drawn_shapes(12, 20)
    for folder in ("scans", "masks"):
        (tmp_path / folder).mkdir()
    for i in range(12):
        image.fromarray((x[i, 0] * 50).clip(0, 255).astype(np.uint8)).save(tmp_path / "scans" / f"{i}.png")
        image.fromarray((y[i] * 100).astype(np.uint8)).save(tmp_path / "masks" / f"{i}.png")
    said = {"path": "scans", "masks": "masks", "size": 10, "grey": True}
    data = open_data(Task("segmentation", Spec("images", said), {}, 1), tmp_path)
    assert data.inputs[INPUT].shape == (12, 1, 10, 10)
    assert data.classes == ("0", "100", "200")
    assert data.targets[OUTPUT].shape == (12, 10, 10)
    (tmp_path / "masks" / "3.png").unlink()
    with pytest.raises(DataError, match=r"1 of 12 images have no mask, the first of them 3\.png"):
        open_data(Task("segmentation", Spec("images", said), {}, 1), tmp_path)


@pytest.mark.parametrize(
    ("ending", "help"),
    [
        ("max_pool(2); conv2d(outputs)", r"bring the map back to the size of the input: `upsample\(2\)`"),
        ("global_avg_pool; linear(outputs)", "keep the map to the end"),
        ("conv2d(7)", r"end it with `conv2d\(outputs, kernel = 1\)`"),
    ],
)
def test_a_network_that_ends_otherwise_is_told_how(ending, help):
    text = f"task segmentation on shape(1, 8, 8, classes = 2)\nnetwork {{ conv2d(4); {ending} }}"
    with pytest.raises(nasdsl.SpaceError, match=help):
        nasdsl.parse(text)


@pytest.mark.parametrize(
    "data",
    ["digits", "shape(12, classes = 2)", 'csv("t.csv", target = "y")', 'images("a")', 'text("a.txt")'],
)
def test_data_without_positions_or_masks_are_refused(data):
    with pytest.raises(nasdsl.SpaceError, match="wrong-data"):
        nasdsl.parse(f"task segmentation on {data}\nnetwork {{ conv2d(outputs) }}")


def test_the_unet_is_a_segmentation():
    space = nasdsl.load(str(Path("examples/spaces/unet.space")))
    assert space.task.kind == "segmentation"
    plan = nasdsl.plan(space, space.sample(seed=0))
    assert plan.nodes[-1].shape == (2, 128, 128)
