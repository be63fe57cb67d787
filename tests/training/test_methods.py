"""Each method of training by the invariant of its paper, and that it trains."""

import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from training_toys import FAST, arrays, cnn, mlp, plan_for, rows, run, same

import nasdsl
from compiler.build import build
from nasdsl.language.network import Spec
from nasdsl.training import DataError, train
from nasdsl.training.batch import Batch
from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.layers import effective_weights, residual_joins
from nasdsl.training.losses import focal_loss, squared_error_of_classes
from nasdsl.training.methods import augment, subset
from nasdsl.training.methods.anchor import fisher
from nasdsl.training.methods.cutmix import CutMix
from nasdsl.training.methods.drop_path import LeaveOut
from nasdsl.training.methods.dropout import LateDropout
from nasdsl.training.methods.elr import EarlyLearning
from nasdsl.training.methods.ps_kd import make as ps_kd
from nasdsl.training.methods.tune import Half
from nasdsl.training.muon import orthogonal
from nasdsl.training.pacing import Stop, length
from nasdsl.training.session import session
from nasdsl.training.target_store import TargetStore


def begun(module, data, settings, epochs=4, seed=0):
    """A session before its first step."""
    return session(module, plan_for(data), settings, data, 0, seed, epochs, torch.device("cpu"))


def at(share=0.0, epoch=0, n_epochs=10):
    return SimpleNamespace(share=share, epoch=epoch, n_epochs=n_epochs)


def store_of(n=6, classes=3):
    targets = {OUTPUT: torch.zeros(n)}
    return TargetStore(
        SimpleNamespace(data=SimpleNamespace(targets=targets), widths={OUTPUT: classes}, device="cpu")
    )


# --- wrong labels -------------------------------------------------------------------------------


def batch_of(index, classes=3):
    n = len(index)
    return Batch({INPUT: torch.zeros(n, 2)}, {OUTPUT: torch.zeros(n, dtype=torch.long)}, torch.tensor(index))


def test_elr_without_news_of_the_past_is_nothing():
    term = EarlyLearning(store_of(), beta=1.0, weight=3.0)
    z = torch.randn(2, 3)
    assert term(batch_of([0, 4]), {OUTPUT: z}, at()) == 0


def test_elr_changes_only_the_samples_of_its_batch_and_has_its_gradient():
    store = store_of()
    term = EarlyLearning(store, beta=0.7, weight=3.0)
    term(batch_of([1, 4]), {OUTPUT: torch.randn(2, 3)}, at())
    assert store[OUTPUT].abs().sum(1).nonzero().flatten().tolist() == [1, 4]
    z = torch.randn(1, 3, requires_grad=True)
    (got,) = torch.autograd.grad(term(batch_of([1]), {OUTPUT: z}, at()), z)
    p, t = z.detach().softmax(1), store[OUTPUT][[1]]
    inner = (p * t).sum()
    torch.testing.assert_close(got, 3.0 / (1 - inner) * p * (inner - t))


def test_ps_kd_begins_with_labels_and_ends_with_its_share(two_classes):
    one = begun(mlp(), two_classes, FAST)
    parts = ps_kd(Spec("ps_kd", {"alpha": 0.8}), one.setup)
    (soften,), (remember,) = parts.retarget, parts.observers
    batch = one.setup.data.batch(one.setup.rows[:8])
    hot = functional.one_hot(batch.targets[OUTPUT], 2).float()
    assert torch.equal(soften(batch, at()).targets[OUTPUT], hot)
    z = torch.randn(8, 2)
    remember(batch, {OUTPUT: z}, at())
    last = soften(batch, at(epoch=9)).targets[OUTPUT]
    torch.testing.assert_close(last, 0.2 * hot + 0.8 * z.softmax(1))
    torch.testing.assert_close(last.sum(1), torch.ones(8))


def test_ps_kd_without_a_share_is_plain_training(two_classes):
    plain = run(mlp(), two_classes, FAST, epochs=3)
    none = run(mlp(), two_classes, {**FAST, "ps_kd": Spec("ps_kd", {"alpha": 0.0})}, epochs=3)
    for key, value in plain.state_dict.items():
        torch.testing.assert_close(none.state_dict[key], value, rtol=1e-4, atol=1e-5)


# --- inputs -------------------------------------------------------------------------------------


