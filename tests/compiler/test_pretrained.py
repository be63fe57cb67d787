"""Bodies that start from the weights of a file: what fits is loaded exactly, what does not is refused in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import nasdsl
from compiler.build import build
from compiler.errors import PretrainedError
from compiler.plan import plan
from compiler.weights.attach import merged

HEAD = "space s\ntask classification on shape(2, 8, 8, classes = 4)\n"
BODY = "conv1: conv2d(6, kernel = 2); batch_norm; relu; inner: residual { conv2d(6) }; global_avg_pool; fc: linear(5)"


@pytest.fixture
def network() -> nn.Sequential:
    """What was trained elsewhere."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 6, 2), nn.BatchNorm2d(6), nn.Conv2d(6, 6, 3), nn.Linear(6, 5), nn.Linear(5, 9)
    )


def names(network: nn.Sequential, *layers: str) -> dict[str, torch.Tensor]:
    """Its tensors under other names of its layers."""
    return {
        f"{layers[int(k[0])]}{k[1:]}": t for k, t in network.state_dict().items() if int(k[0]) < len(layers)
    }


def space(folder: Path, network: str) -> nasdsl.Space:
    path = folder / "s.space"
    path.write_text(f"{HEAD}network {{ {network}; linear(outputs) }}\n")
    return nasdsl.load(path)


def built(folder: Path, network: str) -> nn.Module:
    found = space(folder, network)
    return build(plan(found, found.default()), seed=1)


def test_tensors_go_by_the_path_of_the_layer(tmp_path: Path, network: nn.Sequential) -> None:
    save_file(names(network, "conv1", "batch_norm", "inner.conv2d", "fc", "head"), tmp_path / "w.safetensors")
    module = built(tmp_path, f'pretrained("w.safetensors") {{ {BODY} }}')
    state = module.state_dict()
    assert torch.equal(state["pretrained_conv1.conv.weight"], network[0].weight)
    assert torch.equal(state["pretrained_batch_norm.running_var"], network[1].running_var)
    assert torch.equal(state["pretrained_inner_conv2d.bias"], network[2].bias)
    assert torch.equal(state["pretrained_fc.weight"], network[3].weight)


def test_a_prefix_is_taken_off_and_blocks_are_reached(tmp_path: Path, network: nn.Sequential) -> None:
    found = names(network, "stem.conv2d", "stem.batch_norm")
    save_file(
        {f"model.{k}": t for k, t in found.items()} | {"other": torch.ones(1)}, tmp_path / "w.safetensors"
    )
    path = tmp_path / "s.space"
    path.write_text(
        f"{HEAD}block b(n) {{ conv2d(n, kernel = 2); batch_norm }}\n"
        'network { features: pretrained("w.safetensors", prefix = "model.") { stem: b(6) }; flatten; linear(outputs) }'
    )
    found = nasdsl.load(path)
    module = build(plan(found, found.default()))
    assert torch.equal(module.state_dict()["features_stem_conv2d.conv.weight"], network[0].weight)


def test_layers_can_be_matched_in_order(tmp_path: Path, network: nn.Sequential) -> None:
    layers = ("features.2", "features.10", "features.11", "head.0", "head.1")
    save_file(names(network, *layers), tmp_path / "w.safetensors")
    module = built(tmp_path, f'pretrained("w.safetensors", match = order) {{ {BODY} }}')
    assert torch.equal(module.state_dict()["pretrained_fc.bias"], network[3].bias)


