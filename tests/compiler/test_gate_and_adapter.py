"""Invariants of dynamic channel gating and of adapters."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from compiler.build import build
from compiler.hooks import Hooks, parameter_groups
from compiler.modules import Adapter, Gate
from compiler.plan import Plan, plan
from nasdsl.language.reading import parse


def planned(body: str, shape: str = "4, 6, 6") -> Plan:
    space = parse(
        f"task classification on shape({shape}, classes = 3)\nnetwork {{ {body}; linear(outputs) }}"
    )
    return plan(space, space.default())


# --- gate -----------------------------------------------------------------------------------


def gate(mass: float, channels: int = 6) -> Gate:
    return Gate(4, channels, mass, decoupled=True)


def test_a_mass_of_one_drops_dead_channels_only() -> None:
    maps = torch.rand(5, 6, 3, 3) + 0.1
    maps[:, 2] = 0
    assert gate(1.0).kept(maps).tolist() == [[1, 1, 0, 1, 1, 1]] * 5


def test_more_mass_keeps_more_channels_and_each_keeps_one() -> None:
    maps = torch.rand(7, 6, 3, 3) ** 3
    counts = torch.stack([gate(mass).kept(maps).sum(1) for mass in (0.01, 0.3, 0.6, 0.9, 1.0)])
    assert (counts.diff(dim=0) >= 0).all()
    assert (counts[0] == 1).all()


def test_a_gate_begins_open() -> None:
    found = planned("gate(0.7) { conv2d(5); relu }; global_avg_pool")
    module, x = build(found, 0).eval(), torch.randn(3, 4, 6, 6)
    torch.testing.assert_close(module.gate(x, module.relu(module.conv2d(x))), module.relu(module.conv2d(x)))


@pytest.mark.parametrize(("decoupled", "reached"), [("yes", False), ("no", True)])
def test_a_decoupled_predictor_leaves_the_layers_before_it_alone(decoupled: str, reached: bool) -> None:
    found = planned(f"conv2d(4); gate(0.7, decoupled = {decoupled}) {{ conv2d(5); relu }}; global_avg_pool")
    module = build(found, 0).train()
    module(torch.randn(3, 4, 6, 6))
    Hooks(module).auxiliary_loss().backward()
    assert module.gate.predict.weight.grad.abs().sum() > 0
    assert module.conv2d_2.weight.grad is None
    assert (module.conv2d.weight.grad is not None) == reached


def test_the_loss_is_the_mean_over_gates_and_goes_after_half_of_the_training() -> None:
    found = planned("gate(0.7) { conv2d(4); relu }; gate(0.7) { conv2d(4); relu }; global_avg_pool")
    module = build(found, 0).train()
    assert module.gate.gates == module.gate_2.gates == 2
    hooks = Hooks(module)
    hooks.set_progress(5, 10)
    module(torch.randn(3, 4, 6, 6)).sum().backward()
    assert hooks.auxiliary_loss().item() == 0
    assert module.gate.predict.weight.grad is None


def test_the_predictor_learns_the_channels_that_matter() -> None:
    torch.manual_seed(0)
    module = gate(0.6, channels=2)
    adam = torch.optim.Adam(module.parameters(), 0.1)
    x = torch.randn(64, 4)
    x[:, 0] += 3 * torch.sign(torch.randn(64))
    y = torch.where(x[:, :1] > 0, torch.tensor([5.0, 0.1]), torch.tensor([0.1, 5.0]))
    for _ in range(200):
        module.train()(x, y)
        adam.zero_grad()
        module.auxiliary_loss().backward()
        adam.step()
    agreed = (module.eval()(x, y) != 0) == module.kept(y).bool()
    assert agreed.float().mean() > 0.95


def test_tokens_are_gated_by_feature() -> None:
    found = planned("patch_embed(6, patch = 2); gate(0.5) { mlp(8, act = relu) }; global_avg_pool")
    module = build(found, 0)
    with torch.no_grad():
        module.gate.predict.bias.copy_(torch.tensor([9.0, -9, 9, -9, 9, -9]))
    y = module.gate(torch.randn(2, 9, 6), torch.ones(2, 9, 6))
    assert y[:, :, 1::2].abs().sum() == 0 and (y[:, :, ::2] == 1).all()


# --- adapter --------------------------------------------------------------------------------

FORMS = [
    "adapter(rank = 2, f = relu)",
    "adapter(rank = 2, scale = 4.0)",
    "adapter(form = sequential, rank = 2, f = gelu)",
    "adapter(place = input, rank = 2)",
    "adapter(place = output, rank = 2)",
    "adapter(rank = 2, connected = yes)",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("body", "shape", "head"), [("mlp(8)", "6", ""), ("conv2d(4)", "4, 6, 6", "; global_avg_pool")]
)
def test_an_adapter_changes_nothing_at_the_start(form: str, body: str, shape: str, head: str) -> None:
    with_it = build(planned(f"{form} {{ {body} }}; {form} {{ {body} }}{head}", shape), 0)
    without = build(planned(f"{body}; {body}{head}", shape), 1)
    without.load_state_dict({k: v for k, v in with_it.state_dict().items() if "adapter" not in k})
    x = torch.randn(5, *(int(size) for size in shape.split(", ")))
    torch.testing.assert_close(with_it.eval()(x), without.eval()(x))


def test_parameters_are_two_thin_maps_with_offsets() -> None:
    found = planned("adapter(rank = 3) { linear(10) }", shape="10")
    assert next(node.params for node in found.nodes if node.op == "adapter") == 2 * 10 * 3 + 3 + 10


@pytest.mark.parametrize("form", FORMS)
def test_within_frozen_only_adapters_learn(form: str) -> None:
    found = planned(f"frozen {{ {form} {{ mlp(8) }}; batch_norm }}", shape="6")
    module = build(found, 0).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    optimizer = torch.optim.AdamW(parameter_groups(module, 0.1), 0.1)
    for _ in range(2):  # the first step moves what begins at zero, the second the rest
        optimizer.zero_grad()
        module(torch.randn(8, 6)).square().sum().backward()
        optimizer.step()
    moved = {name for name, tensor in module.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {name for name in before if name.startswith(("adapter.", "linear."))}


def test_an_identity_in_parallel_is_a_low_rank_update_of_a_linear_layer() -> None:
    module = build(planned("adapter(rank = 3, scale = 0.5) { linear(7) }", shape="6"), 0)
    nn.init.normal_(module.adapter.up.weight)
    x, adapter, linear = torch.randn(4, 6), module.adapter, module.linear
    merged = linear.weight + 0.5 * adapter.up.weight @ adapter.down.weight
    torch.testing.assert_close(adapter(x, linear(x)), x @ merged.T + linear.bias)


def test_connected_adapters_learn_past_a_body_that_passes_no_gradient() -> None:
    body = "repeat 3 { adapter(rank = 2, f = relu, connected = yes) { linear(6) } }"
    module = build(planned(body, shape="6"), 0)
    for name, part in module.named_modules():
        if isinstance(part, Adapter):
            nn.init.normal_(part.up.weight)
        if name.endswith("_linear"):
            nn.init.zeros_(part.weight)  # its Jacobian is zero
    module(torch.randn(8, 6)).square().sum().backward()
    assert module.repeat_0_adapter.down.weight.grad.abs().sum() > 0
    plain = build(planned(body.replace(", connected = yes", ""), shape="6"), 0)
    plain.load_state_dict(module.state_dict())
    assert [len(node.args) for node in module.graph.nodes if "adapter" in node.name] == [2, 4, 4]


def test_sequential_adapters_add_to_the_depth_and_parallel_ones_do_not() -> None:
    depths = [planned(f"{form} {{ linear(6) }}", shape="6").depth for form in FORMS[1:3]]
    assert depths == [2, 4]
