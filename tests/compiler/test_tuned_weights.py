"""Frozen weights with a trained update: what the papers say must hold."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from weight_steps import drawn, matrix, put, step, towards

from compiler.weights.intrinsic import Intrinsic, hadamard
from compiler.weights.lora import LoRA
from compiler.weights.lora_sb import LoRASB
from compiler.weights.lora_xs import LoRAXS
from compiler.weights.svfit import SVFit

# --- svfit, lora, lora_xs, lora_sb -----------------------------------------------------------


def test_only_leading_singular_values_move() -> None:
    owner, method = put(drawn(12, 8), SVFit(drawn(12, 8), 3))
    step(owner, towards(drawn(12, 8, seed=1)))
    u, s, vt = torch.linalg.svd(drawn(12, 8), full_matrices=False)
    seen = u.T @ matrix(owner.weight) @ vt.T
    torch.testing.assert_close(seen - torch.diag(seen.diagonal()), torch.zeros(8, 8), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.diagonal()[3:], s[3:])
    torch.testing.assert_close(seen.diagonal()[:3], method.s)
    assert (method.s - s[:3]).abs().min() > 1e-3


def test_an_update_has_the_rank_and_the_scale() -> None:
    owner, method = put(drawn(12, 8), LoRA(drawn(12, 8), 2, 0.5))
    step(owner, towards(drawn(12, 8, seed=1)))
    update = matrix(owner.weight) - drawn(12, 8)
    torch.testing.assert_close(update, 0.5 * method.b @ method.a, atol=1e-6, rtol=1e-5)
    assert torch.linalg.matrix_rank(update, tol=1e-4) == 2


def test_at_the_start_b_alone_has_a_gradient() -> None:
    owner, method = put(drawn(12, 8), LoRA(drawn(12, 8), 2, 1.0))
    owner.weight.square().sum().backward()
    assert method.a.grad.abs().max() == 0 < method.b.grad.abs().max()


def test_the_square_matrix_moves_between_the_leading_vectors() -> None:
    owner, method = put(drawn(12, 8), LoRAXS(drawn(12, 8), 3, 1.0))
    u, s, vt = torch.linalg.svd(drawn(12, 8), full_matrices=False)
    assert (owner.weight - drawn(12, 8)).norm() < 1e-4 * s[0]
    step(owner, towards(drawn(12, 8, seed=1)))
    update = matrix(owner.weight) - drawn(12, 8)
    inside = u[:, :3] @ u[:, :3].T @ update @ vt[:3].T @ vt[:3]
    torch.testing.assert_close(update, inside, atol=1e-5, rtol=0)
    torch.testing.assert_close(method.b.abs(), (u[:, :3] * s[:3]).abs())
    torch.testing.assert_close(update, method.b @ method.r @ method.a, atol=1e-5, rtol=1e-4)


def first_step(rank: int, lr: float = 0.0) -> tuple[nn.Module, LoRASB, Tensor]:
    """A method after its first step, and D of the paper."""
    owner, method = put(drawn(12, 8), LoRASB(drawn(12, 8), rank, 0.01))
    assert isinstance(method, LoRASB)
    target = drawn(12, 8, seed=1)
    step(owner, towards(target), lr=lr, times=1)
    return owner, method, -0.01 * (drawn(12, 8) - target).sign()


def test_the_first_step_is_the_best_of_its_rank() -> None:
    for rank in (1, 3, 8):
        owner, _, full = first_step(rank)
        taken = matrix(owner.weight) - drawn(12, 8)
        error = torch.linalg.svdvals(full)[rank:].norm()
        torch.testing.assert_close((taken - full).norm(), error, atol=1e-5, rtol=1e-4)
        assert torch.linalg.matrix_rank(taken, tol=1e-5) <= rank


def test_its_vectors_are_orthonormal() -> None:
    _, method, _ = first_step(3)
    torch.testing.assert_close(method.b.T @ method.b, torch.eye(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(method.a @ method.a.T, torch.eye(3), atol=1e-6, rtol=0)


def test_the_gradient_of_r_is_the_projected_one() -> None:
    owner, method, _ = first_step(3)
    weight = owner.weight
    weight.retain_grad()
    towards(drawn(12, 8, seed=4))(weight).backward()
    g = weight.grad
    torch.testing.assert_close(method.r.grad, method.b.T @ g @ method.a.T)
    best = (method.b @ method.b.T) @ g @ (method.a.T @ method.a)  # nearest to g that R can make
    torch.testing.assert_close(method.b @ method.r.grad @ method.a, best, atol=1e-5, rtol=1e-5)


def test_gradients_of_several_passes_are_summed_before_the_sign() -> None:
    owner, method = put(drawn(12, 8), LoRASB(drawn(12, 8), 8, 0.01))
    first, second = drawn(12, 8, seed=1), 3 * drawn(12, 8, seed=2)
    for coming in (first, second):
        owner.weight.backward(coming)
    method.after_step()
    torch.testing.assert_close(
        owner.weight - drawn(12, 8), -0.01 * (first + second).sign(), atol=1e-5, rtol=1e-4
    )
    assert method.after_step() == []  # once


# --- intrinsic -------------------------------------------------------------------------------


def fastfood(size: int, d: int, seed: int, said: bool = False) -> Intrinsic:
    torch.manual_seed(seed)
    return Intrinsic(torch.zeros(size), nn.Parameter(torch.zeros(d)), d, said)


def test_lengths_are_kept_on_average() -> None:
    for size, d in ((500, 20), (64, 64), (7, 40)):
        ratios = []
        for seed in range(60):
            method = fastfood(size, d, seed)
            with torch.no_grad():
                method.vector.copy_(drawn(d, seed=seed))
            ratios.append(method.project(size).square().sum() / method.vector.square().sum())
        assert torch.stack(ratios).mean().sqrt().item() == pytest.approx(1.0, abs=0.12)


def test_the_map_is_linear_and_of_full_rank() -> None:
    method = fastfood(100, 8, 0)
    columns = []
    for one in torch.eye(8):
        with torch.no_grad():
            method.vector.copy_(one)
        columns.append(method.project(100).detach())
    made = torch.stack(columns, 1)
    with torch.no_grad():
        method.vector.copy_(drawn(8))
    torch.testing.assert_close(method.project(100), made @ drawn(8), atol=1e-5, rtol=1e-5)
    assert torch.linalg.matrix_rank(made) == 8


def test_all_numbers_reach_a_tensor_that_is_smaller_than_they_are() -> None:
    method = fastfood(3, 40, 0)
    method.project(3).square().sum().backward()
    with torch.no_grad():
        method.vector.copy_(torch.ones(40))
    method.vector.grad = None
    method.project(3).sum().backward()
    assert (method.vector.grad != 0).float().mean() > 0.9


def test_a_scale_multiplies_the_move() -> None:
    plain, said = fastfood(30, 8, 0), fastfood(30, 8, 0, said=True)
    for method in (plain, said):
        with torch.no_grad():
            method.vector.copy_(drawn(8))
    torch.testing.assert_close(plain(torch.zeros(30)), said(torch.zeros(30)))  # 1 at the start
    with torch.no_grad():
        said.scale.fill_(-2.0)
    torch.testing.assert_close(-2 * plain(torch.zeros(30)), said(torch.zeros(30)))


def test_butterflies_are_the_matrix_of_walsh_and_hadamard() -> None:
    two = torch.tensor([[1.0, 1], [1, -1]])
    eight = torch.kron(torch.kron(two, two), two)
    torch.testing.assert_close(hadamard(drawn(8)), eight @ drawn(8))
