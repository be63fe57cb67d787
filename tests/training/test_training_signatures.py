"""The rows of `train { }` and of data: complete, consistent, and all working rows do work."""

import pytest

from nasdsl.language.kinds import suits
from nasdsl.language.network import Spec
from nasdsl.language.shapes import INFINITE, Interval, Shape, vector
from nasdsl.language.signatures.data import DATA_SIGNATURES, FILES, task_shapes
from nasdsl.language.signatures.signature import ShapeError
from nasdsl.language.signatures.table import DATA, TRAINING
from nasdsl.language.signatures.training import TRAINING_SIGNATURES
from nasdsl.training.builtin import BUILT_IN
from nasdsl.training.methods.augment import AUGMENTATIONS
from nasdsl.training.methods.table import METHODS
from nasdsl.training.opening import complete
from nasdsl.training.settings import setting

ROWS = (*TRAINING_SIGNATURES, *DATA_SIGNATURES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_default_suits_its_kind(row):
    for argument in row.arguments:
        assert argument.doc
        if argument.default is not None:
            assert suits(argument.default, argument.kind), argument


def test_a_setting_has_one_value_and_absent_ones_have_its_default():
    for row in TRAINING.values():
        if row.group == "setting":
            assert [argument.name for argument in row.arguments] == ["value"]
            assert setting({}, row.name) == row.arguments[0].default
    assert setting({}, "batch_size") == 64
    assert setting({}, "optimizer")["lr"] == 1e-3
    assert setting({"epochs": 3}, "epochs") == 3


def test_default_calls_hold_every_argument():
    for row in TRAINING.values():
        for argument in row.arguments:
            if isinstance(argument.default, Spec):
                assert set(argument.default.arguments) == set(TRAINING[argument.default.name].by_name)


def test_every_working_regularizer_and_augmentation_is_made():
    working = {
        row.name for row in TRAINING.values() if row.group in ("regularizer", "augment") and not row.later
    }
    assert working <= {*METHODS, *AUGMENTATIONS}


def test_every_working_data_set_can_be_opened():
    working = {row.name for row in DATA.values() if not row.later}
    assert working == {*BUILT_IN, "mnist1d", "modular", "spirals", "shape", "shapes", "text", *FILES}


@pytest.mark.parametrize(
    ("kind", "spec", "shape", "outputs"),
    [
        ("classification", Spec("digits"), Shape((1, 8, 8), "image"), 10),
        ("regression", Spec("diabetes"), vector(10), 1),
        ("classification", Spec("shape", {"d1": 3, "d2": 32, "d3": 32, "classes": 7}), Shape((3, 32, 32), "image"), 7),
        ("regression", Spec("shape", {"d1": 5}), vector(5), 1),
        ("classification", Spec("csv", {"target": "a"}), vector(Interval(1, INFINITE)), Interval(2, INFINITE)),
        ("regression", Spec("csv", {"target": "a, b"}), vector(Interval(1, INFINITE)), 2),
        ("regression", Spec("npz"), vector(Interval(1, INFINITE)), Interval(1, INFINITE)),
    ],
)  # fmt: skip
def test_shapes_known_before_any_file_is_read(kind, spec, shape, outputs):
    assert task_shapes(kind, complete(spec)) == ({"input": shape}, outputs)


@pytest.mark.parametrize(
    ("kind", "spec", "said"),
    [
        ("regression", Spec("digits"), "has classes to predict"),
        ("classification", Spec("diabetes"), "has numbers to predict"),
        ("classification", Spec("shape", {"d1": 3}), "how many classes"),
        ("regression", Spec("shape", {"d1": 3, "classes": 2}), "no `classes`"),
        ("regression", Spec("shape", {"d1": 3, "d3": 2}), "skips an axis"),
    ],
)
def test_data_that_cannot_serve_the_task(kind, spec, said):
    with pytest.raises(ShapeError, match=said):
        task_shapes(kind, complete(spec))
