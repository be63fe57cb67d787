"""Weights under a norm or a bound: what the papers say must hold."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from weight_steps import drawn, matrix, original, put, step, towards

from compiler.weights.orthogonal import Orthogonal
from compiler.weights.spectral_norm import SpectralNorm
from compiler.weights.transform import WeightTransform
from compiler.weights.weight_compander import WeightCompander
from compiler.weights.weight_norm import WeightNorm
from compiler.weights.weight_standardized import WeightStandardized
from nasdsl.language.network import Spec
from nasdsl.training.optimizers import optimizer, set_rate

BETAS = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
SHAPES = ((12, 8), (8, 12), (9, 9), (8, 4, 3, 3), (16, 4, 1, 1))


# --- weight_norm -----------------------------------------------------------------------------


def test_the_length_of_v_changes_nothing() -> None:
    owner, _ = put(drawn(8, 4, 3, 3), WeightNorm(drawn(8, 4, 3, 3)))
    before = owner.weight.detach().clone()
    with torch.no_grad():
        original(owner).mul_(7.0)
    torch.testing.assert_close(owner.weight, before)


def test_each_output_has_the_length_g() -> None:
    owner, method = put(drawn(6, 5), WeightNorm(drawn(6, 5)))
    step(owner, towards(drawn(6, 5, seed=1)))
    torch.testing.assert_close(matrix(owner.weight).norm(dim=1), method.g.flatten().abs())


def test_it_is_that_of_torch() -> None:
    layer = nn.Linear(5, 6)
    owner, _ = put(layer.weight.detach(), WeightNorm(layer.weight.detach()))
    parametrizations.weight_norm(layer)
    x, (first, second) = drawn(3, 5), (layer.weight, owner.weight)
    torch.testing.assert_close(first, second)
    (x @ first.T).square().sum().backward()
    (x @ second.T).square().sum().backward()
    held = layer.parametrizations.weight
    torch.testing.assert_close(held.original0.grad, owner.parametrizations.weight[0].g.grad)
    torch.testing.assert_close(held.original1.grad, original(owner).grad)


# --- spectral_norm ---------------------------------------------------------------------------


def test_the_largest_singular_value_is_one_after_fifty_accesses() -> None:
    for shape in SHAPES:
        owner, _ = put(drawn(*shape), SpectralNorm(drawn(*shape)))
        for _ in range(50):
            weight = owner.weight
        assert torch.linalg.svdvals(matrix(weight))[0].item() == pytest.approx(1.0, abs=1e-3)


def test_it_is_followed_in_training() -> None:
    owner, _ = put(drawn(8, 6), SpectralNorm(drawn(8, 6)))
    step(owner, lambda weight: -weight[0, 0] + weight.square().sum(), times=60)
    assert torch.linalg.svdvals(matrix(owner.weight))[0].item() == pytest.approx(1.0, abs=5e-3)


def test_evaluation_iterates_nothing() -> None:
    owner, method = put(drawn(8, 6), SpectralNorm(drawn(8, 6)))
    owner.eval()
    before = method.u.clone()
    torch.testing.assert_close(owner.weight, owner.weight, rtol=0, atol=0)
    assert torch.equal(method.u, before)


# --- orthogonal ------------------------------------------------------------------------------


def test_rows_or_columns_stay_orthonormal_after_steps() -> None:
    for shape in SHAPES:
        owner, _ = put(drawn(*shape), Orthogonal())
        for times in (0, 20):
            step(owner, towards(drawn(*shape, seed=1)), times=times)
            found = matrix(owner.weight)
            wide = found if found.shape[0] <= found.shape[1] else found.T
            torch.testing.assert_close(wide @ wide.T, torch.eye(len(wide)), atol=1e-5, rtol=0)


def test_an_orthonormal_weight_is_started_from() -> None:
    q = torch.linalg.qr(drawn(9, 5))[0]
    owner, _ = put(q, Orthogonal())
    torch.testing.assert_close(owner.weight, q, atol=1e-5, rtol=0)


def test_steps_lead_to_the_nearest_orthonormal_matrix() -> None:
    target = drawn(6, 6, seed=2)
    u, _, vt = torch.linalg.svd(target)
    turn = torch.linalg.matrix_exp(0.3 * (drawn(6, 6) - drawn(6, 6).T))  # keeps the sign of the determinant
    owner, _ = put(u @ vt @ turn, Orthogonal())
    assert towards(target)(owner.weight) > 1.1 * towards(target)(u @ vt)
    step(owner, towards(target), lr=0.01, times=400)
    assert towards(target)(owner.weight).item() == pytest.approx(towards(target)(u @ vt).item(), rel=0.01)


# --- weight_standardized ---------------------------------------------------------------------


def test_each_output_has_mean_zero_and_variance_one() -> None:
    for shape in SHAPES:
        owner, _ = put(drawn(*shape), WeightStandardized())
        step(owner, towards(drawn(*shape, seed=1)))
        found = matrix(owner.weight)
        torch.testing.assert_close(found.mean(1), torch.zeros(len(found)), atol=1e-5, rtol=0)
        torch.testing.assert_close(found.var(1, correction=0), torch.ones(len(found)), atol=1e-3, rtol=0)


def test_scale_and_offset_of_the_original_change_nothing() -> None:
    owner, _ = put(drawn(6, 8), WeightStandardized())
    before = owner.weight.detach().clone()
    with torch.no_grad():
        original(owner).mul_(5.0).add_(3.0)
    torch.testing.assert_close(owner.weight, before, atol=1e-4, rtol=0)


# --- weight_compander ------------------------------------------------------------------------


def compander(weight: Tensor) -> tuple[nn.Module, WeightTransform]:
    return put(weight, WeightCompander(weight, 1.5, "none"))


def test_weights_are_bounded_however_large_v_is() -> None:
    owner, method = compander(drawn(6, 8))
    bound = method.log_a.exp() * math.pi / 2
    torch.testing.assert_close(bound, 2 * drawn(6, 8).abs().max())
    with torch.no_grad():
        original(owner).mul_(1e6)
    assert (owner.weight.abs() <= bound * (1 + 1e-6)).all()
    assert method.saturated(original(owner)) > 0.99


def test_slopes_begin_between_half_of_the_peak_and_the_peak() -> None:
    owner, method = compander(drawn(6, 8))
    (slope,) = torch.autograd.grad(owner.weight.sum(), original(owner))
    peak = (method.log_a - method.log_b).exp()
    assert peak.item() == pytest.approx(1.5)
    assert (slope <= peak * (1 + 1e-6)).all() and (slope >= 0.5 * peak * (1 - 1e-5)).all()
    assert method.saturated(original(owner)) == 0


def test_it_is_odd() -> None:
    weight = drawn(6, 8)
    first, second = compander(weight)[0], compander(-weight)[0]
    torch.testing.assert_close(original(first), -original(second))
    torch.testing.assert_close(first.weight, weight, atol=1e-6, rtol=0)


def test_gradients_reach_a_and_b() -> None:
    owner, method = compander(drawn(6, 8))
    owner.weight.square().sum().backward()
    assert method.log_a.grad.abs() > 0 and method.log_b.grad.abs() > 0


def test_effective_decay_is_that_of_the_weights_in_use() -> None:
    weight = drawn(6, 8)
    owner, method = put(weight, WeightCompander(weight, 1.5, "effective"))
    method.effective_decay = 0.1
    used = owner.weight
    torch.testing.assert_close(method.auxiliary_loss(), 0.05 * used.square().sum())
    assert method.auxiliary_loss() == 0  # taken


def test_a_and_b_learn_at_a_tenth_of_the_rate_and_do_not_decay() -> None:
    owner, method = compander(drawn(12, 8))
    lr, before = 1e-2, (method.log_a.item(), method.log_b.item(), original(owner).clone())
    adamw = optimizer(Spec("adamw", {**BETAS, "lr": lr, "weight_decay": 0.5}), owner)
    towards(drawn(12, 8, seed=1))(owner.weight).backward()
    adamw.step()
    a, b, v = before
    moved = abs(method.log_a.item() - a), abs(method.log_b.item() - b)
    assert moved == pytest.approx(
        (lr / 10, lr / 10), rel=1e-3
    )  # a first step of Adam has the length of the rate
    torch.testing.assert_close((original(owner) - v).abs(), torch.full((12, 8), lr), rtol=1e-2, atol=1e-6)
    set_rate(adamw, 0.5)
    assert {group["lr"] for group in adamw.param_groups} == {lr / 2, lr / 20}
