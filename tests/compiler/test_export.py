"""Every format computes what the run-time graph computes."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from plan_examples import NETWORKS, Net, two_by_two
from torch import Tensor, fx

from compiler.build import build
from compiler.errors import ExportError
from compiler.export import export_onnx, export_python, export_torch
from compiler.plan import Plan, plan_of
from compiler.predicting import Scaling
from compiler.source import Facts, python_source
from tests.bare_process import run_without_nasdsl

BATCH = 5


def used_module(plan: Plan) -> fx.GraphModule:
    """A module whose normalisation statistics are no longer the initial ones."""
    module = build(plan, 0)
    with torch.no_grad():
        module(*samples(plan, seed=1))
    return module


def samples(plan: Plan, seed: int = 7) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(BATCH, *shape, generator=generator) for shape in plan.inputs.values()]


def results(module: torch.nn.Module, plan: Plan) -> dict[str, Tensor]:
    with torch.no_grad():
        result = module(*samples(plan))
    return result if isinstance(result, dict) else {"output": result}


APPLY = """
spec = importlib.util.spec_from_file_location("network", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with torch.no_grad():
    torch.save(module.load()(*torch.load(sys.argv[2])), sys.argv[3])
"""


@pytest.mark.parametrize("name", NETWORKS)
def test_python_file_equals_the_module_where_nasdsl_is_not_installed(name: str, tmp_path: Path) -> None:
    plan = plan_of(NETWORKS[name]())
    module = used_module(plan)
    source, _ = export_python(plan, module, tmp_path / "network.py")
    torch.save(samples(plan), tmp_path / "in.pt")
    files = [source, tmp_path / "in.pt", tmp_path / "out.pt"]
    run_without_nasdsl(APPLY, files, tmp_path)
    result = torch.load(tmp_path / "out.pt")
    found = result if isinstance(result, dict) else {"output": result}
    for key, expected in results(module.eval(), plan).items():
        torch.testing.assert_close(found[key], expected, atol=1e-6, rtol=0)


def test_weights_are_plain_and_named_as_in_the_module(tmp_path: Path) -> None:
    plan = plan_of(NETWORKS["residual_image"]())
    module = used_module(plan)
    assert module.training
    _, weights = export_python(plan, module, tmp_path / "network.py")
    state = torch.load(weights, weights_only=True)
    assert state.keys() == module.state_dict().keys()
    assert module.training


def test_python_source_imports_only_torch_and_says_what_it_takes() -> None:
    facts = Facts(
        title='Digits, "read" by a small network.',
        classes=("zero", "one"),
        inputs={"input": Scaling((0.5,), (2.0,), (1, 1))},
        has_data=True,
    )
    text = python_source(plan_of(NETWORKS["sequence_gru"]()), facts, "network.pt")
    tree = ast.parse(text)
    imports = {n.name.split(".")[0] for i in ast.walk(tree) if isinstance(i, ast.Import) for n in i.names}
    froms = {i.module for i in ast.walk(tree) if isinstance(i, ast.ImportFrom)}
    assert imports | froms == {"torch", "pathlib"}
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert constants == {
        "INPUTS": {"input": (1, 40)},
        "CLASSES": ("zero", "one"),
        "INPUT_SCALES": {"input": ((0.5,), (2.0,), (1, 1))},
        "OUTPUT_SCALES": {},
    }
    document = ast.get_docstring(tree)
    assert document is not None
    assert 'Digits, "read"' in document
    assert "Input input: (batch, channels 1, length 40), float32" in document
    assert "`predict(samples)` takes raw samples" in document


def test_forward_keeps_a_value_that_is_read_later(tmp_path: Path) -> None:
    net = Net()
    x = net.input(4, name="x")
    y = net("linear", x, width=4, name="x_")
    z = net("relu", y)
    plan = plan_of(net.decided(net("add", net("linear", z, width=4, name="lambda"), y, x)))
    module = build(plan, 0)
    source, _ = export_python(plan, module, tmp_path / "network.py")
    space: dict[str, object] = {"__file__": str(source), "__name__": "network"}
    exec(compile(source.read_text(), source, "exec"), space)
    load = space["load"]
    assert callable(load)
    assert torch.equal(load()(*samples(plan)), module(*samples(plan)))


def test_python_file_runs_by_itself(tmp_path: Path) -> None:
    plan = plan_of(two_by_two())
    source, _ = export_python(plan, build(plan, 0), tmp_path / "network.py")
    done = subprocess.run(
        [sys.executable, "-I", str(source)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "cls" in done.stdout


@pytest.mark.parametrize("name", NETWORKS)
def test_torch_program_takes_any_batch(name: str, tmp_path: Path) -> None:
    plan = plan_of(NETWORKS[name]())
    module = used_module(plan)
    program = torch.export.load(export_torch(plan, module, tmp_path / "network.pt2"))
    found = results(program.module(), plan)
    for key, expected in results(module.eval(), plan).items():
        torch.testing.assert_close(found[key], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_model_equals_the_module(name: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    plan = plan_of(NETWORKS[name]())
    module = used_module(plan)
    path = export_onnx(plan, module, tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    assert names == list(plan.outputs)
    given = {name: x.numpy() for name, x in zip(plan.inputs, samples(plan), strict=True)}
    found = dict(zip(names, session.run(None, given), strict=True))
    for key, expected in results(module.eval(), plan).items():
        np.testing.assert_allclose(found[key], expected.numpy(), atol=1e-4, rtol=0)


def test_onnx_without_its_packages_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(two_by_two())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"pip install 'nasdsl\[onnx\]'"):
        export_onnx(plan, build(plan), tmp_path / "network.onnx")


def test_a_file_of_low_rank_layers_needs_nothing_but_torch() -> None:
    """Its helpers make the layers, so they must not name what the file does not import."""
    import nasdsl

    body = "conv2d(8, weight = low_rank(2)); relu; flatten; linear(16, weight = low_rank(3)); linear(outputs)"
    space = nasdsl.parse(f"task classification on digits\nnetwork {{ {body} }}")
    plan = nasdsl.plan(space, space.default())
    names: dict[str, object] = {"__name__": "network"}
    exec(python_source(plan, Facts(), "n.pt").replace("Path(__file__)", "Path('n')"), names)
    network = names["Network"]
    assert callable(network)
    made = network()
    made.load_state_dict(build(plan, 0).state_dict())
    (x,) = samples(plan)
    assert torch.equal(made(x), build(plan, 0)(x))