def test_cutmix_pastes_one_box_and_weighs_by_its_share():
    x = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    batch = Batch({INPUT: x}, {OUTPUT: torch.tensor([0, 1])}, torch.arange(2))
    for seed in range(20):
        mixed = CutMix(1.0, 1.0, {OUTPUT: 2}, np.random.default_rng(seed))(batch, at())
        pasted, share = mixed.inputs[INPUT][0, 0], mixed.targets[OUTPUT][0, 1]
        assert float(share) == pytest.approx(float(pasted.mean()), abs=1e-6)
        height, width = pasted.amax(1).sum(), pasted.amax(0).sum()
        assert pasted.sum() == height * width  # a box
        torch.testing.assert_close(mixed.targets[OUTPUT].sum(1), torch.ones(2))


def test_cutmix_of_a_table_is_refused(two_classes):
    with pytest.raises(DataError, match="cuts out positions"):
        run(mlp(), two_classes, {**FAST, "cutmix": Spec("cutmix")})


def test_changes_of_inputs_do_what_they_say():
    x = torch.arange(2 * 1 * 4 * 6.0).reshape(2, 1, 4, 6) + 1
    rng = np.random.default_rng
    assert torch.equal(augment.flip(x, rng(0), 1.0), x.flip(-1))
    assert torch.equal(augment.flip(x, rng(0), 0.0), x)
    assert torch.equal(augment.crop(x, rng(0), 0), x)
    moved = augment.crop(x, rng(1), 2)[0, 0]
    padded = functional.pad(x, (2, 2, 2, 2))[0, 0]
    windows = [padded[i : i + 4, j : j + 6] for i in range(5) for j in range(5)]
    assert any(torch.equal(moved, window) for window in windows)
    holes = (augment.erase(x, rng(0), 0.5) == 0).sum((1, 2, 3))
    assert holes.tolist() == [2 * 3, 2 * 3]
    factors = augment.jitter(x, rng(0), 0.2) / x
    assert factors.amin((1, 2, 3)).tolist() == pytest.approx(factors.amax((1, 2, 3)).tolist())
    assert 0.8 <= factors.min() < factors.max() <= 1.2
    assert (augment.noise(x, rng(0), 0.5) - x).std() == pytest.approx(0.5, rel=0.3)


def test_changes_act_in_the_order_of_the_settings(pictures):
    crop_first = begun(cnn(), pictures, {"crop": Spec("crop"), "flip": Spec("flip")}).parts.augment
    flip_first = begun(cnn(), pictures, {"flip": Spec("flip"), "crop": Spec("crop")}).parts.augment
    x = torch.randn(6, 2, 6, 6)
    changed = [[one.change(x, np.random.default_rng(0)) for one in both] for both in (crop_first, flip_first)]
    assert torch.equal(changed[0][0], changed[1][1])
    assert torch.equal(changed[0][1], changed[1][0])


# --- dropping -----------------------------------------------------------------------------------


def test_drop_path_leaves_out_whole_samples_and_nothing_in_evaluation():
    hook, module, x = LeaveOut(0.5, 0), nn.Identity(), torch.ones(2000, 3)
    out, skip = hook(module.train(), (x, x))
    assert skip is x
    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert (out.amax(1) == out.amin(1)).all()
    assert float(out.mean()) == pytest.approx(1, abs=0.1)
    assert hook(module.eval(), (x, x))[0] is x
    assert LeaveOut(1.0, 0)(module.train(), (x, x))[0].abs().sum() == 0


@pytest.mark.parametrize(
    ("repeats", "expected"), [(4, [0, 0.125, 0.25, 0.375, 0.5]), (1, [0, 0.5]), (0, [0.5])]
)
def test_drop_path_finds_residuals_and_rises_with_depth(repeats, expected):
    text = f"""task classification on shape(4, classes = 2)
    network {{
        linear(8); repeat 0..{max(1, repeats)} {{ residual {{ linear(8); relu }} }}; residual {{ linear(6) }}
        linear(outputs)
    }}
    require depth == {repeats + 3}"""
    space = nasdsl.parse(text)
    plan = nasdsl.plan(space, space.sample(0))
    joins = residual_joins(plan)
    module, data = build(plan, seed=0), arrays("classification", *four_features())
    train(module, plan, {**FAST, "drop_path": Spec("drop_path", {"rate": 0.5})}, data, 0, epochs=1)
    rates = [next(iter(dict(module.named_modules())[n]._forward_pre_hooks.values())).rate for n, _ in joins]
    assert rates == pytest.approx(expected)


