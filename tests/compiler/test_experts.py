"""Mixtures of experts: the invariants of WideNet and of enforced routing."""

from __future__ import annotations

import copy
import math
import re

import pytest
import torch
from torch import Tensor, nn

from compiler.build import build
from compiler.errors import ExportError
from compiler.export import export_onnx
from compiler.hooks import Hooks
from compiler.modules import EnforcedExperts, Experts
from compiler.plan import Plan, plan
from compiler.routing import enforced
from nasdsl.language.reading import parse

TOKENS, WIDTH = 12, 6


def planned(body: str, shape: str = "6", head: str = "") -> Plan:
    text = (
        f"task classification on shape({shape}, classes = 3)\nnetwork {{ {head}; {body}; linear(outputs) }}"
    )
    space = parse(text.replace("{ ;", "{"))
    return plan(space, space.default())


def experts(count: int, top_k: int = 1, capacity: float = math.inf, balance: float = 0.01) -> Experts:
    parts = nn.ModuleList(
        nn.Sequential(nn.Linear(WIDTH, 5), nn.ReLU(), nn.Linear(5, WIDTH)) for _ in range(count)
    )
    return Experts(WIDTH, parts, top_k, capacity if capacity < math.inf else 1e9, balance, tokens=False)


def by_hand(module: Experts, rows: Tensor) -> Tensor:
    """Each row alone, by the definition."""
    out = []
    for row in rows:
        shares = module.router(row).softmax(-1)
        top = shares.topk(module.top_k)
        out.append(
            sum(share * module.experts[int(i)](row) for share, i in zip(top.values, top.indices, strict=True))
        )
    return torch.stack(out)


@pytest.mark.parametrize(("count", "top_k"), [(1, 1), (4, 1), (4, 2), (3, 3)])
def test_evaluation_is_the_definition_row_by_row(count: int, top_k: int) -> None:
    module, rows = experts(count, top_k).eval(), torch.randn(TOKENS, WIDTH)
    torch.testing.assert_close(module(rows), by_hand(module, rows))
    shares = module.router(rows).softmax(-1)
    torch.testing.assert_close(module.dense(rows, shares), module(rows))


def test_one_expert_is_its_body() -> None:
    module, rows = experts(1, capacity=1.0).train(), torch.randn(TOKENS, WIDTH)
    torch.testing.assert_close(module(rows), module.experts[0](rows))


