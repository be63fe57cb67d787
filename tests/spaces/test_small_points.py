"""Small points of every shipped space, run for real: finite gradients, and exports that compute the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, fx

from compiler.build import build
from compiler.export import export_onnx, export_torch
from compiler.plan import INPUT, Plan, plan
from compiler.source import Facts, python_source
from compiler.weights.attach import merged
from nasdsl.language.reading import load

SPACES = sorted(Path("spaces").glob("*.space"))
POINTS, BATCH = 5, 3
LARGEST_MACS, LARGEST_PARAMS = 3e8, 6e6


def small_plans(path: Path) -> Iterator[Plan]:
    space = load(str(path))
    for point in (space.default(), *(space.sample(seed) for seed in range(60))):
        planned = plan(space, point)
        if planned.macs <= LARGEST_MACS and planned.params <= LARGEST_PARAMS:
            yield planned


def inputs_of(planned: Plan, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(node.layout, (BATCH, *node.shape)) for node in planned.nodes if node.op == INPUT]
    return [
        torch.randint(2, shape, generator=generator)
        if layout == "index"
        else torch.randn(shape, generator=generator)
        for layout, shape in shapes
    ]


def used(planned: Plan) -> tuple[fx.GraphModule, list[Tensor]]:
    """A network whose statistics are not those it began with, and its inputs."""
    module, inputs = build(planned, 0).train(), inputs_of(planned)
    with torch.no_grad():
        module(*inputs)
    return module.eval(), inputs


def standalone(planned: Plan) -> Any:
    names: dict[str, Any] = {"__file__": "network.py"}
    exec(compile(python_source(planned, Facts(), "network.pt"), "network.py", "exec"), names)
    return names["Network"]()


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_gradients_are_finite_and_the_exported_source_computes_the_same(path: Path) -> None:
    held = 0
    for planned in islice(small_plans(path), POINTS):
        module = build(planned, 0).train()
        output = module(*inputs_of(planned))
        if output.requires_grad:
            output.square().mean().backward()
        grads = [p.grad for p in module.parameters() if p.grad is not None]
        assert output.isfinite().all() and all(grad.isfinite().all() for grad in grads)
        module, inputs = used(planned)
        twin = standalone(planned)
        twin.load_state_dict(merged(module).state_dict())
        with torch.no_grad():
            torch.testing.assert_close(twin.eval()(*inputs), module(*inputs), atol=1e-6, rtol=0)
        held += 1
    assert held, "no point is small enough to be run"


@pytest.mark.slow
@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_onnx_and_torch_programs_compute_the_same(path: Path, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    for planned in islice(small_plans(path), POINTS):
        module, inputs = used(planned)
        with torch.no_grad():
            expected = module(*inputs)
        program = torch.export.load(export_torch(planned, module, tmp_path / "network.pt2"))
        torch.testing.assert_close(program.module()(*inputs), expected, atol=1e-5, rtol=1e-5)
        session = runtime.InferenceSession(str(export_onnx(planned, module, tmp_path / "network.onnx")))
        named = {name: x.numpy() for name, x in zip(planned.inputs, inputs, strict=True)}
        torch.testing.assert_close(torch.from_numpy(session.run(None, named)[0]), expected, atol=1e-4, rtol=0)