def four_features():
    x, y = rows()
    return np.concatenate([x, -x], 1), y


def test_drop_path_without_residuals_is_refused(two_classes):
    with pytest.raises(DataError, match="this network has none"):
        run(mlp(), two_classes, {**FAST, "drop_path": Spec("drop_path")})


def test_late_dropout_begins_late(two_classes):
    late, module, x = LateDropout(0.5, 0.5), nn.Identity().train(), (torch.ones(50),)
    late.begin(at(0.4))
    assert late(module, x) is x
    late.begin(at(0.5))
    assert (late(module, x)[0] == 0).any()
    assert late(module.eval(), x) is x
    never = {**FAST, "dropout": Spec("dropout", {"rate": 0.5, "from": 1.0})}
    assert same(run(mlp(), two_classes, FAST, epochs=2), run(mlp(), two_classes, never, epochs=2))


# --- anchors and freezing -----------------------------------------------------------------------


def test_anchors_are_nothing_where_training_begins_and_ewc_of_ones_is_l2(two_classes):
    for kind in ("l2", "ewc"):
        one = begun(mlp(), two_classes, {**FAST, "anchor": Spec("anchor", {"kind": kind, "weight": 2.0})})
        (term,) = one.parts.terms
        batch = one.setup.data.batch(one.setup.rows[:4])
        assert term(batch, {}, one.course) == 0
        with torch.no_grad():
            for p in one.course.module.parameters():
                p += 0.1
        if kind == "ewc":
            term = type(term)(2.0, term.begun, {name: torch.ones_like(w) for name, w in term.begun.items()})
        n = sum(p.numel() for p in one.course.module.parameters())
        assert float(term(batch, {}, one.course).detach()) == pytest.approx(2.0 * 0.01 * n, rel=1e-4)


def test_fisher_is_that_of_logistic_regression(two_classes):
    module = nn.Linear(2, 2)
    with torch.no_grad():
        module.weight.zero_()
        module.bias.zero_()
    found = fisher(begun(module, two_classes, FAST).setup)
    assert found["bias"].tolist() == pytest.approx([0.25, 0.25])  # (y - 1/2)^2, whatever is drawn


def test_distillation_is_the_entropy_of_the_teacher_at_the_start(two_classes):
    settings = {**FAST, "anchor": Spec("anchor", {"kind": "distill", "weight": 1.0})}
    one = begun(mlp(), two_classes, settings)
    (term,) = one.parts.terms
    batch = one.setup.data.batch(one.setup.rows[:16])
    z = one.course.module(*batch.inputs.values())
    p = z.detach().softmax(1)
    assert float(term(batch, {OUTPUT: z}, one.course).detach()) == pytest.approx(
        float(-(p * p.log()).sum(1).mean()), rel=1e-5
    )


def test_an_anchor_keeps_weights_closer(two_classes):
    start = effective_weights(mlp())

    def moved(settings):
        module = mlp()
        run(module, two_classes, settings)
        now = effective_weights(module)
        return math.sqrt(sum(float((now[n] - w).detach().square().sum()) for n, w in start.items()))

    anchored = {**FAST, "anchor": Spec("anchor", {"kind": "l2", "weight": 1.0})}
    assert moved(anchored) < 0.5 * moved(FAST)


def test_effective_weights_are_what_a_parametrization_makes():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    found = effective_weights(nn.Sequential(layer))
    assert set(found) == {"0.weight", "0.bias"}
    assert torch.equal(found["0.weight"], layer.weight)


def test_tuning_the_head_leaves_all_else_bit_identical(two_classes):
    module = mlp()
    before = {name: p.clone() for name, p in module.named_parameters()}
    run(module, two_classes, {**FAST, "weight_decay": 0.5, "tune": "head"})
    moved = {name for name, p in module.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"3.weight", "3.bias"}


def test_half_freezes_a_half_anew_each_round(two_classes):
    wide = nn.Sequential(*[nn.Linear(8, 8, bias=False) for _ in range(10)])
    free = list(wide.parameters())
    half = Half(free, 2, np.random.default_rng(0))
    drawn = []
    for epoch in range(4):
        half(at(epoch=epoch, n_epochs=4))
        drawn.append([p.requires_grad for p in free])
    assert drawn[0] == drawn[1] != drawn[2] == drawn[3]
    assert [sum(one) for one in drawn] == [5, 5, 5, 5]
    module = nn.Sequential(nn.Linear(2, 8), *[nn.Linear(8, 8) for _ in range(4)], nn.Linear(8, 2))
    before = {name: p.clone() for name, p in module.named_parameters()}
    settings = {**FAST, "weight_decay": 0.5, "tune": Spec("half", {"rounds": 1})}
    run(module, two_classes, settings, epochs=1)
    still = {name for name, p in module.named_parameters() if torch.equal(p, before[name])}
    n_still = sum(before[name].numel() for name in still)
    n_free = sum(before[name].numel() for name in before if name[0] not in "05")
    assert 0.4 < n_still / n_free < 0.6


