"""Initial weights: at criticality signals keep their size over depth; orthonormal ones are orthonormal."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from compiler.build import build
from compiler.plan import plan
from nasdsl.language.reading import parse

DEPTH, WIDTH = 30, 256


def deep(act: str, init: str, depth: int = DEPTH) -> nn.Module:
    space = parse(
        f"task classification on shape({WIDTH}, classes = 3)\n"
        f"network {{ repeat {depth} {{ linear({WIDTH}); {act} }}; linear(outputs) }}\ntrain {{ init = {init} }}"
    )
    return build(plan(space, space.default()), 0)


def preactivations(module: nn.Module, x: Tensor) -> list[Tensor]:
    found: list[Tensor] = []
    for name, part in module.named_modules():
        if isinstance(part, nn.Linear) and name != "linear":
            part.register_forward_hook(lambda *args: found.append(args[2]))
    with torch.no_grad():
        module(x)
    return found


def sizes(act: str, init: str) -> list[float]:
    """Mean squares of preactivations, layer by layer."""
    x = torch.randn(64, WIDTH, generator=torch.Generator().manual_seed(1))
    return [z.square().mean().item() for z in preactivations(deep(act, init), x)]


@pytest.mark.parametrize("act", ["relu", "leaky_relu(0.2)", "identity"])
def test_critical_weights_keep_the_size_of_signals_at_any_depth(act: str) -> None:
    found = sizes(act, "critical")
    assert 0.2 < found[-1] / found[0] < 5  # a random walk of about a half over so many layers
    assert sizes(act, "default")[-1] < 1e-2 * sizes(act, "default")[0]


@pytest.mark.parametrize(("act", "fixed"), [("gelu", 3.5616), ("silu", 14.3203)])
def test_critical_weights_lead_to_the_fixed_point(act: str, fixed: float) -> None:
    module = deep(act, "critical")
    x = fixed**0.5 * torch.randn(64, WIDTH, generator=torch.Generator().manual_seed(1))
    last = preactivations(module, x)[-1].square().mean().item()
    assert fixed / 2.5 < last < 2.5 * fixed


def test_orthogonal_weights_are_orthonormal_up_to_their_size() -> None:
    layer = deep("relu", "orthogonal", depth=3).get_submodule("repeat_1_linear")
    torch.testing.assert_close(layer.weight @ layer.weight.T, 2 * torch.eye(WIDTH), atol=1e-4, rtol=0)
    assert not layer.bias.any()


def test_kaiming_counts_the_fan_of_a_convolution_behind_a_pool() -> None:
    space = parse(
        "task classification on shape(8, 16, 16, classes = 3)\n"
        "network { conv2d(64); relu; max_pool(2); conv2d(64); flatten; linear(outputs) }\ntrain { init = kaiming }"
    )
    module = build(plan(space, space.default()), 0)
    assert module.conv2d.weight.var().item() == pytest.approx(1 / (8 * 9), rel=0.1)
    assert module.conv2d_2.weight.var().item() == pytest.approx(2 / (64 * 9), rel=0.1)


def test_adapters_still_begin_at_zero() -> None:
    space = parse(
        "task classification on shape(8, classes = 3)\n"
        "network { widen(experts = 2) { mlp(4) }; adapter { linear(8) }; linear(outputs) }\ntrain { init = critical }"
    )
    module = build(plan(space, space.default()), 0)
    assert not module.adapter.up.weight.any()
    expert = module.widen.experts[1].mlp
    assert not expert.expand.bias.any() and expert.contract.weight.var() > 0.2  # 2 / 4, drawn of 32
