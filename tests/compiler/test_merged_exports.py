"""Networks with weight methods, adapters, gates and experts leave the house in every format, trained and merged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from weight_cases import WEIGHTS, plan_with

from compiler.build import build
from compiler.export import export_onnx, export_python, export_torch
from compiler.hooks import Hooks, parameter_groups
from compiler.plan import Plan, plan
from nasdsl.language.reading import parse

Run = Callable[[Tensor], Tensor]
BATCH = 5

STRUCTURES = {
    "experts": "conv2d(4); widen(experts = 3, top_k = 2) { conv2d(4); batch_norm; relu }",
    "experts of tokens": "patch_embed(8, patch = 2); repeat 2 shared except layer_norm { residual { layer_norm; widen(2) { mlp(6) } } }",
    "experts with methods": "conv2d(4); widen(experts = 2) { conv2d(4, weight = weight_norm + nm_sparse(2, 4)) }",
    "gates": "conv2d(6); gate(0.6) { conv2d(6); relu }; gate(0.6) { conv2d(6); relu }",
    "gates of tokens": "patch_embed(8, patch = 2); residual { gate(0.6) { mlp(6) } }",
    "adapters": "frozen { adapter(rank = 2, f = relu) { conv2d(4) }; adapter(form = sequential, rank = 2, f = gelu) { conv2d(4) } }",
    "connected adapters": "frozen { conv2d(4); repeat 2 { adapter(rank = 2, f = relu, connected = yes) { conv2d(4) } } }",
    "tuned in frozen": "frozen { with(weight = lora(2) + nm_sparse(2, 4)) { conv2d(8); batch_norm; conv2d(4) } }",
}


def planned(body: str) -> Plan:
    space = parse(
        "task classification on shape(4, 6, 6, classes = 3)\n"
        f"network {{ {body}; global_avg_pool; linear(outputs) }}"
    )
    return plan(space, space.default())


def trained(found: Plan) -> nn.Module:
    """All of a short training with its hooks, so that schedules have run out."""
    module = build(found, seed=0).train()
    hooks, optimizer = Hooks(module), torch.optim.AdamW(parameter_groups(module, 0.01), 0.01)
    for step in range(4):
        hooks.set_progress(step, 4)
        optimizer.zero_grad()
        loss = module(samples(found, seed=step)).square().mean()
        own = hooks.auxiliary_loss()
        (loss if own is None else loss + own).backward()
        hooks.after_backward(lambda seed=step: module(samples(found, seed=seed)))
        optimizer.step()
        hooks.after_step()
    return module.eval()


def samples(found: Plan, seed: int = 7) -> Tensor:
    (shape,) = found.inputs.values()
    return torch.randn(BATCH, *shape, generator=torch.Generator().manual_seed(seed))


def by_python(found: Plan, module: nn.Module, folder: Path) -> Run:
    path, _ = export_python(found, module, folder / "n.py")
    space: dict[str, object] = {"__file__": str(path), "__name__": "n"}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), space)
    return space["load"]()


def by_torch(found: Plan, module: nn.Module, folder: Path) -> Run:
    return torch.export.load(export_torch(found, module, folder / "n.pt2")).module()


def by_onnx(found: Plan, module: nn.Module, folder: Path) -> Run:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = export_onnx(found, module, folder / "n.onnx")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (name,) = (value.name for value in session.get_inputs())
    return lambda x: torch.from_numpy(np.asarray(session.run(None, {name: x.numpy()})[0]))


FORMATS = {"python": (by_python, 1e-6), "torch": (by_torch, 1e-6), "onnx": (by_onnx, 1e-4)}


def equal_in(form: str, found: Plan, folder: Path) -> None:
    module, x = trained(found), samples(found)
    export, tolerance = FORMATS[form]
    with torch.no_grad():
        expected = module(x)
        run = export(found, module, folder)
        torch.testing.assert_close(run(x), expected, atol=tolerance, rtol=tolerance)
        torch.testing.assert_close(run(x[:3]), module(x[:3]), atol=tolerance, rtol=tolerance)


_QUICK_ONNX = ("experts of tokens", "gates", "connected adapters")
PAIRS = [
    pytest.param(title, form, marks=pytest.mark.slow if form == "onnx" and title not in _QUICK_ONNX else ())
    for title in STRUCTURES
    for form in FORMATS
]


@pytest.mark.parametrize(("title", "form"), PAIRS)
def test_structure_is_equal_in_every_format(title: str, form: str, tmp_path: Path) -> None:
    equal_in(form, planned(STRUCTURES[title]), tmp_path)


@pytest.mark.parametrize("title", WEIGHTS)
def test_methods_are_merged_for_a_torch_program(title: str, tmp_path: Path) -> None:
    equal_in("torch", plan_with("conv2d", WEIGHTS[title]), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["linear", "conv2d", "attention", "lstm"])
@pytest.mark.parametrize("title", WEIGHTS)
def test_methods_are_merged_for_onnx(title: str, layer: str, tmp_path: Path) -> None:
    equal_in("onnx", plan_with(layer, WEIGHTS[title]), tmp_path)


def test_one_method_is_merged_for_onnx(tmp_path: Path) -> None:
    equal_in("onnx", plan_with("conv2d", WEIGHTS["low_rank + weight_norm + nm_sparse"]), tmp_path)
