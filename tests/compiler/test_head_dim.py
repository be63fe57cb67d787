"""`attention(heads, head_dim = …)`: the features of a head apart from the width of tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_attention_modules import plain_attention
from test_merged_exports import equal_in

import nasdsl
from compiler.build import build
from compiler.modules import Attention
from compiler.plan import Plan, plan

HEAD = "task classification on shape(4, 6, 6, classes = 3)\n"


def space(attention: str) -> nasdsl.Space:
    return nasdsl.parse(
        f"{HEAD}network {{ patch_embed(8, patch = 2); residual {{ {attention} }}; global_avg_pool; linear(outputs) }}"
    )


def planned(attention: str) -> Plan:
    found = space(attention)
    return plan(found, found.default())


@pytest.mark.parametrize(("heads", "kv_heads"), [(3, None), (6, 2), (4, 1)])
@pytest.mark.parametrize("causal", [False, True])
def test_it_is_softmax_attention_of_heads_of_that_size(
    heads: int, kv_heads: int | None, causal: bool
) -> None:
    layer = Attention(8, heads, kv_heads=kv_heads, causal=causal, head_dim=5)
    x = torch.randn(2, 7, 8)
    torch.testing.assert_close(layer(x), plain_attention(layer, x, causal))


def test_planned_numbers_are_those_worked_out_by_hand() -> None:
    (node,) = (n for n in planned("attention(3, kv_heads = 1, head_dim = 4)").nodes if n.op == "attention")
    tokens, width, queries, keys = 9, 8, 12, 4
    assert node.shape == (tokens, width)
    assert node.params == 2 * width * (queries + keys) + queries + 2 * keys + width
    assert node.macs == 2 * tokens * width * (queries + keys) + 2 * tokens**2 * queries


def test_heads_need_not_divide_the_width_where_it_is_given() -> None:
    found = space("attention(2 | 3, head_dim = 4 | 5, position = none | rotary)")
    points = list(found.enumerate())
    assert len(points) == found.count() == 6  # an odd head has no pairs to turn
    for point in points:
        one = plan(found, point)
        module = build(one, 0)
        assert sum(p.numel() for p in module.parameters()) == one.params
        assert module(torch.randn(2, 4, 6, 6)).isfinite().all()
    with pytest.raises(nasdsl.NasdslError, match="3 does not divide 8"):
        space("attention(3)")
    with pytest.raises(nasdsl.NasdslError, match="pairs of features"):
        space("attention(3, head_dim = 5, position = rotary)")


def test_it_may_be_left_out_by_decision() -> None:
    found = space("attention(2 | 3, head_dim = 4?)")
    assert found.count() == len(list(found.enumerate())) == 3


def test_a_share_of_the_width_that_is_written_out_is_the_same_network() -> None:
    assert planned("attention(2)").hash == planned("attention(2, head_dim = 4)").hash
    assert planned("attention(2)").hash != planned("attention(2, head_dim = 5)").hash


def test_a_rank_is_offered_where_it_fits_queries_and_output() -> None:
    found = space("attention(2, head_dim = 1 | 4, weight = lora(2 | 4), weight_on = q | o)")
    points = {(p["network/head_dim"], p["network/weight/rank"]) for p in found.enumerate()}
    assert points == {(1, 2), (4, 2), (4, 4)}


@pytest.mark.parametrize("form", ["python", "torch", "onnx"])
@pytest.mark.parametrize(
    "given", ["kv_heads = 1, position = rotary", "weight = lora(2), weight_on = qo", "position = learned"]
)
def test_it_is_equal_in_every_format(given: str, form: str, tmp_path: Path) -> None:
    equal_in(form, planned(f"attention(3, head_dim = 4, {given})"), tmp_path)
