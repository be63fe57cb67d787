"""The trainer: the same numbers for the same seed, torch's own arithmetic, and what each setting does."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from training_toys import FAST, arrays, cnn, mlp, rows, run, same

from compiler.plan import Plan
from nasdsl.language.network import Spec, Task
from nasdsl.training import DataError, Diverged, measure, open_data, train
from nasdsl.training.dataset import INPUT, OUTPUT

# --- learning ---------------------------------------------------------------------------------


def test_classes_are_learned_and_measured(two_classes):
    module = mlp()
    trained = run(module, two_classes, FAST)
    assert trained.measures["accuracy"] > 0.95
    assert set(trained.measures) == {"accuracy", "loss"}
    assert [point["step"] for point in trained.curve] == list(range(1, 9))
    assert trained.curve[-1]["train_loss"] < trained.curve[0]["train_loss"]
    assert measure(module, FAST, two_classes, "valid") == trained.measures
    assert measure(module, FAST, two_classes, "test")["accuracy"] > 0.9


def test_numbers_are_learned_in_their_own_units(a_line):
    module = nn.Linear(2, 1)
    trained = run(module, a_line, {**FAST, "optimizer": Spec("sgd", {"lr": 0.1}), "epochs": 20})
    assert trained.measures["r2"] > 0.99
    assert 0.4 < trained.measures["mae"] < 1.5  # the noise has deviation 1, the targets have 54
    assert set(trained.measures) == {"r2", "mae", "loss"}


def test_accuracy_and_loss_are_those_of_the_definition(two_classes):
    module = mlp()
    rows_of = two_classes.rows("test")
    fold = two_classes.folds[0].inputs[INPUT]
    x = torch.from_numpy((two_classes.inputs[INPUT][rows_of] - fold.mean) / fold.deviation)
    y = torch.from_numpy(two_classes.targets[OUTPUT][rows_of])
    with torch.no_grad():
        logits = module.eval()(x)
    found = measure(module, {}, two_classes, "test")
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == y).double().mean().item())
    assert found["loss"] == pytest.approx(nn.functional.cross_entropy(logits, y).item(), rel=1e-5)


def test_r2_and_mae_are_scikit_learns(a_line):
    from sklearn.metrics import mean_absolute_error, r2_score

    module = mlp(outputs=1)
    rows_of, fold = a_line.rows("valid"), a_line.folds[0]
    x = (a_line.inputs[INPUT][rows_of] - fold.inputs[INPUT].mean) / fold.inputs[INPUT].deviation
    with torch.no_grad():
        answers = module.eval()(torch.from_numpy(x)).numpy()
    answers = answers * fold.targets[OUTPUT].deviation + fold.targets[OUTPUT].mean
    truth = a_line.targets[OUTPUT][rows_of]
    found = measure(module, {}, a_line, "valid")
    assert found["r2"] == pytest.approx(r2_score(truth, answers), rel=1e-4)
    assert found["mae"] == pytest.approx(mean_absolute_error(truth, answers), rel=1e-4)


# --- the same every time ----------------------------------------------------------------------

EVERYTHING = {
    **FAST,
    "epochs": 3,
    "schedule": Spec("cosine", {"warmup": 0.1}),
    "mixup": Spec("mixup", {"alpha": 0.3}),
    "label_smoothing": Spec("label_smoothing", {"rate": 0.1}),
    "clip": 1.0,
}


def test_a_seed_decides_every_bit(two_classes):
    first, second = (run(mlp(dropout=0.3), two_classes, EVERYTHING, seed=5) for _ in range(2))
    assert same(first, second)
    assert first.curve == second.curve
    assert not same(first, run(mlp(dropout=0.3), two_classes, EVERYTHING, seed=6))


def test_torchs_own_generator_is_left_as_it_was(two_classes):
    before = torch.get_rng_state()
    run(mlp(dropout=0.3), two_classes, EVERYTHING)
    assert torch.equal(torch.get_rng_state(), before)


def test_threads_are_put_back(two_classes):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run(mlp(), two_classes, FAST, epochs=1, on_epoch=lambda *_: torch.get_num_threads() == 1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


# --- against torch ----------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": (
        Spec("sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        lambda g: torch.optim.SGD(g, 0.05, 0.9, nesterov=True, fused=False),
    ),
    "adam": (Spec("adam", {"weight_decay": 0.01}), lambda g: torch.optim.Adam(g, 1e-3, fused=False)),
    "adamw": (Spec("adamw", {"weight_decay": 0.01}), lambda g: torch.optim.AdamW(g, 1e-3, fused=False)),
    "rmsprop": (Spec("rmsprop", {"weight_decay": 0.01}), lambda g: torch.optim.RMSprop(g, 1e-3)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_steps_are_those_of_torchs_plain_loop(name, network, two_classes, pictures):
    """Fused kernels read raw memory: channels-last weights and their gradients must lie alike."""
    data, make = (two_classes, mlp) if network == "mlp" else (pictures, cnn)
    spec, plain = OPTIMIZERS[name]
    settings = {"optimizer": spec, "batch_size": 10_000, "epochs": 12}
    trained = run(make(), data, settings)
    module = make()
    weights = list(module.parameters())
    groups = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = plain(groups)
    fold, train_rows = data.folds[0].inputs[INPUT], data.rows("train")
    x = torch.from_numpy((data.inputs[INPUT][train_rows] - fold.mean) / fold.deviation)
    y = torch.from_numpy(data.targets[OUTPUT][train_rows])
    for _ in range(12):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()
    for key, expected in module.state_dict().items():
        torch.testing.assert_close(trained.state_dict[key], expected, rtol=1e-3, atol=1e-4)


# --- settings ---------------------------------------------------------------------------------


def test_settings_that_are_absent_have_the_defaults_of_the_table(two_classes):
    default = {
        "optimizer": Spec("adamw", {"lr": 1e-3, "weight_decay": 1e-2}),
        "schedule": Spec("constant"),
        "batch_size": 64,
        "epochs": 20,
    }
    explicit = run(mlp(), two_classes, default)
    implied = run(mlp(), two_classes, {"optimizer": "adamw"})
    assert len(implied.curve) == 20
    assert same(explicit, implied)


def test_the_setting_weight_decay_takes_the_place_of_the_optimizers(two_classes):
    own = run(mlp(), two_classes, {**FAST, "optimizer": Spec("adamw", {"weight_decay": 0.5})})
    setting = run(mlp(), two_classes, {**FAST, "optimizer": Spec("adamw"), "weight_decay": 0.5})
    without = run(mlp(), two_classes, {**FAST, "optimizer": Spec("adamw", {"weight_decay": 0.0})})
    assert same(own, setting)
    assert not same(own, without)


def test_clipping_bounds_the_step(two_classes):
    plain = {"optimizer": Spec("sgd", {"lr": 1.0}), "batch_size": 10_000, "epochs": 1}
    before = torch.cat([p.detach().flatten() for p in mlp().parameters()])
    steps = []
    for settings in (plain, {**plain, "clip": 1e-3}):
        module = mlp()
        run(module, two_classes, settings)
        after = torch.cat([p.detach().flatten() for p in module.parameters()])
        steps.append(float((after - before).norm()))
    assert steps[0] > 0.01
    assert steps[1] == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_losses_of_numbers(loss, a_line):
    settings = {**FAST, "epochs": 20, "loss": Spec(loss)}
    assert run(mlp(outputs=1), a_line, settings).measures["r2"] > 0.9


@pytest.mark.parametrize(
    ("setting", "value", "kind", "said"),
    [
        ("loss", Spec("mae"), "classification", "does not fit a classification"),
        ("loss", Spec("cross_entropy"), "regression", "does not fit a regression"),
        ("label_smoothing", Spec("label_smoothing"), "regression", "is for classes"),
        ("loss", Spec("prox_matching"), "classification", "not part of this version"),
        ("optimizer", Spec("cosine"), "classification", "not part of this version"),
        ("batch_size", 0, "classification", "at least 1"),
        ("clip", "much", "classification", "takes a number"),
    ],
)
def test_settings_that_do_not_fit_are_refused(setting, value, kind, said, two_classes, a_line):
    data, module = (two_classes, mlp()) if kind == "classification" else (a_line, mlp(outputs=1))
    with pytest.raises(DataError, match=said):
        run(module, data, {**FAST, setting: value})


def test_a_network_for_other_inputs_is_refused(two_classes, a_line):
    wrong = Plan((), {INPUT: (3,)}, {OUTPUT: "last"}, 0, 0, 0, 0, 0, 0, "")
    with pytest.raises(DataError, match=r"takes \{'input': \(3,\)\}, but the data have"):
        train(mlp(), wrong, FAST, two_classes, 0)


def test_a_network_without_weights_is_refused(two_classes):
    with pytest.raises(DataError, match="no weights to train"):
        run(nn.Identity(), two_classes, FAST)


# --- the course of a training -----------------------------------------------------------------


def test_on_epoch_sees_the_measures_and_may_stop(two_classes):
    seen = []

    def on_epoch(epoch, measures):
        seen.append((epoch, dict(measures)))
        return epoch < 3

    trained = run(mlp(), two_classes, FAST, on_epoch=on_epoch)
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert seen[-1][1] == trained.measures
    assert len(trained.curve) == 3


def test_epochs_given_take_the_place_of_the_setting(two_classes):
    assert len(run(mlp(), two_classes, FAST, epochs=2).curve) == 2


def test_divergence_is_an_error_of_its_own(a_line):
    with pytest.raises(Diverged, match="learning rate"):
        run(mlp(outputs=1), a_line, {"optimizer": Spec("sgd", {"lr": 1e6}), "epochs": 5})


def test_a_lone_last_sample_does_not_break_batch_norm():
    x, y = rows(n=85)  # 51 rows train: batches of 10 leave one
    data = arrays("classification", x, y)
    assert len(data.rows("train")) == 51
    module = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    trained = run(module, data, {"batch_size": 10, "epochs": 2})
    assert math.isfinite(trained.measures["loss"])


def test_batch_norm_of_single_samples_is_refused_with_a_remedy(two_classes):
    module = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    with pytest.raises(DataError, match=r"batch of one sample\nhelp: take a batch_size of 2"):
        run(module, two_classes, {"batch_size": 1, "epochs": 1})
    assert run(mlp(), two_classes, {"batch_size": 1, "epochs": 1}).measures["loss"] > 0


def test_weights_of_images_are_kept_contiguous(pictures):
    state = run(cnn(), pictures, FAST, epochs=1).state_dict
    assert all(tensor.is_contiguous() for tensor in state.values())


def test_folds_are_trained_in_step_and_averaged(tmp_path):
    x, y = rows(100)
    np.savez(tmp_path / "d.npz", X=x, y=y)
    data = open_data(Task("classification", Spec("npz", {"path": "d.npz", "folds": 3}), {}, 2), tmp_path)
    module = mlp()
    trained = run(module, data, FAST)
    assert len(trained.curve) == 8
    first = measure(module, FAST, data, "valid")
    assert trained.measures != first  # a mean of three
    assert trained.measures["accuracy"] > 0.85
    assert all(torch.equal(trained.state_dict[k], v) for k, v in module.state_dict().items())


def test_an_empty_test_part_has_no_measures(tmp_path):
    x, y = rows(40)
    np.savez(tmp_path / "d.npz", X=x, y=y)
    data = open_data(Task("classification", Spec("npz", {"path": "d.npz", "test": 0.0}), {}, 2), tmp_path)
    assert measure(mlp(), {}, data, "test") == {}


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, left, right):
        return {"sum": self.a(left), "other": self.b(right)}


def test_several_inputs_and_outputs(two_classes):
    x, y = two_classes.inputs[INPUT], two_classes.targets[OUTPUT]
    shape, (fold,) = two_classes.shapes[INPUT], two_classes.folds
    data = replace(
        two_classes,
        inputs={"left": x, "right": -x},
        targets={"sum": y, "other": 1 - y},
        shapes={"left": shape, "right": shape},
        folds=(replace(fold, inputs={}),),
    )
    trained = run(TwoHeads(), data, {**FAST, "epochs": 15})
    assert trained.measures["sum.accuracy"] > 0.8
    assert trained.measures["other.accuracy"] > 0.8
    mean = (trained.measures["sum.loss"] + trained.measures["other.loss"]) / 2
    assert trained.measures["loss"] == pytest.approx(mean)
