"""`conv2d_transpose` and its kin: maps made larger by learned windows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_builders import case_of, module_of
from test_merged_exports import equal_in
from torch import nn

import nasdsl
from compiler.build import build
from compiler.plan import Plan, plan
from nasdsl.language.shapes import shape_of

HEAD = "task classification on shape(3, 5, 4, classes = 3)\n"


def space(layer: str, init: str = "default") -> nasdsl.Space:
    body = f"network {{ conv2d(8); {layer}; global_avg_pool; linear(outputs) }}"
    return nasdsl.parse(f"{HEAD}{body}\ntrain {{ init = {init} }}")


def planned(layer: str, init: str = "default") -> Plan:
    found = space(layer, init)
    return plan(found, found.default())


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (3, 1), (5, 3)])
def test_it_is_the_transpose_of_the_convolution_with_its_weights(kernel: int, stride: int) -> None:
    small, given = (
        shape_of((3, 4, 5)),
        {"kernel": kernel, "stride": stride, "padding": "valid", "bias": False},
    )
    up = module_of(case_of("conv2d_transpose", small, filters=2, **given))
    x = torch.randn(1, 3, 4, 5)
    large = torch.randn_like(up(x))
    down = nn.functional.conv2d(large, up.weight, stride=stride)
    torch.testing.assert_close((down * x).sum(), (large * up(x)).sum(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_same_is_the_middle_of_all_that_the_windows_reach(kernel: int, stride: int) -> None:
    source, given = shape_of((2, 6)), {"filters": 3, "kernel": kernel, "stride": stride, "bias": False}
    same = module_of(case_of("conv1d_transpose", source, **given))
    valid = module_of(case_of("conv1d_transpose", source, padding="valid", **given))
    valid.load_state_dict({"weight": next(same.parameters())})
    x, length = torch.randn(1, 2, 6), 6 * stride
    reached = nn.functional.pad(valid(x), (0, max(0, stride - kernel)))
    surplus = reached.shape[-1] - length
    before = surplus // 2 if stride == 1 else -(-surplus // 2)
    torch.testing.assert_close(same(x), reached[..., before : before + length])


def test_sizes_over_a_whole_space_are_those_of_its_points() -> None:
    found = space("conv2d_transpose(4 | 6, kernel = 1..4, stride = 1..3, padding = same | valid)")
    points = list(found.enumerate())
    assert len(points) == found.count() == 48
    for point in points:
        one = plan(found, point)
        (node,) = (node for node in one.nodes if node.op == "conv2d_transpose")
        assert build(one, 0)(torch.randn(2, 3, 5, 4)).shape == (2, 3)
        if node.arguments["padding"] == "same":
            assert node.shape[1:] == (5 * node.arguments["stride"], 4 * node.arguments["stride"])


@pytest.mark.parametrize("form", ["python", "torch", "onnx"])
@pytest.mark.parametrize("given", ["kernel = 3", "kernel = 2, stride = 1", "weight = low_rank(2)"])
def test_it_is_equal_in_every_format(given: str, form: str, tmp_path: Path) -> None:
    equal_in(form, planned(f"conv2d_transpose(6, {given})"), tmp_path)


@pytest.mark.parametrize(
    "weight", ["lora(2)", "svfit(2)", "lora_xs(2)", "lora_sb(2)", "mask_tuned", "intrinsic(9)", "low_rank(2)"]
)
def test_updates_and_factors_fit_and_are_counted(weight: str) -> None:
    found = planned(f"conv2d_transpose(6, weight = {weight})")
    module = build(found, 0)
    assert sum(p.numel() for p in module.parameters()) == found.params
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == found.trainable_params


@pytest.mark.parametrize(
    "weight", ["weight_norm", "spectral_norm", "orthogonal", "weight_standardized", "nm_sparse(2, 4)"]
)
def test_what_speaks_of_outputs_is_refused_or_pruned(weight: str) -> None:
    with pytest.raises(nasdsl.NasdslError, match="speaks of the weights that each output reads"):
        space(f"conv2d_transpose(8, weight = {weight})")
    found = space(f"conv2d_transpose(8, weight = lora(2) | {weight})")
    assert found.count() == len(list(found.enumerate())) == 1


def test_factors_are_the_nearest_of_their_rank() -> None:
    whole, thin = (planned(f"conv2d_transpose(6, weight = {weight})") for weight in ("plain", "low_rank(8)"))
    x = torch.randn(2, 3, 5, 4)
    torch.testing.assert_close(build(thin, 3)(x), build(whole, 3)(x), atol=1e-5, rtol=0)  # the full rank


@pytest.mark.parametrize("init", ["critical", "kaiming", "orthogonal"])
@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (4, 2), (3, 1), (6, 3)])
def test_initial_weights_keep_the_size_of_signals(kernel: int, stride: int, init: str) -> None:
    found = planned(f"conv2d_transpose(16, kernel = {kernel}, stride = {stride}, padding = valid)", init)
    layer = build(found, 0).get_submodule("conv2d_transpose")
    x = torch.randn(4, 8, 30, 30, generator=torch.Generator().manual_seed(0))
    inside = slice(kernel, -kernel)
    assert 0.7 < layer(x)[:, :, inside, inside].var() < 1.4


def test_on_another_layout_the_right_one_is_named() -> None:
    with pytest.raises(nasdsl.NasdslError, match="conv2d_transpose"):
        space("conv1d_transpose(4)")
