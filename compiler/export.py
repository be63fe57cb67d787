"""Networks that leave the house: a Python file with weights, a torch.export program, ONNX.

Each takes the plan and its module as `compiler.build.build` gives it, trained or not, on any device, and leaves
the module as it was. What is written computes as the module does in evaluation mode, with weight methods merged
into plain weights; what is `low_rank` stays two layers where it is two.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from compiler.errors import ExportError
from compiler.modules import EnforcedExperts
from compiler.plan import INPUT, Plan
from compiler.source import Facts, python_source
from compiler.weights.attach import merged

_SAMPLE_BATCH = 2  # tracers take a batch of one for a constant
_PLAIN = Facts()


def export_python(plan: Plan, module: nn.Module, path: Path, facts: Facts = _PLAIN) -> tuple[Path, Path]:
    """Writes one readable file that needs only torch, and its weights beside it, with suffix `.pt`.

    The weights are a state dict that `torch.load(…, weights_only=True)` reads. Returns both paths.
    """
    weights = path.with_suffix(".pt")
    state = {key: value.detach().cpu().clone() for key, value in merged(module).state_dict().items()}
    torch.save(state, weights)
    path.write_text(python_source(plan, facts, weights.name), encoding="utf-8")
    return path, weights


def export_torch(plan: Plan, module: nn.Module, path: Path) -> Path:
    """Writes a torch.export program with a free batch size; `torch.export.load(path).module()` runs it."""
    batch = torch.export.Dim("batch", min=1)
    with _quiet_exporter():
        program = torch.export.export(
            _evaluating(module), _samples(plan), dynamic_shapes=tuple({0: batch} for _ in plan.inputs)
        )
    torch.export.save(program, path)
    return path


def export_onnx(plan: Plan, module: nn.Module, path: Path) -> Path:
    """Writes an ONNX model with a free batch size, inputs and outputs named as in the plan.

    Raises ExportError where the packages that torch needs for it are not installed.
    """
    missing = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"export to ONNX needs {' and '.join(missing)}; install them with: pip install 'nasdsl[onnx]'"
        )
    batch = torch.export.Dim("batch", min=1)
    with _quiet_exporter():
        torch.onnx.export(
            _evaluating(module),
            _samples(plan),
            path,
            input_names=list(plan.inputs),
            output_names=list(plan.outputs),
            dynamic_shapes=tuple({0: batch} for _ in plan.inputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    return path


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """torch's exporters warn of their own use of torch (deprecated calls, weights that a recurrent
    layer lists twice), which tells the caller nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _evaluating(module: nn.Module) -> nn.Module:
    if any(isinstance(part, EnforcedExperts) for part in module.modules()):
        raise ExportError(
            "experts with enforced routes are told by the caller whose sample is whose, which this format has no place "
            "for; export to Python instead"
        )
    return merged(module).cpu()


def _samples(plan: Plan) -> tuple[torch.Tensor, ...]:
    """Zeros for every input, of a kind that the network takes."""
    return tuple(
        torch.zeros(_SAMPLE_BATCH, *node.shape, dtype=torch.long if node.layout == "index" else torch.float32)
        for node in plan.nodes
        if node.op == INPUT
    )