@pytest.mark.parametrize(
    "weight", ["low_rank(5)", "lora(2)", "svfit(3)", "weight_norm", "nm_sparse(1, 2) + mask_tuned"]
)
def test_weight_methods_start_from_the_file(tmp_path: Path, network: nn.Sequential, weight: str) -> None:
    if "+" in weight:
        weight = "lora(2) + nm_sparse(1, 2)"
    save_file(names(network, "conv2d", "batch_norm", "conv2d#2"), tmp_path / "w.safetensors")
    body = "conv2d(6, kernel = 2); batch_norm; conv2d(6)"
    text = f'frozen {{ pretrained("w.safetensors") {{ with(weight = {weight}) {{ {body} }} }} }}; global_avg_pool'
    found = space(tmp_path, text)
    planned = plan(found, found.default())
    module = build(planned, seed=0)
    assert sum(t.numel() for t in module.parameters() if t.requires_grad) == planned.trainable_params
    plain = merged(module).state_dict()
    if "low_rank" in weight:
        left, right = plain["pretrained_conv2d_2.expand.weight"], plain["pretrained_conv2d_2.reduce.weight"]
        s = torch.linalg.svdvals(network[2].weight.flatten(1))
        gap = (left.flatten(1) @ right.flatten(1) - network[2].weight.flatten(1)).norm()
        torch.testing.assert_close(gap, s[5:].norm(), atol=1e-5, rtol=1e-4)  # Eckart & Young
    else:
        torch.testing.assert_close(plain["pretrained_conv2d_2.weight"], network[2].weight, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("conv1: conv2d(6, kernel = 2); fc2: conv2d(6)", r"no `fc2.weight` for network/pretrained/fc2"),
        (
            "conv1: conv2d(7, kernel = 2)",
            r"`conv1.weight` of w.safetensors is \(6, 2, 2, 2\).*takes \(7, 2, 2, 2\)",
        ),
        (
            "conv1: conv2d(6, kernel = 2, weight = low_rank(2)); batch_norm; batch_norm",
            r"no `batch_norm#2.weight`",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, network: nn.Sequential, body: str, said: str) -> None:
    save_file(names(network, "conv1", "batch_norm", "fc"), tmp_path / "w.safetensors")
    with pytest.raises(PretrainedError, match=said) as caught:
        built(tmp_path, f'pretrained("w.safetensors") {{ {body} }}; global_avg_pool')
    assert "help: " in str(caught.value)


def test_an_order_that_does_not_fit_is_refused(tmp_path: Path, network: nn.Sequential) -> None:
    tensors = {k: t for k, t in names(network, "a", "-", "b").items() if k[0] != "-"}
    save_file(tensors, tmp_path / "w.safetensors")
    for body, said in (
        ("conv2d(6, kernel = 2); batch_norm", "has `weight` .*, `running_var` .* is `b` with `bias`"),
        ("conv2d(6, kernel = 2); conv2d(6); conv2d(6)", "is no more layers"),
    ):
        with pytest.raises(PretrainedError, match=said):
            built(tmp_path, f'pretrained("w.safetensors", match = order) {{ {body} }}; global_avg_pool')


def test_files_that_are_missing_broken_or_elsewhere(tmp_path: Path) -> None:
    found = space(tmp_path, 'pretrained("w.safetensors") { conv2d(3) }; global_avg_pool')
    assert [w.code for w in found.warnings] == ["missing-file"]
    with pytest.raises(PretrainedError, match="there is no file"):
        build(plan(found, found.default()))
    build(plan(found, found.default()), pretrained=False)
    (tmp_path / "w.safetensors").write_bytes(b"no tensors")
    with pytest.raises(PretrainedError, match="no safetensors file"):
        build(plan(found, found.default()))
    for file, code in (
        ("../w.safetensors", "file-outside"),
        ("/etc/w.safetensors", "file-outside"),
        ("w.pt", "wrong-kind"),
        ("torch:ones", "untrusted"),
    ):
        with pytest.raises(nasdsl.SpaceError) as caught:
            space(tmp_path, f'pretrained("{file}") {{ conv2d(3) }}; global_avg_pool')
        assert [d.code for d in caught.value.diagnostics] == [code]


def other_weights() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 3, 3))


def test_a_trusted_author_may_name_a_function(tmp_path: Path) -> None:
    text = f'{HEAD}network {{ pretrained("{__name__}:other_weights", match = order) {{ conv2d(3) }}; flatten; linear(outputs) }}'
    found = nasdsl.parse(text, trust=True)
    module = build(plan(found, found.default()))
    assert torch.equal(module.state_dict()["pretrained_conv2d.weight"], other_weights()[0].weight)


