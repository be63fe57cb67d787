"""Each weight method: what its paper says must hold, one row of a table per method.

What all methods owe alike (numbers of parameters and buffers as planned, frozen weights untouched, merging, reloading,
decay) is in test_weights_contract.py; here is what belongs to one method alone.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from compiler.weights.intrinsic import Intrinsic, hadamard
from compiler.weights.lora import LoRA
from compiler.weights.lora_sb import LoRASB
from compiler.weights.lora_xs import LoRAXS
from compiler.weights.low_rank import LowRank
from compiler.weights.mask_tuned import MaskTuned, dropped
from compiler.weights.nm_sparse import NMSparse
from compiler.weights.orthogonal import Orthogonal
from compiler.weights.spectral_norm import SpectralNorm
from compiler.weights.svfit import SVFit
from compiler.weights.transform import WeightTransform
from compiler.weights.weight_compander import WeightCompander
from compiler.weights.weight_norm import WeightNorm
from compiler.weights.weight_standardized import WeightStandardized
from nasdsl.language.signatures.matrices import Matrix
from nasdsl.language.signatures.methods import METHODS, factored_rank

SHAPES = ((12, 8), (8, 12), (9, 9), (8, 4, 3, 3), (16, 4, 1, 1))


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def put(weight: Tensor, transform: WeightTransform) -> tuple[nn.Module, WeightTransform]:
    """A module with this weight under the method, as `attach` puts it; the original frozen where the method says."""
    owner = nn.Module()
    owner.weight = nn.Parameter(weight.clone())
    parametrize.register_parametrization(owner, "weight", transform, unsafe=True)
    owner.weight = weight.clone()
    if transform.freezes:
        original(owner).requires_grad_(False)
    return owner.train(), transform


def original(owner: nn.Module) -> Tensor:
    return owner.parametrizations.weight.original


def step(owner: nn.Module, loss: Callable[[Tensor], Tensor], lr: float = 0.05, times: int = 5) -> None:
    """Steps of AdamW, with the hook that follows them."""
    adam = torch.optim.AdamW([t for t in owner.parameters() if t.requires_grad], lr, weight_decay=0.1)
    for _ in range(times):
        adam.zero_grad()
        loss(owner.weight).backward()
        adam.step()
        for part in owner.parametrizations.weight:
            if hasattr(part, "after_step"):
                part.after_step()


def matrix(weight: Tensor) -> Tensor:
    return weight.detach().flatten(1)


def towards(target: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda weight: (weight - target).square().sum()


# --- weight_norm ----------------------------------------------------------------------------


def the_length_of_v_changes_nothing() -> None:
    owner, _ = put(drawn(8, 4, 3, 3), WeightNorm(drawn(8, 4, 3, 3)))
    before = owner.weight.detach().clone()
    with torch.no_grad():
        original(owner).mul_(7.0)
    torch.testing.assert_close(owner.weight, before)


def each_output_has_the_length_g() -> None:
    owner, method = put(drawn(6, 5), WeightNorm(drawn(6, 5)))
    step(owner, towards(drawn(6, 5, seed=1)))
    torch.testing.assert_close(matrix(owner.weight).norm(dim=1), method.g.flatten().abs())


def it_is_that_of_torch() -> None:
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


# --- spectral_norm --------------------------------------------------------------------------


def the_largest_singular_value_is_one_after_fifty_accesses() -> None:
    for shape in SHAPES:
        owner, _ = put(drawn(*shape), SpectralNorm(drawn(*shape)))
        for _ in range(50):
            weight = owner.weight
        assert torch.linalg.svdvals(matrix(weight))[0].item() == pytest.approx(1.0, abs=1e-3)


def it_is_followed_in_training() -> None:
    owner, _ = put(drawn(8, 6), SpectralNorm(drawn(8, 6)))
    step(owner, lambda weight: -weight[0, 0] + weight.square().sum(), times=60)
    assert torch.linalg.svdvals(matrix(owner.weight))[0].item() == pytest.approx(1.0, abs=5e-3)


def evaluation_iterates_nothing() -> None:
    owner, method = put(drawn(8, 6), SpectralNorm(drawn(8, 6)))
    owner.eval()
    before = method.u.clone()
    torch.testing.assert_close(owner.weight, owner.weight, rtol=0, atol=0)
    assert torch.equal(method.u, before)


# --- orthogonal -----------------------------------------------------------------------------


def rows_or_columns_stay_orthonormal_after_steps() -> None:
    for shape in SHAPES:
        owner, _ = put(drawn(*shape), Orthogonal())
        for times in (0, 20):
            step(owner, towards(drawn(*shape, seed=1)), times=times)
            found = matrix(owner.weight)
            wide = found if found.shape[0] <= found.shape[1] else found.T
            torch.testing.assert_close(wide @ wide.T, torch.eye(len(wide)), atol=1e-5, rtol=0)


def an_orthonormal_weight_is_started_from() -> None:
    q = torch.linalg.qr(drawn(9, 5))[0]
    owner, _ = put(q, Orthogonal())
    torch.testing.assert_close(owner.weight, q, atol=1e-5, rtol=0)


def steps_lead_to_the_nearest_orthonormal_matrix() -> None:
    target = drawn(6, 6, seed=2)
    u, _, vt = torch.linalg.svd(target)
    turn = torch.linalg.matrix_exp(0.3 * (drawn(6, 6) - drawn(6, 6).T))  # keeps the sign of the determinant
    owner, _ = put(u @ vt @ turn, Orthogonal())
    assert towards(target)(owner.weight) > 1.1 * towards(target)(u @ vt)
    step(owner, towards(target), lr=0.01, times=400)
    assert towards(target)(owner.weight).item() == pytest.approx(towards(target)(u @ vt).item(), rel=0.01)


# --- weight_standardized --------------------------------------------------------------------


def each_output_has_mean_zero_and_variance_one() -> None:
    for shape in SHAPES:
        owner, _ = put(drawn(*shape), WeightStandardized())
        step(owner, towards(drawn(*shape, seed=1)))
        found = matrix(owner.weight)
        torch.testing.assert_close(found.mean(1), torch.zeros(len(found)), atol=1e-5, rtol=0)
        torch.testing.assert_close(found.var(1, correction=0), torch.ones(len(found)), atol=1e-3, rtol=0)


def scale_and_offset_of_the_original_change_nothing() -> None:
    owner, _ = put(drawn(6, 8), WeightStandardized())
    before = owner.weight.detach().clone()
    with torch.no_grad():
        original(owner).mul_(5.0).add_(3.0)
    torch.testing.assert_close(owner.weight, before, atol=1e-4, rtol=0)


# --- weight_compander -----------------------------------------------------------------------


def compander(weight: Tensor) -> tuple[nn.Module, WeightTransform]:
    return put(weight, WeightCompander(weight, 1.5, "none"))


def weights_are_bounded_however_large_v_is() -> None:
    owner, method = compander(drawn(6, 8))
    bound = method.log_a.exp() * math.pi / 2
    torch.testing.assert_close(bound, 2 * drawn(6, 8).abs().max())
    with torch.no_grad():
        original(owner).mul_(1e6)
    assert (owner.weight.abs() <= bound * (1 + 1e-6)).all()
    assert method.saturated(original(owner)) > 0.99


def slopes_begin_between_half_of_the_peak_and_the_peak() -> None:
    owner, method = compander(drawn(6, 8))
    (slope,) = torch.autograd.grad(owner.weight.sum(), original(owner))
    peak = (method.log_a - method.log_b).exp()
    assert peak.item() == pytest.approx(1.5)
    assert (slope <= peak * (1 + 1e-6)).all() and (slope >= 0.5 * peak * (1 - 1e-5)).all()
    assert method.saturated(original(owner)) == 0


def it_is_odd() -> None:
    weight = drawn(6, 8)
    first, second = compander(weight)[0], compander(-weight)[0]
    torch.testing.assert_close(original(first), -original(second))
    torch.testing.assert_close(first.weight, weight, atol=1e-6, rtol=0)


def gradients_reach_a_and_b() -> None:
    owner, method = compander(drawn(6, 8))
    owner.weight.square().sum().backward()
    assert method.log_a.grad.abs() > 0 and method.log_b.grad.abs() > 0


def effective_decay_is_that_of_the_weights_in_use() -> None:
    weight = drawn(6, 8)
    owner, method = put(weight, WeightCompander(weight, 1.5, "effective"))
    method.effective_decay = 0.1
    used = owner.weight
    torch.testing.assert_close(method.auxiliary_loss(), 0.05 * used.square().sum())
    assert method.auxiliary_loss() == 0  # taken


# --- low_rank -------------------------------------------------------------------------------


def the_full_rank_gives_the_weight_back() -> None:
    for shape in SHAPES:
        owner, _ = put(drawn(*shape), LowRank(drawn(*shape), min(matrix(drawn(*shape)).shape)))
        torch.testing.assert_close(owner.weight, drawn(*shape), atol=1e-5, rtol=1e-5)


def the_error_of_rank_r_is_that_of_the_dropped_values() -> None:
    owner, _ = put(drawn(12, 8), LowRank(drawn(12, 8), 3))
    dropped_values = torch.linalg.svdvals(drawn(12, 8))[3:]
    torch.testing.assert_close((owner.weight - drawn(12, 8)).norm(), dropped_values.norm())


def the_rank_of_a_ratio_leaves_one_part_in_so_many() -> None:
    for rows, columns, ratio in ((64, 64, 3.0), (100, 300, 2.0), (512, 128, 4.0)):
        rank = factored_rank({"rank": None, "ratio": ratio}, Matrix(rows, columns, columns))
        assert rank == math.floor(rows * columns / (ratio * (rows + columns)))
        kept = rank * (rows + columns) / (rows * columns)
        assert 1 / ratio - (rows + columns) / (rows * columns) < kept <= 1 / ratio


# --- nm_sparse ------------------------------------------------------------------------------


def masked(
    decay: str, n: int, m: int, done: float, shape: tuple[int, ...] = (6, 16)
) -> tuple[nn.Module, NMSparse]:
    owner, method = put(drawn(*shape), NMSparse(drawn(*shape), n, m, decay))
    assert isinstance(method, NMSparse)
    if done:
        method.set_progress(round(done * 1000) - 1, 1000)
    return owner, method


def blocks(weight: Tensor, m: int) -> Tensor:
    """(…, m) along the input channels."""
    last = weight.detach().movedim(1, -1)
    return last.reshape(*last.shape[:-1], -1, m)


def every_block_keeps_its_n_largest_in_the_end() -> None:
    for decay in ("mask", "structure", "ste"):
        for n, m, shape in ((2, 4, (6, 16)), (1, 8, (6, 16)), (1, 4, (5, 8, 3, 3))):
            owner, _ = masked(decay, n, m, 1.0, shape)
            found, given = blocks(owner.weight, m), blocks(drawn(*shape), m)
            assert (found.count_nonzero(-1) == n).all()
            kept = given.abs().topk(n, -1).indices
            torch.testing.assert_close(found.gather(-1, kept), given.gather(-1, kept), rtol=0, atol=0)


def before_training_nothing_is_masked_but_under_ste() -> None:
    for decay in ("mask", "structure"):
        assert torch.equal(masked(decay, 2, 4, 0.0)[0].weight, drawn(6, 16))
    assert (masked("ste", 2, 4, 0.0)[0].weight == 0).float().mean() == 0.5


def a_fading_mask_passes_gradients_by_the_chain_rule() -> None:
    owner, method = masked("mask", 2, 4, 0.425)
    assert method.kept_share() == pytest.approx(0.5)
    (slope,) = torch.autograd.grad(owner.weight.sum(), original(owner))
    assert sorted(slope.unique().tolist()) == pytest.approx([0.5, 1.0])
    assert (blocks(slope, 4) == 1).sum(-1).eq(2).all()


def a_mask_fades_linearly_between_its_ends() -> None:
    shares = [masked("mask", 2, 4, done)[1].kept_share() for done in (0.05, 0.1, 0.425, 0.75, 1.0)]
    assert shares == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])


def frames_halve_what_is_kept_and_are_equally_long() -> None:
    method = masked("structure", 1, 8, 0.0)[1]
    kept = []
    for number in range(400):
        method.set_progress(number, 400)
        kept.append(method.kept())
    assert list(dict.fromkeys(kept)) == [7, 4, 2, 1]  # log2(m / n) + 1 frames
    assert [kept.count(size) for size in (7, 4, 2)] == [99, 100, 100]  # the last step begins the end
    for n, m, frames in ((2, 4, [3, 2]), (1, 4, [3, 2, 1]), (1, 2, [1]), (2, 16, [15, 8, 4, 2])):
        method = masked("structure", n, m, 0.0)[1]
        seen = []
        for number in range(60):
            method.set_progress(number, 60)
            seen.append(method.kept())
        assert list(dict.fromkeys(seen)) == frames


def sr_ste_adds_its_pull_to_dropped_weights_alone() -> None:
    owner, _ = masked("ste", 2, 4, 0.5)
    weight = owner.weight
    coming = drawn(6, 16, seed=3)
    (found,) = torch.autograd.grad(weight, original(owner), coming)
    off = (weight == 0).to(weight.dtype)
    torch.testing.assert_close(found, coming + 2e-4 * off * original(owner))


def structure_decay_passes_the_gradient_straight() -> None:
    owner, _ = masked("structure", 1, 4, 0.9)
    coming = drawn(6, 16, seed=3)
    (found,) = torch.autograd.grad(owner.weight, original(owner), coming)
    torch.testing.assert_close(found, coming, rtol=0, atol=0)


# --- mask_tuned -----------------------------------------------------------------------------


def scores(share: float = 1.0) -> tuple[nn.Module, MaskTuned]:
    owner, method = put(drawn(6, 8), MaskTuned(drawn(6, 8), 0.005, 0.0, share))
    assert isinstance(method, MaskTuned)
    return owner, method


def the_gradient_of_a_score_is_that_of_the_weight_times_the_weight() -> None:
    owner, method = scores()
    coming = drawn(6, 8, seed=1)
    (found,) = torch.autograd.grad(owner.weight, method.scores, coming)
    torch.testing.assert_close(found, coming * drawn(6, 8))


def what_is_dropped_is_what_has_a_score_below_the_threshold() -> None:
    owner, method = scores()
    step(owner, towards(torch.zeros(6, 8)), lr=2e-3, times=4)
    off = method.scores <= method.threshold
    assert 0 < off.float().mean() < 1 or off.all()
    assert torch.equal(owner.weight == 0, off)
    assert torch.equal(original(owner), drawn(6, 8))  # the weights themselves are untouched


def the_smallest_share_of_weights_has_scores() -> None:
    owner, method = scores(0.25)
    with torch.no_grad():
        method.scores.zero_()
    off = (owner.weight == 0).flatten()
    least = drawn(6, 8).abs().flatten().topk(12, largest=False).indices
    assert off.sum() == 12 and off[least].all()


def gradients_that_agree_are_kept_and_others_as_often_as_they_outweigh() -> None:
    torch.manual_seed(0)
    task, many = torch.tensor([1.0, 1.0, 2.0, -3.0]), 20_000
    general = torch.tensor([0.5, -1.0, -6.0, 1.0])
    found = dropped(task.expand(many, 4), general.expand(many, 4), 1.0)
    rates = (found != 0).float().mean(0)
    torch.testing.assert_close(rates, torch.tensor([1.0, 0.5, 0.25, 0.75]), atol=0.015, rtol=0)
    assert torch.equal(dropped(task, torch.zeros(4), 1.0), task)  # nothing to forget: nothing is dropped


def half_a_rate_halves_what_is_dropped() -> None:
    torch.manual_seed(0)
    found = dropped(torch.ones(1000), -1e6 * torch.ones(1000), 0.5)
    assert found.unique().tolist() == [0.5]


def the_penalty_is_the_plain_norm_of_the_scores() -> None:
    _, method = scores()
    torch.testing.assert_close(method.auxiliary_loss(), 1e-4 * method.scores.detach().norm())


# --- svfit, lora, lora_xs, lora_sb ----------------------------------------------------------


def only_leading_singular_values_move() -> None:
    owner, method = put(drawn(12, 8), SVFit(drawn(12, 8), 3))
    step(owner, towards(drawn(12, 8, seed=1)))
    u, s, vt = torch.linalg.svd(drawn(12, 8), full_matrices=False)
    seen = u.T @ matrix(owner.weight) @ vt.T
    torch.testing.assert_close(seen - torch.diag(seen.diagonal()), torch.zeros(8, 8), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.diagonal()[3:], s[3:])
    torch.testing.assert_close(seen.diagonal()[:3], method.s)
    assert (method.s - s[:3]).abs().min() > 1e-3


def an_update_has_the_rank_and_the_scale() -> None:
    owner, method = put(drawn(12, 8), LoRA(drawn(12, 8), 2, 0.5))
    step(owner, towards(drawn(12, 8, seed=1)))
    update = matrix(owner.weight) - drawn(12, 8)
    torch.testing.assert_close(update, 0.5 * method.b @ method.a, atol=1e-6, rtol=1e-5)
    assert torch.linalg.matrix_rank(update, tol=1e-4) == 2


def at_the_start_b_alone_has_a_gradient() -> None:
    owner, method = put(drawn(12, 8), LoRA(drawn(12, 8), 2, 1.0))
    owner.weight.square().sum().backward()
    assert method.a.grad.abs().max() == 0 < method.b.grad.abs().max()


def the_square_matrix_moves_between_the_leading_vectors() -> None:
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


def the_first_step_is_the_best_of_its_rank() -> None:
    for rank in (1, 3, 8):
        owner, _, full = first_step(rank)
        taken = matrix(owner.weight) - drawn(12, 8)
        error = torch.linalg.svdvals(full)[rank:].norm()
        torch.testing.assert_close((taken - full).norm(), error, atol=1e-5, rtol=1e-4)
        assert torch.linalg.matrix_rank(taken, tol=1e-5) <= rank


def its_vectors_are_orthonormal() -> None:
    _, method, _ = first_step(3)
    torch.testing.assert_close(method.b.T @ method.b, torch.eye(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(method.a @ method.a.T, torch.eye(3), atol=1e-6, rtol=0)


def the_gradient_of_r_is_the_projected_one() -> None:
    owner, method, _ = first_step(3)
    weight = owner.weight
    weight.retain_grad()
    towards(drawn(12, 8, seed=4))(weight).backward()
    g = weight.grad
    torch.testing.assert_close(method.r.grad, method.b.T @ g @ method.a.T)
    best = (method.b @ method.b.T) @ g @ (method.a.T @ method.a)  # nearest to g that R can make
    torch.testing.assert_close(method.b @ method.r.grad @ method.a, best, atol=1e-5, rtol=1e-5)


def gradients_of_several_passes_are_summed_before_the_sign() -> None:
    owner, method = put(drawn(12, 8), LoRASB(drawn(12, 8), 8, 0.01))
    first, second = drawn(12, 8, seed=1), 3 * drawn(12, 8, seed=2)
    for coming in (first, second):
        owner.weight.backward(coming)
    method.after_step()
    torch.testing.assert_close(
        owner.weight - drawn(12, 8), -0.01 * (first + second).sign(), atol=1e-5, rtol=1e-4
    )
    assert method.after_step() == []  # once


# --- intrinsic ------------------------------------------------------------------------------


def fastfood(size: int, d: int, seed: int, said: bool = False) -> Intrinsic:
    torch.manual_seed(seed)
    return Intrinsic(torch.zeros(size), nn.Parameter(torch.zeros(d)), d, said)


def lengths_are_kept_on_average() -> None:
    for size, d in ((500, 20), (64, 64), (7, 40)):
        ratios = []
        for seed in range(60):
            method = fastfood(size, d, seed)
            with torch.no_grad():
                method.vector.copy_(drawn(d, seed=seed))
            ratios.append(method.project(size).square().sum() / method.vector.square().sum())
        assert torch.stack(ratios).mean().sqrt().item() == pytest.approx(1.0, abs=0.12)


def the_map_is_linear_and_of_full_rank() -> None:
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


def all_numbers_reach_a_tensor_that_is_smaller_than_they_are() -> None:
    method = fastfood(3, 40, 0)
    method.project(3).square().sum().backward()
    with torch.no_grad():
        method.vector.copy_(torch.ones(40))
    method.vector.grad = None
    method.project(3).sum().backward()
    assert (method.vector.grad != 0).float().mean() > 0.9


def a_scale_multiplies_the_move() -> None:
    plain, said = fastfood(30, 8, 0), fastfood(30, 8, 0, said=True)
    for method in (plain, said):
        with torch.no_grad():
            method.vector.copy_(drawn(8))
    torch.testing.assert_close(plain(torch.zeros(30)), said(torch.zeros(30)))  # 1 at the start
    with torch.no_grad():
        said.scale.fill_(-2.0)
    torch.testing.assert_close(-2 * plain(torch.zeros(30)), said(torch.zeros(30)))


def butterflies_are_the_matrix_of_walsh_and_hadamard() -> None:
    two = torch.tensor([[1.0, 1], [1, -1]])
    eight = torch.kron(torch.kron(two, two), two)
    torch.testing.assert_close(hadamard(drawn(8)), eight @ drawn(8))


INVARIANTS: dict[str, tuple[Callable[[], None], ...]] = {
    "weight_norm": (the_length_of_v_changes_nothing, each_output_has_the_length_g, it_is_that_of_torch),
    "spectral_norm": (
        the_largest_singular_value_is_one_after_fifty_accesses,
        it_is_followed_in_training,
        evaluation_iterates_nothing,
    ),
    "orthogonal": (
        rows_or_columns_stay_orthonormal_after_steps,
        an_orthonormal_weight_is_started_from,
        steps_lead_to_the_nearest_orthonormal_matrix,
    ),
    "weight_standardized": (
        each_output_has_mean_zero_and_variance_one,
        scale_and_offset_of_the_original_change_nothing,
    ),
    "weight_compander": (
        weights_are_bounded_however_large_v_is,
        slopes_begin_between_half_of_the_peak_and_the_peak,
        it_is_odd,
        gradients_reach_a_and_b,
        effective_decay_is_that_of_the_weights_in_use,
    ),
    "low_rank": (
        the_full_rank_gives_the_weight_back,
        the_error_of_rank_r_is_that_of_the_dropped_values,
        the_rank_of_a_ratio_leaves_one_part_in_so_many,
    ),
    "nm_sparse": (
        every_block_keeps_its_n_largest_in_the_end,
        before_training_nothing_is_masked_but_under_ste,
        a_fading_mask_passes_gradients_by_the_chain_rule,
        a_mask_fades_linearly_between_its_ends,
        frames_halve_what_is_kept_and_are_equally_long,
        sr_ste_adds_its_pull_to_dropped_weights_alone,
        structure_decay_passes_the_gradient_straight,
    ),
    "mask_tuned": (
        the_gradient_of_a_score_is_that_of_the_weight_times_the_weight,
        what_is_dropped_is_what_has_a_score_below_the_threshold,
        the_smallest_share_of_weights_has_scores,
        gradients_that_agree_are_kept_and_others_as_often_as_they_outweigh,
        half_a_rate_halves_what_is_dropped,
        the_penalty_is_the_plain_norm_of_the_scores,
    ),
    "svfit": (only_leading_singular_values_move,),
    "lora": (an_update_has_the_rank_and_the_scale, at_the_start_b_alone_has_a_gradient),
    "lora_xs": (the_square_matrix_moves_between_the_leading_vectors,),
    "lora_sb": (
        the_first_step_is_the_best_of_its_rank,
        its_vectors_are_orthonormal,
        the_gradient_of_r_is_the_projected_one,
        gradients_of_several_passes_are_summed_before_the_sign,
    ),
    "intrinsic": (
        lengths_are_kept_on_average,
        the_map_is_linear_and_of_full_rank,
        all_numbers_reach_a_tensor_that_is_smaller_than_they_are,
        a_scale_multiplies_the_move,
        butterflies_are_the_matrix_of_walsh_and_hadamard,
    ),
}

# Structure: the file of its invariants, and the tests there that hold them.
ELSEWHERE: dict[str, tuple[str, tuple[str, ...]]] = {
    "widen": (
        "test_experts.py",
        (
            "test_evaluation_is_the_definition_row_by_row",
            "test_one_expert_is_its_body",
            "test_a_uniform_router_gives_the_loss_its_weight",
            "test_no_expert_takes_more_than_its_room_and_every_slot_counts",
            "test_what_finds_no_room_gives_zero_and_a_residual_carries_it",
            "test_parameters_of_shared_attention_and_experts_do_not_grow_with_depth",
            "test_the_gradient_of_shared_weights_is_the_sum_over_depths",
            "test_enforced_experts_start_alike_so_any_route_gives_the_body",
            "test_only_the_routed_expert_learns_and_the_order_is_kept",
        ),
    ),
    "gate": (
        "test_gate_and_adapter.py",
        (
            "test_a_mass_of_one_drops_dead_channels_only",
            "test_more_mass_keeps_more_channels_and_each_keeps_one",
            "test_a_decoupled_predictor_leaves_the_layers_before_it_alone",
            "test_the_loss_is_the_mean_over_gates_and_goes_after_half_of_the_training",
        ),
    ),
    "adapter": (
        "test_gate_and_adapter.py",
        (
            "test_an_adapter_changes_nothing_at_the_start",
            "test_parameters_are_two_thin_maps_with_offsets",
            "test_within_frozen_only_adapters_learn",
            "test_an_identity_in_parallel_is_a_low_rank_update_of_a_linear_layer",
            "test_connected_adapters_learn_past_a_body_that_passes_no_gradient",
        ),
    ),
    "init": (
        "test_initial.py",
        (
            "test_critical_weights_keep_the_size_of_signals_at_any_depth",
            "test_critical_weights_lead_to_the_fixed_point",
            "test_orthogonal_weights_are_orthonormal_up_to_their_size",
        ),
    ),
}


@pytest.mark.parametrize(
    "check",
    [pytest.param(c, id=f"{method}-{c.__name__}") for method, checks in INVARIANTS.items() for c in checks],
)
def test_what_the_paper_says_holds(check: Callable[[], None]) -> None:
    check()


def test_every_method_has_its_row() -> None:
    assert INVARIANTS.keys() == METHODS.keys()


@pytest.mark.parametrize("method", ELSEWHERE)
def test_the_invariants_of_structure_are_tested(method: str) -> None:
    file, wanted = ELSEWHERE[method]
    tree = ast.parse((Path(__file__).parent / file).read_text("utf-8"))
    assert set(wanted) <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
