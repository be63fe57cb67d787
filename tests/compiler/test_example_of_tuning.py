"""The shipped fine-tuning space: a network that was trained elsewhere, whole and exact, then tuned."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

import nasdsl
from compiler.build import build
from compiler.plan import plan

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_features_are_those_of_the_detector() -> None:
    found = nasdsl.load(EXAMPLES / "faces_to_digits.space")
    weights = load_file(EXAMPLES / "pnet.safetensors")
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = F.max_pool2d(
        F.prelu(F.conv2d(x, weights["conv1.weight"], weights["conv1.bias"]), weights["prelu1.weight"]), 2
    )
    for layer in ("2", "3"):
        expected = F.conv2d(expected, weights[f"conv{layer}.weight"], weights[f"conv{layer}.bias"])
        expected = F.prelu(expected, weights[f"prelu{layer}.weight"])
    for index in (0, 1, found.count() - 1):
        planned = plan(found, found.unrank(index))
        module = build(planned, seed=index).eval()
        inner = [node.name for node in planned.nodes if "pretrained" in node.path]
        y = x
        for name in inner:
            y = getattr(module, name)(y)
        torch.testing.assert_close(y, expected, atol=1e-4, rtol=1e-4)
        assert sum(t.numel() for t in module.parameters() if t.requires_grad) == planned.trainable_params
