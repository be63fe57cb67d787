"""What every weight method owes the layers that it stands in."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from weight_cases import LAYERS, WEIGHTS, plan_with, weight

from compiler.build import build
from compiler.export import export_python
from compiler.hooks import DECAY_ON, Hooks, parameter_groups
from compiler.plan import Plan
from compiler.weights.attach import merged
from compiler.weights.transform import WeightTransform
from nasdsl.language.network import Spec
from nasdsl.language.signatures.methods import METHODS, methods_of

PAIRS = [(layer, title) for layer in ("linear", "conv2d") for title in WEIGHTS]
PAIRS += [(layer, title) for layer in LAYERS for title in ("lora", "low_rank", "weight_norm", "nm_sparse")]
UNFIT = {("conv2d_transpose", "weight_norm"), ("conv2d_transpose", "nm_sparse")}  # refused by the check
PAIRS = [pair for pair in dict.fromkeys(PAIRS) if pair not in UNFIT]

# What a built network computes beside the plain one of the same seed: the same, or by which methods not.
CHANGES = {
    "low_rank",
    "spectral_norm",
    "orthogonal",
    "weight_standardized",
    "lora_xs",  # its square matrix is drawn close to zero, not at it
}


def sample(plan: Plan, batch: int = 3) -> Tensor:
    (shape,) = plan.inputs.values()
    return torch.randn(batch, *shape, generator=torch.Generator().manual_seed(0))


def transforms(module: nn.Module) -> list[WeightTransform]:
    return [part for part in module.modules() if isinstance(part, WeightTransform)]


def train(module: nn.Module, x: Tensor, steps: int = 4, lr: float = 0.01) -> None:
    """A few steps of AdamW, with all hooks, towards zero outputs."""
    module.train()
    hooks = Hooks(module)
    optimizer = torch.optim.AdamW(parameter_groups(module, 0.1), lr)
    for step in range(steps):
        hooks.set_progress(step, steps)
        optimizer.zero_grad()
        loss = module(x).square().mean()
        own = hooks.auxiliary_loss()
        (loss if own is None else loss + own).backward()
        hooks.after_backward(lambda: module(x))
        optimizer.step()
        for tensor in hooks.after_step():
            optimizer.state.pop(tensor, None)
    module.eval()


@pytest.mark.parametrize(("layer", "title"), PAIRS)
def test_planned_numbers_are_those_of_the_module(layer: str, title: str) -> None:
    planned = plan_with(layer, WEIGHTS[title])
    module = build(planned, seed=0)
    assert sum(t.numel() for t in module.parameters()) == planned.params
    assert sum(t.numel() for t in module.parameters() if t.requires_grad) == planned.trainable_params
    assert sum(t.numel() for t in merged(module).parameters()) == planned.merged_params
    held = sum(b.numel() for part in transforms(module) for b in part.buffers(recurse=False))
    assert held == planned.state
    assert module(sample(planned)).shape[1:] == planned.nodes[-1].shape


@pytest.mark.parametrize(("layer", "title"), PAIRS)
def test_a_trained_network_merges_reloads_and_copies(layer: str, title: str) -> None:
    planned = plan_with(layer, WEIGHTS[title])
    module = build(planned, seed=0)
    x = sample(planned)
    before = {name: t.detach().clone() for name, t in module.named_parameters()}
    train(module, x)
    moved = [n for n, t in module.named_parameters() if not torch.equal(t, before[n])]
    frozen = [n for n, t in module.named_parameters() if not t.requires_grad]
    assert moved and not set(moved) & set(frozen)
    expected = module(x)
    plain = merged(module)
    assert not any(parametrize.is_parametrized(part) for part in plain.modules())
    torch.testing.assert_close(plain(x), expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(module(x), expected)  # merging left it alone
    fresh = build(planned, seed=1).eval()
    fresh.load_state_dict(module.state_dict())
    torch.testing.assert_close(fresh(x), expected)
    torch.testing.assert_close(copy.deepcopy(module)(x), expected)


@pytest.mark.parametrize("title", WEIGHTS)
def test_the_seed_decides_and_the_start_is_that_of_plain_weights(title: str) -> None:
    planned, plain = plan_with("linear", WEIGHTS[title]), plan_with("linear", Spec("plain"))
    x = sample(planned)
    module = build(planned, seed=3).train()
    twin = build(planned, seed=3)
    assert all(
        torch.equal(a, b)
        for a, b in zip(module.state_dict().values(), twin.state_dict().values(), strict=True)
    )
    names = {method.name for method in methods_of(WEIGHTS[title])}
    if not names & CHANGES and "ste" not in str(WEIGHTS[title]):
        torch.testing.assert_close(module.eval()(x), build(plain, seed=3)(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("title", WEIGHTS)
def test_a_weight_that_is_given_is_started_from(title: str) -> None:
    """Assigning a weight goes through right_inverse: what comes out is it, where the method is exact."""
    module = build(plan_with("conv2d in groups", WEIGHTS[title]), seed=0).eval()
    (layer,) = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
    assert parametrize.is_parametrized(layer)
    given = torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(5))
    layer.weight = given
    if all(part.exact for part in transforms(module)):
        torch.testing.assert_close(layer.weight, given, atol=1e-4, rtol=1e-4)
    again = layer.weight.detach().clone()
    layer.weight = again
    if "weight_standardized" not in title and "spectral" not in title:
        torch.testing.assert_close(layer.weight, again, atol=1e-4, rtol=1e-4)  # once made, it stays


@pytest.mark.parametrize("title", WEIGHTS)
@pytest.mark.parametrize("layer", ["linear", "conv2d", "lstm"])
def test_it_builds_on_the_meta_device(layer: str, title: str) -> None:
    planned = plan_with(layer, WEIGHTS[title])
    with torch.device("meta"):
        module = build(planned)
        out = module(torch.empty(2, *planned.inputs["input"]))
    assert out.is_meta and out.shape[1:] == planned.nodes[-1].shape
    assert sum(t.numel() for t in module.parameters()) == planned.params


@pytest.mark.parametrize("title", WEIGHTS)
def test_precision_is_that_of_the_layer(title: str) -> None:
    module = build(plan_with("linear", WEIGHTS[title]), seed=0).double()
    for part in module.modules():
        if isinstance(part, nn.Linear):
            assert part.weight.dtype == torch.float64
            assert part.weight.shape == (part.out_features, part.in_features)


@pytest.mark.parametrize("title", WEIGHTS)
def test_what_decays_is_said(title: str) -> None:
    module = build(plan_with("linear", WEIGHTS[title]), seed=0)
    assert all(part.decay_on in DECAY_ON for part in transforms(module))
    groups = parameter_groups(module, 0.1)
    grouped = [id(t) for group in groups for t in group["params"]]
    assert sorted(grouped) == sorted(id(t) for t in module.parameters() if t.requires_grad)
    decayed = [t for group in groups if group["weight_decay"] for t in group["params"]]
    if any(part.decay_on != "original" for part in transforms(module)):
        originals = [t for n, t in module.named_parameters() if ".original" in n]
        assert not {id(t) for t in decayed} & {id(t) for t in originals}


@pytest.mark.parametrize("title", ["lora", "low_rank", "nm_sparse", "orthogonal", "mask_tuned half"])
@pytest.mark.parametrize("layer", ["linear", "conv2d", "attention", "lstm"])
def test_exported_source_has_no_parametrization(layer: str, title: str, tmp_path) -> None:
    planned = plan_with(layer, WEIGHTS[title])
    module = build(planned, seed=0)
    x = sample(planned)
    train(module, x)
    path, _ = export_python(planned, module, tmp_path / "network.py")
    text = path.read_text()
    assert "parametriz" not in text and "nasdsl" not in text.split('"""', 2)[2]
    namespace: dict = {"__file__": str(path), "__name__": "exported"}
    exec(compile(text, str(path), "exec"), namespace)
    torch.testing.assert_close(namespace["load"]()(x), module(x), atol=1e-6, rtol=1e-5)


def test_every_method_is_tried() -> None:
    assert set(METHODS) <= {method.name for spec in WEIGHTS.values() for method in methods_of(spec)}


def test_hashes_tell_weights_apart() -> None:
    hashes = {title: plan_with("linear", spec).hash for title, spec in WEIGHTS.items()}
    assert len(set(hashes.values())) == len(hashes)
    assert plan_with("linear", weight("lora", rank=2)).hash == hashes["lora"]
    assert plan_with("linear", weight("lora", rank=3)).hash != hashes["lora"]
