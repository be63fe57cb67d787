"""A trained network out of a run: its plan, its module with weights, and what a reader should know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from compiler.build import build
from compiler.export import export_onnx, export_python, export_torch
from compiler.plan import Plan, plan
from compiler.predicting import Bending, Scaling
from compiler.source import Facts
from nasdsl.engine.errors import RunError
from nasdsl.engine.overrides import overridden
from nasdsl.engine.records import Record
from nasdsl.engine.run import DATA_FOLDER, WEIGHTS_FOLDER, Run
from nasdsl.engine.tables import goal_value
from nasdsl.engine.wording import number
from nasdsl.training import Dataset
from nasdsl.training.preparing import knots_of
from nasdsl.training.settings import setting

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch.fx import GraphModule

    from nasdsl.training.dataset import Scale

FORMATS = ("python", "torch", "onnx")


def export(run: Run, record: Record, format: str, out: Path) -> tuple[Path, ...]:
    """Write a trial's network in one of `FORMATS`; returns the files. Raises RunError, ExportError."""
    planned, module = trained(run, record)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        match format:
            case "python":
                return export_python(planned, module, out, facts_of(run, record))
            case "torch":
                return (export_torch(planned, module, out),)
            case _:
                return (export_onnx(planned, module, out),)
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror}") from error
    except RuntimeError as error:  # how torch says that a file cannot be written
        raise RunError(f"cannot write {out}: {str(error).splitlines()[0]}") from error


def trained(run: Run, record: Record) -> tuple[Plan, GraphModule]:
    """The network of a trial with the weights that it ended with. Raises RunError where they are not kept."""
    if not run.space.has_network:
        raise RunError(f"the space of {run.folder} has no network to export")
    weights = run.weights(record.trial)
    if weights is None:
        raise RunError(
            f"the weights of trial {record.trial} are not kept, only those of the best: {_kept(run)}"
        )
    planned = plan(run.space, record.point)
    module = build(planned, seed=record.seed, pretrained=False)
    try:
        module.load_state_dict(load_file(weights))
    except (SafetensorError, RuntimeError) as error:
        raise RunError(f"{weights} does not hold the weights of trial {record.trial}: {error}") from error
    return planned, module.eval()


def _kept(run: Run) -> str:
    names = sorted(path.stem for path in (run.folder / WEIGHTS_FOLDER).glob("trial-*.safetensors"))
    return ", ".join(str(int(name.removeprefix("trial-"))) for name in names) or "none are there"


def facts_of(run: Run, record: Record) -> Facts:
    """Title, class names, and how inputs and targets were standardized."""
    reached = f"{run.goals[0].measure} {number(goal_value(record, run.goals))}"
    title = (
        f"A network found by nasdsl in {run.meta['space_name']}: trial {record.trial}, validation {reached}."
    )
    folder = run.folder / DATA_FOLDER
    if not folder.is_dir():
        return Facts(title)
    dataset = Dataset.open(folder)
    fold = dataset.folds[0]
    inputs, outputs = _scalings(fold.inputs), _scalings(fold.targets)
    settings = overridden(run.space.decided(record.point).settings, run.meta.get("settings") or {})
    knots = _bendings(dataset) if setting(settings, "prepare") == "quantile" else {}
    scaled = {name: s for name, s in inputs.items() if name not in knots}
    return Facts(title, dataset.classes, scaled, outputs, True, dataset.columns, knots)


def _bendings(dataset: Dataset) -> dict[str, Bending]:
    return {
        name: Bending(_rows(found.places), _rows(found.values))
        for name, found in knots_of(dataset, 0).items()
    }


def _rows(array: NDArray[Any]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in array)


def _scalings(scales: Mapping[str, Scale]) -> dict[str, Scaling]:
    return {name: Scaling(_flat(s.mean), _flat(s.deviation), s.mean.shape) for name, s in scales.items()}


def _flat(array: NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(x) for x in array.ravel())
