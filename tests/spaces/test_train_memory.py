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
from nasdsl.language.reading import load
from nasdsl.training.optimizers import optimizer
from nasdsl.training.settings import call

sys.path.append(str(Path(__file__).parents[1] / "compiler"))
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
        # A frozen layer keeps less than the plan says, which takes each for one that is trained.
        above = 0.15 if planned.trainable_params == planned.params else 0.3
        within = -0.15 * torch_has <= planned.train_memory - torch_has <= above * torch_has
        assert within, (dict(decided.point), planned.train_memory, torch_has)
        held += 1
        if held == POINTS:
            return
    assert held, "no point is small enough to be run"
