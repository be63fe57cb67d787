"""What a network must end with, for each kind of task."""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.network import Task, Value
from nasdsl.language.shapes import Shape, vector

# Kinds of tasks whose answer is one per position of the (first) input; of all others it is one vector.
_TOKENS, _MAPS = "next_token", "segmentation"


def task_quantities(task: Task | None) -> dict[str, Value]:
    """`outputs`, and where the answer is one per position: its layout and the positions."""
    if task is None:
        return {"outputs": 0}
    first = next(iter(task.inputs.values()))
    if is_per_symbol(task):
        return {"outputs": task.outputs, "answer": "tokens", "positions": first.dims}  # type: ignore[dict-item]
    if task.kind == _MAPS:
        return {"outputs": task.outputs, "answer": first.layout, "positions": first.spatial}  # type: ignore[dict-item]
    return {"outputs": task.outputs}


def is_per_symbol(task: Task) -> bool:
    """Whether there is an answer for each symbol of the (first) input: the next one, or a class of its own."""
    return task.kind == _TOKENS or (task.kind == _MAPS and next(iter(task.inputs.values())).layout == "index")


def answer(quantities: Mapping[str, Value]) -> Shape:
    """The shape that a network must end with: (outputs,), (positions, outputs) or (outputs, *positions)."""
    outputs = quantities["outputs"]
    assert not isinstance(outputs, str | tuple) and outputs is not None
    if "answer" not in quantities:
        return vector(outputs)  # type: ignore[arg-type]
    layout, positions = str(quantities["answer"]), quantities["positions"]
    assert isinstance(positions, tuple)
    dims = (*positions, outputs) if layout == "tokens" else (outputs, *positions)
    return Shape(dims, layout)  # type: ignore[arg-type]
