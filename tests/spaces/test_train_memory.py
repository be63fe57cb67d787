"""Planned memory of training, held against what torch has at the end of a forward pass."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.build import build
from compiler.plan import Node, Plan, plan_of
from nasdsl.language.reading import load, parse
from nasdsl.training.optimizers import optimizer
from nasdsl.training.settings import call

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("compiler", "language")]
from least_memory import least
from memory_oracle import Kept


def given(node: Node, batch: int) -> Tensor:
    shape = (batch, *node.shape)
    return torch.randint(2, shape) if node.layout == "index" else torch.randn(shape)


SPACES = sorted(Path("spaces").glob("*.space"))
LARGEST = 7e8  # multiply-accumulates of a step that the test still runs
POINTS = 3


def taken(planned: Plan, settings, batch: int) -> int:
    """Bytes of weights, gradients, optimizer and of what is saved for backward, in a second step."""
    network = build(planned, 0).train()
    made = optimizer(call(settings, "optimizer"), network)
    inputs = [given(node, batch) for node in planned.nodes if node.op == "input"]
    *places, width = planned.nodes[-1].shape
    target = torch.randint(width, (batch, *places)) if width > 1 else torch.randn(batch, 1)

    def loss() -> Tensor:
        scores = network(*inputs)
        return (
            F.cross_entropy(scores.flatten(0, -2), target.flatten())
            if width > 1
            else F.mse_loss(scores, target)
        )

    loss().backward()
    made.step()
    with Kept(network) as kept:
        result = loss()
    saved = kept.total()
    del result
    tensors = [t for p in network.parameters() for t in (p, p.grad) if t is not None]
    tensors += [t for state in made.state.values() for t in state.values() if torch.is_tensor(t) and t.dim()]
    return saved + sum(t.untyped_storage().nbytes() for t in tensors)


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_planned_memory_is_within_15_percent_of_what_torch_has(path: Path) -> None:
    space, held = load(str(path)), 0
    for point in (space.default(), *(space.sample(seed) for seed in range(60))):
        decided = space.decided(point)
        fitting = [batch for batch in (64, 8, 2) if plan_of(decided).macs * batch <= LARGEST]
        if not fitting or plan_of(decided).params > 6e6:
            continue
        decided = replace(decided, settings={**decided.settings, "batch_size": fitting[0]})
        planned = plan_of(decided)
        torch_has = taken(planned, decided.settings, fitting[0])
        within = abs(planned.train_memory - torch_has) <= 0.15 * torch_has
        assert within, (dict(decided.point), planned.train_memory, torch_has)
        held += 1
        if held == POINTS:
            return
    assert held, "no point is small enough to be run"


FROZEN = [
    "residual { layer_norm; adapter(form = parallel | sequential, rank = 8, f = relu) { attention(4) } }",
    "frozen { adapter(rank = 4, connected = yes) { mlp(64) }; adapter(rank = 4, f = gelu, connected = yes) { mlp(64) } }",
    "frozen { mlp(64); swiglu(48); gru(32); linear(64); rms_norm }",
    "frozen { attention(4, position = learned | rotary, dropout = 0.1, kv_heads = 2) }",
    "frozen { widen(4, top_k = 2) { mlp(64) } }",
    "widen(4, top_k = 2) { frozen { mlp(64) } }",
    "gate(0.8) { frozen { mlp(64) } }",
    "frozen { with(weight = lora(2) | svfit(2) | mask_tuned | plain) { mlp(64) } }",
    "with(weight = low_rank(2) | weight_norm) { linear(64) }",
]


@pytest.mark.parametrize("first", ["patch_embed(32, patch = 2)", "frozen { patch_embed(32, patch = 2) }"])
@pytest.mark.parametrize("body", FROZEN)
def test_what_is_frozen_or_made_by_a_method_is_planned_as_torch_has_it(body: str, first: str) -> None:
    space = parse(
        f"task classification on digits\nnetwork {{ {first}; {body}; global_avg_pool; linear(outputs) }}\n"
        "train { optimizer = adam(lr = 0.01); batch_size = 16 }\n"
    )
    for point in space.enumerate():
        decided = space.decided(point)
        planned = plan_of(decided)
        torch_has = taken(planned, decided.settings, 16)
        assert planned.train_memory == pytest.approx(torch_has, rel=0.15), dict(point)
        assert 0 < least(space, point) <= planned.train_memory
