"""Low-rank factors, N:M sparsity and tuned masks: what the papers say must hold."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from weight_steps import drawn, matrix, original, put, step, towards

from compiler.weights.low_rank import LowRank
from compiler.weights.mask_tuned import MaskTuned, dropped
from compiler.weights.nm_sparse import NMSparse
from nasdsl.language.signatures.matrices import Matrix
from nasdsl.language.signatures.methods import factored_rank

SHAPES = ((12, 8), (8, 12), (9, 9), (8, 4, 3, 3), (16, 4, 1, 1))


# --- low_rank --------------------------------------------------------------------------------


def test_the_full_rank_gives_the_weight_back() -> None:
    for shape in SHAPES:
        owner, _ = put(drawn(*shape), LowRank(drawn(*shape), min(matrix(drawn(*shape)).shape)))
        torch.testing.assert_close(owner.weight, drawn(*shape), atol=1e-5, rtol=1e-5)


def test_the_error_of_rank_r_is_that_of_the_dropped_values() -> None:
    owner, _ = put(drawn(12, 8), LowRank(drawn(12, 8), 3))
    dropped_values = torch.linalg.svdvals(drawn(12, 8))[3:]
    torch.testing.assert_close((owner.weight - drawn(12, 8)).norm(), dropped_values.norm())


def test_the_rank_of_a_ratio_leaves_one_part_in_so_many() -> None:
    for rows, columns, ratio in ((64, 64, 3.0), (100, 300, 2.0), (512, 128, 4.0)):
        rank = factored_rank({"rank": None, "ratio": ratio}, Matrix(rows, columns, columns))
        assert rank == math.floor(rows * columns / (ratio * (rows + columns)))
        kept = rank * (rows + columns) / (rows * columns)
        assert 1 / ratio - (rows + columns) / (rows * columns) < kept <= 1 / ratio


# --- nm_sparse -------------------------------------------------------------------------------


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


def test_every_block_keeps_its_n_largest_in_the_end() -> None:
    for decay in ("mask", "structure", "ste"):
        for n, m, shape in ((2, 4, (6, 16)), (1, 8, (6, 16)), (1, 4, (5, 8, 3, 3))):
            owner, _ = masked(decay, n, m, 1.0, shape)
            found, given = blocks(owner.weight, m), blocks(drawn(*shape), m)
            assert (found.count_nonzero(-1) == n).all()
            kept = given.abs().topk(n, -1).indices
            torch.testing.assert_close(found.gather(-1, kept), given.gather(-1, kept), rtol=0, atol=0)


def test_before_training_nothing_is_masked_but_under_ste() -> None:
    for decay in ("mask", "structure"):
        assert torch.equal(masked(decay, 2, 4, 0.0)[0].weight, drawn(6, 16))
    assert (masked("ste", 2, 4, 0.0)[0].weight == 0).float().mean() == 0.5


def test_a_fading_mask_passes_gradients_by_the_chain_rule() -> None:
    owner, method = masked("mask", 2, 4, 0.425)
    assert method.kept_share() == pytest.approx(0.5)
    (slope,) = torch.autograd.grad(owner.weight.sum(), original(owner))
    assert sorted(slope.unique().tolist()) == pytest.approx([0.5, 1.0])
    assert (blocks(slope, 4) == 1).sum(-1).eq(2).all()


def test_a_mask_fades_linearly_between_its_ends() -> None:
    shares = [masked("mask", 2, 4, done)[1].kept_share() for done in (0.05, 0.1, 0.425, 0.75, 1.0)]
    assert shares == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])


def test_frames_halve_what_is_kept_and_are_equally_long() -> None:
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


def test_sr_ste_adds_its_pull_to_dropped_weights_alone() -> None:
    owner, _ = masked("ste", 2, 4, 0.5)
    weight = owner.weight
    coming = drawn(6, 16, seed=3)
    (found,) = torch.autograd.grad(weight, original(owner), coming)
    off = (weight == 0).to(weight.dtype)
    torch.testing.assert_close(found, coming + 2e-4 * off * original(owner))


def test_structure_decay_passes_the_gradient_straight() -> None:
    owner, _ = masked("structure", 1, 4, 0.9)
    coming = drawn(6, 16, seed=3)
    (found,) = torch.autograd.grad(owner.weight, original(owner), coming)
    torch.testing.assert_close(found, coming, rtol=0, atol=0)


# --- mask_tuned ------------------------------------------------------------------------------


def scores(share: float = 1.0) -> tuple[nn.Module, MaskTuned]:
    owner, method = put(drawn(6, 8), MaskTuned(drawn(6, 8), 0.005, 0.0, share))
    assert isinstance(method, MaskTuned)
    return owner, method


def test_the_gradient_of_a_score_is_that_of_the_weight_times_the_weight() -> None:
    owner, method = scores()
    coming = drawn(6, 8, seed=1)
    (found,) = torch.autograd.grad(owner.weight, method.scores, coming)
    torch.testing.assert_close(found, coming * drawn(6, 8))


def test_what_is_dropped_is_what_has_a_score_below_the_threshold() -> None:
    owner, method = scores()
    step(owner, towards(torch.zeros(6, 8)), lr=2e-3, times=4)
    off = method.scores <= method.threshold
    assert 0 < off.float().mean() < 1 or off.all()
    assert torch.equal(owner.weight == 0, off)
    assert torch.equal(original(owner), drawn(6, 8))  # the weights themselves are untouched


def test_the_smallest_share_of_weights_has_scores() -> None:
    owner, method = scores(0.25)
    with torch.no_grad():
        method.scores.zero_()
    off = (owner.weight == 0).flatten()
    least = drawn(6, 8).abs().flatten().topk(12, largest=False).indices
    assert off.sum() == 12 and off[least].all()


def test_gradients_that_agree_are_kept_and_others_as_often_as_they_outweigh() -> None:
    torch.manual_seed(0)
    task, many = torch.tensor([1.0, 1.0, 2.0, -3.0]), 20_000
    general = torch.tensor([0.5, -1.0, -6.0, 1.0])
    found = dropped(task.expand(many, 4), general.expand(many, 4), 1.0)
    rates = (found != 0).float().mean(0)
    torch.testing.assert_close(rates, torch.tensor([1.0, 0.5, 0.25, 0.75]), atol=0.015, rtol=0)
    assert torch.equal(dropped(task, torch.zeros(4), 1.0), task)  # nothing to forget: nothing is dropped


def test_half_a_rate_halves_what_is_dropped() -> None:
    torch.manual_seed(0)
    found = dropped(torch.ones(1000), -1e6 * torch.ones(1000), 0.5)
    assert found.unique().tolist() == [0.5]


def test_the_penalty_is_the_plain_norm_of_the_scores() -> None:
    _, method = scores()
    torch.testing.assert_close(method.auxiliary_loss(), 1e-4 * method.scores.detach().norm())
