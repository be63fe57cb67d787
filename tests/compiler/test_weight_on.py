"""`attention(weight = …, weight_on = qv)`: which of the matrices that make q, k, v and the output are changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_merged_exports import equal_in
from torch.nn.utils import parametrize

import nasdsl
from compiler.build import build
from compiler.plan import Plan, plan

HEAD = "task classification on shape(4, 6, classes = 3)\n"
PARTS = {"q": "query", "k": "key", "v": "value", "o": "out"}


def space(attention: str) -> nasdsl.Space:
    return nasdsl.parse(
        f"{HEAD}network {{ to_tokens; linear(8); {attention}; global_avg_pool; linear(outputs) }}"
    )


def planned(attention: str) -> Plan:
    found = space(attention)
    return plan(found, found.default())


@pytest.mark.parametrize("on", ["q", "qv", "ko", "qkv", "qkvo"])
@pytest.mark.parametrize(
    "weight", ["lora(2)", "svfit(2)", "intrinsic(9, said = yes)", "lora(1) + weight_norm"]
)
def test_those_and_no_others_are_changed_and_counted(weight: str, on: str) -> None:
    found = planned(f"attention(2, kv_heads = 1, weight = {weight}, weight_on = {on})")
    module = build(found, 0)
    changed = {name for name, part in module.attention.named_children() if parametrize.is_parametrized(part)}
    assert changed == {PARTS[letter] for letter in on}
    assert sum(p.numel() for p in module.parameters()) == found.params
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == found.trainable_params
    module(torch.randn(2, 4, 6)).sum().backward()
    untouched = [getattr(module.attention, PARTS[letter]).weight for letter in PARTS if letter not in on]
    assert all(weight.grad is not None for weight in untouched)


def test_frozen_attention_trains_the_updates_alone() -> None:
    found = planned("frozen { attention(2, weight = lora(2), weight_on = qv) }")
    module = build(found, 0)
    assert sum(p.numel() for p in module.attention.parameters() if p.requires_grad) == 2 * 2 * (8 + 8)


@pytest.mark.parametrize("form", ["python", "torch", "onnx"])
@pytest.mark.parametrize("weight", ["lora(2)", "low_rank(2)"])
def test_it_is_merged_in_every_format(weight: str, form: str, tmp_path: Path) -> None:
    equal_in(form, planned(f"attention(2, weight = {weight}, weight_on = kv)"), tmp_path)


def test_factors_take_the_place_of_those_alone() -> None:
    found = planned("attention(2, weight = low_rank(2), weight_on = q)")
    module = build(found, 0)
    shapes = {name: tuple(t.shape) for name, t in module.attention.named_parameters() if t.ndim == 2}
    assert sorted(shapes.values()) == [(2, 8), (8, 2), (8, 8), (8, 8), (8, 8)]
    assert found.params == sum(p.numel() for p in module.parameters())


def test_a_rank_is_offered_where_it_fits_the_matrices_that_are_meant() -> None:
    found = space("attention(4, kv_heads = 1, weight = lora(2 | 4), weight_on = q | k)")
    points = {(p["network/weight_on"], p["network/weight/rank"]) for p in found.enumerate()}
    assert points == {("q", 2), ("q", 4), ("k", 2)}


def test_it_holds_for_a_default_and_is_silent_beside_plain_weights() -> None:
    found = space("with(weight = plain | lora(2)) { attention(2, weight_on = q | qv | qkvo) }")
    hashes = [plan(found, point).hash for point in found.enumerate()]
    assert len(hashes) == 6 and len(set(hashes)) == 4


def test_other_words_are_refused_with_what_fits() -> None:
    with pytest.raises(nasdsl.NasdslError, match="weight_on"):
        space("attention(2, weight = lora(2), weight_on = vq)")
