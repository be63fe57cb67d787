"""What a network must end with, for each kind of task."""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.network import Task, Value
from nasdsl.language.shapes import Shape, vector

# Kinds of tasks whose answer is one per position of the input; of all others it is one vector.
_PER_POSITION = {"next_token": "tokens"}


def task_quantities(task: Task | None) -> dict[str, Value]:
    """`outputs`, and where the answer is one per position: its layout and the positions."""
    if task is None:
        return {"outputs": 0}
    layout = _PER_POSITION.get(task.kind)
    if layout is None:
        return {"outputs": task.outputs}
    (length,) = next(iter(task.inputs.values())).dims
    return {"outputs": task.outputs, "answer": layout, "positions": length}


def answer(quantities: Mapping[str, Value]) -> Shape:
    """The shape that a network must end with."""
    outputs = quantities["outputs"]
    assert not isinstance(outputs, str | tuple) and outputs is not None
    if "answer" not in quantities:
        return vector(outputs)  # type: ignore[arg-type]
    return Shape((quantities["positions"], outputs), str(quantities["answer"]))  # type: ignore[arg-type]