@pytest.mark.parametrize(
    ("around", "count"),
    [
        ("adapter(rank = 2, place = output)", 1),
        ("gate(0.5)", 1),
        ("widen(experts = 2)", 2),
        ("widen(experts = 3, route = enforced)", 3),
    ],
)
def test_what_is_put_around_a_body_is_new_and_the_body_starts_from_the_file(
    tmp_path: Path, network: nn.Sequential, around: str, count: int
) -> None:
    save_file(names(network, "conv2d"), tmp_path / "w.safetensors")
    text = f'pretrained("w.safetensors") {{ {around} {{ conv2d(6, kernel = 2) }} }}; global_avg_pool'
    state = built(tmp_path, text).state_dict()
    kernels = [t for name, t in state.items() if name.endswith("conv2d.conv.weight")]
    assert len(kernels) == count
    assert all(torch.equal(kernel, network[0].weight) for kernel in kernels)
    (tmp_path / "w.safetensors").unlink()
    found = space(tmp_path, text)
    build(plan(found, found.default()), pretrained=False)  # weights will be loaded: no file is asked for


def test_experts_do_not_start_from_layers_by_their_order(tmp_path: Path, network: nn.Sequential) -> None:
    save_file(names(network, "conv2d"), tmp_path / "w.safetensors")
    body = "widen(experts = 2) { conv2d(6, kernel = 2) }; global_avg_pool"
    with pytest.raises(PretrainedError, match=r"(?s)pretrained/widen has experts.*match = order"):
        built(tmp_path, f'pretrained("w.safetensors", match = order) {{ {body} }}')


BODIES = {
    "mlp": "to_tokens; mlp(8)",
    "attention": "to_tokens; attention(2)",
    "swiglu": "to_tokens; swiglu(8)",
    "patch_embed": "patch_embed(4)",
    "class_token": "to_tokens; class_token",
    "learned_positions": "to_tokens; learned_positions",
    "separable_conv2d": "separable_conv2d(4)",
    "squeeze_excite": "squeeze_excite",
    "gru": "to_tokens; gru(4)",
    "adapter": "adapter { conv2d(2) }",
}


def test_the_documents_say_which_tensors_a_layer_takes_from_a_file() -> None:
    text = Path("docs/language.md").read_text("utf-8").partition("| operation | tensors |")[2]
    said = {op: names.split() for op, names in re.findall(r"^\| `(\w+)` \| `([\w. ]+)` \|", text, re.M)}
    assert said.keys() >= BODIES.keys()
    for op, body in BODIES.items():
        found = nasdsl.parse(f"{HEAD}network {{ {body}; global_avg_pool; linear(outputs) }}")
        state = build(plan(found, found.default())).state_dict()
        assert [name.partition(".")[2] for name in state if name.startswith(op)] == said[op]


@pytest.mark.parametrize("queries", ["repeat[1].attention.query.weight", "repeat_1_attention.query.weight"])
def test_a_copy_of_a_repeat_is_found_by_either_name(tmp_path: Path, queries: str) -> None:
    body = "repeat 2 { residual { layer_norm; attention(2) } }"
    path = tmp_path / "s.space"
    path.write_text(f"{HEAD}network {{ to_tokens; {body}; global_avg_pool; linear(outputs) }}")
    found = nasdsl.load(path)
    state = build(plan(found, found.default()), seed=3).state_dict()
    kept = {name: tensor for name, tensor in state.items() if name.startswith("repeat")}
    kept[queries] = kept.pop("repeat_1_attention.query.weight").clone()
    save_file(kept, tmp_path / "w.safetensors")
    path.write_text(
        f'{HEAD}network {{ to_tokens; pretrained("w.safetensors") {{ {body} }}; global_avg_pool; linear(outputs) }}'
    )
    found = nasdsl.load(path)
    loaded = build(plan(found, found.default()), seed=4).state_dict()
    assert torch.equal(loaded["pretrained_repeat_1_attention.query.weight"], kept[queries])