# --- averages, lengths, parts of the data -------------------------------------------------------


def test_the_average_is_the_mean_of_the_last_steps(two_classes):
    module, seen = mlp(), []
    one = begun(module, two_classes, {**FAST, "average": 0.5}, epochs=2)
    keep = one.parts.average[0]
    states = []

    def spying(course):
        keep(course)
        states.append(copy.deepcopy(course.module.state_dict()))

    object.__setattr__(one, "parts", type(one.parts)(average=(spying,), measured=one.parts.measured))
    for _ in range(2):
        seen.append(one.epoch())
    last = states[len(states) // 2 :]
    one.finish()
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, torch.stack([state[name] for state in last]).mean(0))


@pytest.mark.parametrize(
    ("until", "epochs"),
    [
        (Spec("epochs", {"count": 3}), 3),
        (Spec("steps", {"count": 20}), 3),  # 8 a piece
        (Spec("tokens", {"count": 16 * 9}), 2),
        (Spec("loss", {"value": 100.0}), 1),
        (Spec("seconds", {"count": 1e-9}), 1),
        # `epochs` is the cap of them all.
        (Spec("patience", {"count": 1000}), 8),
        (Spec("epochs", {"count": 1000}), 8),
        (Spec("steps", {"count": 10**6}), 8),
        (Spec("tokens", {"count": 10**9}), 8),
        (Spec("loss", {"value": 1e-9}), 8),
        (Spec("seconds", {"count": 1e6}), 8),
    ],
)
def test_what_ends_a_training(until, epochs, two_classes):
    trained = run(mlp(), two_classes, {**FAST, "until": until})
    assert len(trained.curve) == epochs
    assert "interpolated" not in trained.measures


def test_steps_end_within_an_epoch_and_schedules_know(two_classes):
    assert length({"until": Spec("steps", {"count": 20})}, 120, 16, 8, 1).steps == (8, 8, 4)
    subset_of = {"data": Spec("subset", {"keep": 0.5, "by": "random", "after": 1, "offset": 0.0})}
    assert length(subset_of, 120, 16, 3, 1).steps == (8, 4, 4)
    counted = []
    one = begun(mlp(), two_classes, {**FAST, "until": Spec("steps", {"count": 11})})
    object.__setattr__(one, "parts", type(one.parts)(average=(lambda course: counted.append(course.share),)))
    while one.course.step < one.course.n_steps:
        one.epoch()
    assert (len(counted), counted[-1]) == (11, 1.0)


def test_patience_counts_epochs_without_a_new_lowest_loss():
    stop = Stop(Spec("patience", {"count": 2}))
    assert [stop({"loss": loss}, 0.0) for loss in (3, 2, 2.5, 1.9, 1.95, 1.9)] == [*[False] * 5, True]


def test_interpolation_ends_where_all_training_samples_are_right(two_classes):
    settings = {**FAST, "until": Spec("interpolation"), "epochs": 300, "weight_decay": 0.0}
    module = mlp()
    trained = run(module, two_classes, settings)
    assert 1 < len(trained.curve) < 300
    one = begun(module, two_classes, settings)
    assert one._answered_right() == 1


def test_a_subset_keeps_the_hardest(two_classes):
    settings = {**FAST, "data": Spec("subset", {"keep": 0.25, "by": "el2n", "after": 1, "offset": 0.0})}
    one = begun(mlp(), two_classes, settings)
    one.epoch()
    scores = subset.scores(one.setup, "el2n")
    one.epoch()
    kept = torch.isin(one.setup.rows, one.course.rows)
    assert kept.sum() == 30
    assert scores[kept].min() >= scores[~kept].max()


