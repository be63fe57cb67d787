"""Every member of the family of adapters: form x f x place x rank and scale, around maps and around tokens."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch

import nasdsl
from compiler.build import build
from compiler.source import Facts, python_source
from compiler.weights.attach import merged

FORMS, PLACES, ACTS = ("parallel", "sequential"), ("body", "input", "output"), ("", "f = relu", "f = silu")
SIZES = ((1, 1.0), (3, 4.0))
BODIES = {
    "maps": ("4, 5, 5", "ADAPTER { conv2d(4) }; frozen { ADAPTER { conv2d(4); relu } }"),
    "tokens": ("4, 6", "to_tokens; linear(8); frozen { ADAPTER { attention(2) } }; ADAPTER { mlp(8) }"),
}
FAMILY = [
    pytest.param(*one, marks=() if one[2:] == ("f = relu", SIZES[0]) else pytest.mark.slow)
    for one in product(FORMS, PLACES, ACTS, SIZES)
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("form", "place", "act", "size"), FAMILY)
def test_it_is_planned_trained_and_exported(form: str, place: str, act: str, size: Any, body: str) -> None:
    shape, text = BODIES[body]
    arguments = [
        f"form = {form}",
        f"place = {place}",
        f"rank = {size[0]}",
        f"scale = {size[1]}",
        *([act] if act else []),
    ]
    network = text.replace("ADAPTER", f"adapter({', '.join(arguments)})")
    space = nasdsl.parse(
        f"task classification on shape({shape}, classes = 3)\n"
        f"network {{ {network}; global_avg_pool; linear(outputs) }}"
    )
    plan = nasdsl.plan(space, space.default())
    module = build(plan, 0).train()
    trained = [p for p in module.parameters() if p.requires_grad]
    assert sum(p.numel() for p in module.parameters()) == plan.params
    assert sum(p.numel() for p in trained) == plan.trainable_params
    x, sgd = torch.randn(4, *map(int, shape.split(","))), torch.optim.SGD(trained, 0.01)
    before = [p.detach().clone() for p in trained]
    for _ in range(2):  # up begins at zero, so that down moves in the second step only
        sgd.zero_grad()
        module(x).square().mean().backward()
        sgd.step()
    assert all(p.isfinite().all() for p in trained)
    moved = [not torch.equal(p, old) for p, old in zip(trained, before, strict=True)]
    assert sum(moved) > len(moved) / 2
    names: dict[str, Any] = {"__file__": "network.py"}
    exec(compile(python_source(plan, Facts(), "network.pt"), "network.py", "exec"), names)
    twin = names["Network"]()
    twin.load_state_dict(merged(module).state_dict())
    torch.testing.assert_close(twin.eval()(x), module.eval()(x), atol=1e-6, rtol=1e-6)