def test_a_uniform_router_gives_the_loss_its_weight() -> None:
    module = experts(4, top_k=2, balance=0.01)
    shares = torch.full((TOKENS, 4), 0.25)
    chosen = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=torch.bool).repeat(TOKENS // 2, 1)
    torch.testing.assert_close(module.balance_loss(shares, chosen), torch.tensor(0.01))


def test_all_to_one_expert_costs_most() -> None:
    module = experts(4, balance=0.01)
    shares = torch.eye(4)[torch.zeros(TOKENS, dtype=torch.long)]
    torch.testing.assert_close(module.balance_loss(shares, shares.bool()), torch.tensor(0.04))


@pytest.mark.parametrize(("capacity", "top_k"), [(0.5, 1), (1.0, 2), (1.25, 1)])
def test_no_expert_takes_more_than_its_room_and_every_slot_counts(capacity: float, top_k: int) -> None:
    module, seen = experts(3, top_k, capacity).train(), []
    for part in module.experts:
        part.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    with torch.no_grad():
        module.router.weight.zero_()
        module.router.weight[0] = 100.0  # nearly all tokens want the first expert
    module(torch.rand(TOKENS, WIDTH) + 1)
    room = int(TOKENS * capacity * top_k / 3)
    assert max(seen) == room  # full, with no slot lost


def test_what_finds_no_room_gives_zero_and_a_residual_carries_it() -> None:
    module = experts(2, capacity=0.5).train()
    with torch.no_grad():
        module.router.weight.zero_()
        module.router.weight[0] = 100.0
    given = module(torch.rand(TOKENS, WIDTH) + 1)
    room = int(TOKENS * 0.5 / 2)
    assert given[:room].abs().sum(1).min() > 0
    assert given[room:].abs().sum() == 0


def test_noise_and_loss_are_for_training_alone() -> None:
    module, rows = experts(4).eval(), torch.randn(TOKENS, WIDTH)
    torch.testing.assert_close(module(rows), module(rows), rtol=0, atol=0)
    assert module.auxiliary_loss().item() == 0
    module.train()(rows)
    assert module.auxiliary_loss().item() > 0
    assert module.auxiliary_loss().item() == 0  # taken


def test_the_loss_of_a_shared_mixture_is_summed_over_its_calls() -> None:
    found = planned("repeat 3 shared { residual { widen(experts = 2) { mlp(4) } } }")
    module = build(found, 0).train()
    for _ in range(3):  # a loop that never asks does not pile up losses
        module(torch.randn(5, 6))
    mixture = next(part for part in module.modules() if isinstance(part, Experts))
    assert len(mixture.losses.terms) == 3
    total = sum(term.item() for term in mixture.losses.terms)
    assert Hooks(module).auxiliary_loss().item() == pytest.approx(total)


def test_gradients_of_the_loss_reach_the_router() -> None:
    module = build(planned("widen(experts = 4, top_k = 2) { mlp(4) }"), 0).train()
    module(torch.randn(16, 6))
    Hooks(module).auxiliary_loss().backward()
    assert module.widen.router.weight.grad.abs().sum() > 0


def test_a_copied_mixture_leaves_its_losses_behind() -> None:
    module = experts(2).train()
    module(torch.randn(4, WIDTH))
    assert copy.deepcopy(module).losses.terms == []


@pytest.mark.parametrize("depth", [1, 4])
def test_parameters_of_shared_attention_and_experts_do_not_grow_with_depth(depth: int) -> None:
    body = (
        f"repeat {depth} shared except layer_norm {{ residual {{ layer_norm; attention(2) }}; "
        "residual { layer_norm; widen(experts = 3) { mlp(7) } } }; global_avg_pool"
    )
    found = planned(body, shape="3, 4, 4", head="patch_embed(8, patch = 2)")
    module = build(found, 0)
    kinds = [name for name, _ in module.named_parameters() if "attention" in name or "widen" in name]
    norms = [part for part in module.modules() if isinstance(part, nn.LayerNorm)]
    assert len(kinds) == 8 + 1 + 3 * 4
    assert len(norms) == 2 * depth
    assert sum(p.numel() for p in module.parameters()) == found.params


def test_the_gradient_of_shared_weights_is_the_sum_over_depths() -> None:
    layer = "residual { widen(experts = 2) { mlp(4) } }"
    shared, apart = (build(planned(f"repeat 3 {how} {{ {layer} }}"), 0).eval() for how in ("shared", "tied"))
    alike = {name: shared.state_dict()[_in_first_copy(name)] for name in apart.state_dict()}
    apart.load_state_dict(alike)
    x = torch.randn(9, 6)
    for module in (shared, apart):
        module(x).square().sum().backward()
    grads: dict[str, Tensor] = {}
    for name, tensor in apart.named_parameters():
        first = _in_first_copy(name)
        got = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        grads[first] = grads.get(first, 0) + got
    for name, tensor in shared.named_parameters():
        torch.testing.assert_close(tensor.grad, grads[name])


def _in_first_copy(name: str) -> str:
    return re.sub(r"^repeat_[0-9]+_", "repeat_0_", name)


def test_a_batch_norm_copes_with_an_expert_that_gets_one_row() -> None:
    module = build(planned("widen(experts = 3) { linear(6); batch_norm }"), 0).train()
    for seed in range(8):
        assert module(torch.randn(2, 6, generator=torch.Generator().manual_seed(seed))).isfinite().all()


def test_maps_are_routed_whole() -> None:
    found = planned("widen(experts = 2) { conv2d(4); relu }; flatten", shape="3, 5, 5")
    module, x = build(found, 0).eval(), torch.randn(6, 3, 5, 5)
    torch.testing.assert_close(torch.cat([module(x[i : i + 1]) for i in range(6)]), module(x))


# --- enforced -------------------------------------------------------------------------------


ENFORCED = "widen(experts = 3, route = enforced) { mlp(4) }"


def test_enforced_experts_start_alike_so_any_route_gives_the_body() -> None:
    module, x = build(planned(ENFORCED), 0), torch.randn(7, 6)
    dense = module.linear(module.widen.experts[0](x))
    for seed in range(3):
        route = torch.randint(3, (7,), generator=torch.Generator().manual_seed(seed))
        with enforced(module, route):
            torch.testing.assert_close(module(x), dense)


def test_only_the_routed_expert_learns_and_the_order_is_kept() -> None:
    module, x = build(planned(ENFORCED), 0), torch.randn(4, 6)
    for number, part in enumerate(module.widen.experts):
        nn.init.constant_(part.mlp.contract.bias, float(number))
    route = torch.tensor([2, 1, 2, 1])
    with enforced(module, route):
        mixed = module.widen(x)
        module(x).sum().backward()
    alone = torch.stack([module.widen.experts[int(i)](x[n : n + 1])[0] for n, i in enumerate(route)])
    torch.testing.assert_close(mixed, alone)
    grads = [part.mlp.expand.weight.grad is not None for part in module.widen.experts]
    assert grads == [False, True, True]


def test_experts_that_are_not_told_say_so(tmp_path) -> None:
    found = planned(ENFORCED)
    module = build(found, 0)
    assert module.widen.route is None and isinstance(module.widen, EnforcedExperts)
    with pytest.raises(RuntimeError, match="need to be told"):
        module(torch.randn(2, 6))
    with pytest.raises(IndexError, match="no expert"), enforced(module, torch.tensor([0, 3])):
        module(torch.randn(2, 6))
    with pytest.raises(ExportError, match="export to Python"):
        export_onnx(found, module, tmp_path / "n.onnx")