def test_grand_is_the_norm_of_the_gradient_of_the_last_layer(two_classes):
    one = begun(mlp(), two_classes, FAST)
    found = subset.scores(one.setup, "grand")
    module = one.course.module.eval()
    for place in (0, 7):
        batch = one.setup.data.batch(one.setup.rows[[place]])
        loss = functional.cross_entropy(module(*batch.inputs.values()), batch.targets[OUTPUT])
        gradients = torch.autograd.grad(loss, list(module[3].parameters()))
        norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
        assert float(found[place]) == pytest.approx(norm, rel=1e-4)


# --- losses and optimizers ----------------------------------------------------------------------


def test_focal_without_focus_is_cross_entropy_and_looks_away_from_the_easy():
    z, y = torch.randn(20, 4), torch.randint(0, 4, (20,))
    assert float(focal_loss(z, y, 0.0)) == pytest.approx(float(functional.cross_entropy(z, y)), rel=1e-5)
    p = z.softmax(1)[torch.arange(20), y]
    expected = (-((1 - p) ** 2) * p.log()).mean()
    assert float(focal_loss(z, y, 2.0)) == pytest.approx(float(expected), rel=1e-5)
    weights = torch.rand(4)
    weighted = functional.cross_entropy(z, y, weight=weights)
    assert float(focal_loss(z, y, 0.0, weights)) == pytest.approx(float(weighted), rel=1e-5)


def test_squared_error_of_classes_is_that_against_one_hot_targets():
    z, y = torch.randn(20, 4), torch.randint(0, 4, (20,))
    hot = functional.one_hot(y, 4).float()
    expected = pytest.approx(float(((z - hot) ** 2).mean()), rel=1e-5)
    assert float(squared_error_of_classes(z, y)) == expected
    assert float(squared_error_of_classes(z, hot)) == expected
    smooth = 0.8 * hot + 0.05
    assert float(squared_error_of_classes(smooth, y, smoothing=0.2)) == pytest.approx(0, abs=1e-12)


def test_squared_error_trains_a_classifier(two_classes):
    assert run(mlp(), two_classes, {**FAST, "loss": Spec("mse")}).measures["accuracy"] > 0.93


def test_balanced_weights_count_every_class_alike():
    x, _ = rows(300)
    y = (x.sum(1) > 1.8).astype(int)  # about a tenth
    data = arrays("classification", x, y)
    settings = {**FAST, "loss": Spec("cross_entropy", {"weights": "balanced"})}
    one = begun(mlp(), data, settings)
    counts = np.bincount(data.targets[OUTPUT][data.rows("train")])
    weights = one.loss.keywords["weight"]
    assert (weights * torch.from_numpy(counts)).tolist() == pytest.approx([sum(counts) / 2] * 2)
    assert run(mlp(), data, settings).measures["accuracy"] > 0.85


@pytest.mark.parametrize("name", ["lion", "muon"])
def test_lion_and_muon_learn(name, two_classes):
    rate = {"lion": 0.01, "muon": 0.05}[name]
    trained = run(mlp(), two_classes, {**FAST, "optimizer": Spec(name, {"lr": rate})})
    assert trained.measures["accuracy"] > 0.93


def test_lion_moves_every_coordinate_by_its_rate(two_classes):
    module, before = mlp(), mlp()
    settings = {"optimizer": Spec("lion", {"lr": 0.01, "weight_decay": 0.0}), "batch_size": 1000, "epochs": 1}
    run(module, two_classes, settings)
    steps = module[3].weight - before[3].weight
    moved = steps[steps != 0].abs()  # a unit that is never active has no gradient
    assert moved.tolist() == pytest.approx([0.01] * len(moved), rel=1e-3)
    assert len(moved) > 0.8 * steps.numel()


def test_muon_moves_matrices_by_orthogonal_steps():
    torch.manual_seed(0)
    for shape in ((8, 8), (12, 5), (5, 12)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.5 and values.max() < 1.3


def test_bf16_trains_close_to_fp32(two_classes):
    plain, short = run(mlp(), two_classes, FAST), run(mlp(), two_classes, {**FAST, "precision": "bf16"})
    assert not same(plain, short)
    assert short.measures["loss"] == pytest.approx(plain.measures["loss"], rel=0.1)
    assert all(tensor.dtype == torch.float32 for tensor in short.state_dict.values())


@pytest.mark.parametrize("name", ["elr", "ps_kd"])
def test_state_of_each_sample_needs_classes(name, a_line):
    with pytest.raises(DataError, match="is for classes, and this is a regression"):
        run(mlp(outputs=1), a_line, {**FAST, name: Spec(name)})
