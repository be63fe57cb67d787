"""What attention, tokens and gates compute, against definitions written out here."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from compiler.modules import Attention, ClassToken, LearnedPositions, Rotary, SqueezeExcite, SwiGLU, TakeToken

TOKENS, WIDTH = 6, 8


def plain_attention(layer: Attention, x: torch.Tensor, causal: bool) -> torch.Tensor:
    """Softmax attention, head by head, with no more than matrix products."""
    size = layer.query.out_features // layer.heads
    query, key, value = layer.query(x), layer.key(x), layer.value(x)
    heads = []
    for head in range(layer.heads):
        served = head // (layer.heads // layer.kv_heads)
        q = query[..., head * size : (head + 1) * size]
        k, v = (part[..., served * size : (served + 1) * size] for part in (key, value))
        scores = q @ k.transpose(1, 2) / math.sqrt(size)
        if causal:
            scores = scores.masked_fill(torch.ones(x.shape[1], x.shape[1]).triu(1).bool(), -math.inf)
        heads.append(scores.softmax(-1) @ v)
    return layer.out(torch.cat(heads, -1))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("heads", "kv_heads"), [(1, None), (4, None), (4, 2), (4, 1)])
def test_attention_is_softmax_attention(heads: int, kv_heads: int | None, causal: bool) -> None:
    layer = Attention(WIDTH, heads, kv_heads=kv_heads, causal=causal)
    x = torch.randn(2, TOKENS, WIDTH)
    torch.testing.assert_close(layer(x), plain_attention(layer, x, causal))


@pytest.mark.parametrize("rotary", [False, True])
def test_causal_attention_does_not_see_what_comes_later(rotary: bool) -> None:
    layer = Attention(WIDTH, 2, causal=True, rotary=Rotary(TOKENS, WIDTH // 2) if rotary else None)
    x = torch.randn(1, TOKENS, WIDTH)
    changed = torch.cat([x[:, :4], torch.randn(1, TOKENS - 4, WIDTH)], 1)
    torch.testing.assert_close(layer(x)[:, :4], layer(changed)[:, :4])
    assert not torch.allclose(layer(x)[:, 4:], layer(changed)[:, 4:])


def test_attention_without_positions_does_not_know_the_order() -> None:
    order = torch.randperm(TOKENS)
    x = torch.randn(1, TOKENS, WIDTH)
    plain = Attention(WIDTH, 2)
    torch.testing.assert_close(plain(x)[:, order], plain(x[:, order]))
    for placed in (
        Attention(WIDTH, 2, rotary=Rotary(TOKENS, WIDTH // 2)),
        Attention(WIDTH, 2, positions=LearnedPositions(TOKENS, WIDTH)),
    ):
        turned = x.flip(1)
        assert not torch.allclose(placed(x).flip(1), placed(turned), atol=1e-5)


def test_rotary_products_depend_on_distance_alone() -> None:
    rotary = Rotary(TOKENS, WIDTH)
    query, key = torch.randn(WIDTH), torch.randn(WIDTH)
    queries, keys = (rotary(v.expand(1, 1, TOKENS, WIDTH))[0, 0] for v in (query, key))
    products = queries @ keys.T
    for distance in range(1 - TOKENS, TOKENS):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along))
    torch.testing.assert_close(queries.norm(dim=-1), query.norm().expand(TOKENS))


def test_attention_drops_weights_in_training_only() -> None:
    layer = Attention(WIDTH, 2, dropout=0.5)
    x = torch.randn(1, TOKENS, WIDTH)
    assert not torch.equal(layer.train()(x), layer(x))
    assert torch.equal(layer.eval()(x), layer(x))


def test_class_token_stands_first() -> None:
    layer = ClassToken(WIDTH)
    x = torch.randn(3, TOKENS, WIDTH)
    y = layer(x)
    assert torch.equal(y[:, 1:], x)
    assert torch.equal(TakeToken(0)(y), layer.token[0].expand(3, WIDTH))
    assert torch.equal(TakeToken(TOKENS)(y), x[:, -1])


def test_swiglu_is_a_gated_product() -> None:
    layer = SwiGLU(WIDTH, 5, bias=True)
    x = torch.randn(3, WIDTH)
    gate, up = layer.gate(x), layer.up(x)
    torch.testing.assert_close(layer(x), layer.down(gate * torch.sigmoid(gate) * up))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_squeeze_excite_scales_whole_channels_by_less_than_one(axes: int) -> None:
    x = torch.rand(2, 4, *[3] * axes) + 0.5
    scales = (SqueezeExcite(4, 2)(x) / x).flatten(2)
    torch.testing.assert_close(scales, scales[..., :1].expand_as(scales))
    assert ((scales > 0) & (scales < 1)).all()


def test_squeeze_excite_reads_the_means() -> None:
    layer = SqueezeExcite(4, 2)
    x = torch.randn(2, 4, 5, 5)
    gates = torch.sigmoid(layer.expand(F.relu(layer.reduce(x.mean((2, 3))))))
    torch.testing.assert_close(layer(x), x * gates[:, :, None, None])
