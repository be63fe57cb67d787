"""`with` gives a default to all that it encloses; `frozen` says that it is not trained."""

from __future__ import annotations

import pytest
import torch

import nasdsl
from compiler.build import build
from compiler.hooks import parameter_groups
from compiler.plan import Plan, plan
from nasdsl.language.network import Spec
from nasdsl.language.point import Point
from nasdsl.language.space import Space

HEAD = "task classification on shape(16, classes = 10)\n"


def space(network: str, blocks: str = "") -> Space:
    return nasdsl.parse(f"{HEAD}{blocks}\nnetwork {{ {network} }}")


def weights(found: Space, point: Point) -> dict[str, str]:
    """Layer -> its weight, with the rank where it has one."""
    shown = {}
    for layer in found.decided(point).layers:
        weight = layer.arguments.get("weight")
        if isinstance(weight, Spec):
            shown[layer.name] = weight.name + str(weight.arguments.get("rank") or "")
    return shown


def test_every_layer_decides_for_itself_and_a_let_ties() -> None:
    choice = "plain | low_rank(rank = 2..4)"
    free = space(f"with(weight = {choice}) {{ linear(8); linear(9) }}; linear(outputs)")
    assert free.count() == 4 * 4
    tied = space(f"let w = {choice}; with(weight = w) {{ linear(8); linear(9) }}; linear(outputs)")
    assert tied.count() == 4
    for point in tied.enumerate():
        shown = weights(tied, point)
        assert shown["linear"] == shown["linear_2"]
        assert shown["linear_3"] == "plain"
    assert [free.rank(p) for p in free.enumerate()] == list(range(16))


def test_own_argument_then_inner_then_outer() -> None:
    found = space(
        "with(weight = lora(2)) { linear(8); with(weight = svfit(3)) { linear(8, weight = plain); linear(8) }; linear(8) }"
        "; linear(outputs)"
    )
    (point,) = found.enumerate()
    assert list(weights(found, point).values()) == ["lora2", "plain", "svfit3", "lora2", "plain"]


def test_it_holds_for_blocks_that_are_used_in_it() -> None:
    blocks = """
block fc(n) { linear(n); relu }
block two(n) { let r = 2 | 3; with(weight = lora(r)) { fc(n); repeat 2 { fc(n) } }; fc(n) }
"""
    found = space("let k = 4 | 5; with(weight = svfit(k)) { two(9) }; two(8); linear(outputs)", blocks)
    assert found.count() == 2 * 2 * 2  # k, and r of each use
    assert len(found.warnings) == 0
    for point in found.enumerate():
        shown = list(weights(found, point).values())
        r1, r2, k = point["network/two/r"], point["network/two#2/r"], point["network/k"]
        assert shown == [f"lora{r1}"] * 3 + [f"svfit{k}"] + [f"lora{r2}"] * 3 + ["plain"] * 2


def test_it_reaches_through_recursion_loops_and_parameters() -> None:
    blocks = "block deep(n, d) { linear(n); if d > 0 { deep(n, d - 1) } }"
    text = "repeat i in 1..2 { with(weight = lora(i)) { deep(8, 2) } }; linear(outputs)"
    found = space(text, blocks)
    point = found.unrank(found.count() - 1)
    assert list(weights(found, point).values()) == ["lora1"] * 3 + ["lora2"] * 3 + ["plain"]


def test_pruning_is_exact_within_it() -> None:
    found = space("with(weight = low_rank(rank = 2..9)) { linear(4 | 8); linear(6) }; linear(outputs)")
    # first of width 4: ranks 2..4, then 6 x 4: 2..4; of width 8: 2..8, then 6 x 8: 2..6
    assert found.count() == 3 * 3 + 7 * 5


def test_what_it_says_is_checked_and_used() -> None:
    assert "unused-default" in [
        w.code for w in space("with(weight = lora(2)) { relu }; linear(outputs)").warnings
    ]
    with pytest.raises(nasdsl.SpaceError, match="needs `rank`"):
        space("with(weight = lora) { relu }; linear(outputs)")
    with pytest.raises(nasdsl.SpaceError, match="gives no default"):
        space("with { relu }; linear(outputs)")
    with pytest.raises(nasdsl.SpaceError, match="no argument `bias`"):
        space("with(bias = no) { linear(3) }; linear(outputs)")
    with pytest.raises(nasdsl.SpaceError, match="takes a weight, not `relu`"):
        space("let w = relu; with(weight = w) { linear(3) }; linear(outputs)")


def frozen_plan() -> Plan:
    found = space(
        "frozen { linear(8); batch_norm; with(weight = lora(2)) { fc(8) }; residual { linear(6) }; linear(8, weight = weight_norm) }"
        "; linear(outputs)",
        "block fc(n) { linear(n); relu }",
    )
    return plan(found, found.default())


def test_only_what_tuning_adds_is_trained_in_frozen_bodies() -> None:
    planned = frozen_plan()
    module = build(planned, seed=0)
    trained = {name for name, t in module.named_parameters() if t.requires_grad}
    assert trained == {
        "fc_linear.parametrizations.weight.0.a",
        "fc_linear.parametrizations.weight.0.b",
        "linear_4.weight",
        "linear_4.bias",
    }
    assert planned.trainable_params == 2 * (8 + 8) + 8 * 10 + 10
    assert planned.params == sum(t.numel() for t in module.parameters())
    assert sum(len(group["params"]) for group in parameter_groups(module, 0.1)) == 4


def test_frozen_bodies_stay_bit_for_bit_with_decay_momentum_and_norms() -> None:
    module = build(frozen_plan(), seed=0).train()
    before = {name: t.clone() for name, t in module.state_dict().items()}
    optimizer = torch.optim.AdamW(parameter_groups(module, 0.5), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        module(torch.randn(8, 16)).square().sum().backward()
        optimizer.step()
    moved = {name for name, t in module.state_dict().items() if not torch.equal(t, before[name])}
    assert moved == {
        "fc_linear.parametrizations.weight.0.a",
        "fc_linear.parametrizations.weight.0.b",
        "linear_4.weight",
        "linear_4.bias",
    }


def test_adapters_are_trained_in_frozen_bodies_and_experts() -> None:
    found = space(
        "frozen { adapter(rank = 2) { linear(16) }; widen(2) { adapter(rank = 3) { mlp(8) } } }; linear(outputs)"
    )
    planned = plan(found, found.default())
    module = build(planned, seed=0)
    trained = sum(t.numel() for t in module.parameters() if t.requires_grad)
    assert trained == planned.trainable_params
    assert trained == (2 * 2 * 16 + 2 + 16) + 2 * (2 * 3 * 16 + 3 + 16) + 16 * 10 + 10


def test_frozen_and_trained_networks_differ_in_structure_and_words() -> None:
    from compiler.wording import call_text

    one, two = space("frozen { linear(8) }; linear(outputs)"), space("linear(8); linear(outputs)")
    assert plan(one, one.default()).hash != plan(two, two.default()).hash
    assert call_text(plan(one, one.default()).nodes[1]) == "frozen linear(8)"
