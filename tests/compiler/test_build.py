"""The run-time graph: torch's own shapes and sizes are the oracle."""

from __future__ import annotations

import io

import pytest
import torch
from plan_examples import NETWORKS, Net, residual_image, two_by_two
from torch.fx.passes.shape_prop import ShapeProp

from compiler.build import build
from compiler.plan import Plan, plan_of

BATCH = 3


def inputs_for(plan: Plan, device: str = "cpu") -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(BATCH, *shape, generator=generator).to(device) for shape in plan.inputs.values()]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_shape_and_parameter_is_what_torch_gets(name: str) -> None:
    plan = plan_of(NETWORKS[name]())
    with torch.device("meta"):
        module = build(plan)
    ShapeProp(module).propagate(*inputs_for(plan, "meta"))
    values = [node for node in module.graph.nodes if node.op != "output"]
    for node, value in zip(plan.nodes, values, strict=True):
        assert value.meta["tensor_meta"].shape == (BATCH, *node.shape), node.name
        if value.op == "call_module":
            own = sum(p.numel() for p in module.get_submodule(value.target).parameters())
            assert own == node.params, node.name
    assert sum(p.numel() for p in module.parameters()) == plan.params


@pytest.mark.parametrize("name", NETWORKS)
def test_seed_decides_the_weights_and_leaves_the_global_generator_alone(name: str) -> None:
    plan = plan_of(NETWORKS[name]())
    before = torch.get_rng_state()
    first, again, other = build(plan, 1), build(plan, 1), build(plan, 2)
    assert torch.equal(before, torch.get_rng_state())
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key
    assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_without_a_seed_the_global_generator_draws() -> None:
    plan = plan_of(residual_image())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(9)
        first = build(plan)
    assert torch.equal(first.stem.weight, build(plan, 9).stem.weight)


def test_several_outputs_come_by_name_and_inputs_may_be_named() -> None:
    plan = plan_of(two_by_two())
    module = build(plan, 0).eval()
    image, table = inputs_for(plan)
    result = module(image, table)
    assert {name: tuple(value.shape) for name, value in result.items()} == {"cls": (3, 3), "box": (3, 4)}
    assert torch.equal(module(table=table, image=image)["cls"], result["cls"])


def test_module_names_carry_the_names_of_nodes_also_where_torch_has_them() -> None:
    module = build(plan_of(two_by_two()), 0)
    # `half` and `type` are methods of nn.Module
    assert {"half_.weight", "type_.weight"} <= set(module.state_dict())
    assert module.half() is module
    by_path = {node.meta["path"] for node in module.graph.nodes if node.op == "call_module"}
    assert "network/half" in by_path


def test_a_name_with_an_underscore_is_not_taken_twice() -> None:
    net = Net()
    x = net("linear", net.input(4), width=4, name="half")
    plan = plan_of(net.decided(net("linear", x, width=2, name="half_")))
    assert build(plan).half_.out_features == 2
    assert build(plan).half__.out_features == 4


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_parameter(name: str) -> None:
    plan = plan_of(NETWORKS[name]())
    module = build(plan, 0)
    result = module(*inputs_for(plan))
    outputs = result.values() if isinstance(result, dict) else [result]
    sum((value.square().sum() for value in outputs), torch.zeros(())).backward()
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key


def test_the_graph_can_be_pickled() -> None:
    plan = plan_of(residual_image())
    module = build(plan, 0).eval()
    kept = io.BytesIO()
    torch.save(module, kept)
    kept.seek(0)
    again = torch.load(kept, weights_only=False)
    assert torch.equal(module(*inputs_for(plan)), again(*inputs_for(plan)))
