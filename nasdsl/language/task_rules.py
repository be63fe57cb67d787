"""What of `train { }` does not fit the task, or the shape of its inputs: said when the file is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nasdsl.language.network import Task
from nasdsl.language.scope import Checker
from nasdsl.language.signatures import table
from nasdsl.language.terms import outcomes
from nasdsl.language.tree import Assign, Constant, Make

# Kinds of tasks that a setting is for, where not for all.
FOR: Mapping[str, tuple[str, ...]] = {
    "elr": ("classification",),
    "ps_kd": ("classification",),
    "label_smoothing": ("classification", "next_token", "segmentation"),
    "mixup": ("classification", "regression", "multilabel"),
    "cutmix": ("classification", "regression", "multilabel"),
    "adamixup": ("classification",),
    "interpolation": ("classification", "next_token", "segmentation"),
    "cross_entropy": ("classification", "multilabel", "next_token", "segmentation"),
    "focal": ("classification", "next_token", "segmentation"),
    "mse": ("regression", "classification"),
    "mae": ("regression",),
    "huber": ("regression",),
}
# The same of what an argument of a call can be.
FOR_OPTIONS: Mapping[tuple[str, str, str], tuple[str, ...]] = {
    ("anchor", "kind", "ewc"): ("classification",),
    ("subset", "by", "el2n"): ("classification",),
    ("subset", "by", "grand"): ("classification",),
    ("cross_entropy", "weights", "balanced"): ("classification", "segmentation"),
    ("focal", "weights", "balanced"): ("classification", "segmentation"),
}
_PER_SAMPLE = ("elr", "ps_kd")  # keep something of each sample
_POSITIONS = ("cutmix", "flip", "crop", "erase")
_NUMBERS = ("noise", "jitter")


def names_of(setting: Assign) -> set[str]:
    """The setting itself, and the calls and names that it can be."""
    found = outcomes(setting.value)
    calls = {one.signature.name for one in found if isinstance(one, Make)}
    names = {one.value for one in found if isinstance(one, Constant) and isinstance(one.value, str)}
    return {setting.name, *calls, *names}


def options_of(call: Make, argument: str) -> set[object]:
    """All that an argument of a call can be."""
    found = outcomes(dict(call.arguments)[argument])
    return {one.value for one in found if isinstance(one, Constant)}


def _options_for(setting: Assign) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Calls with an option that is for some tasks only, as they are written, and those tasks."""
    made = [one for one in outcomes(setting.value) if isinstance(one, Make)]
    for (name, argument, option), kinds in FOR_OPTIONS.items():
        if any(one.signature.name == name and option in options_of(one, argument) for one in made):
            yield f"{name}({argument} = {option})", kinds


def _listed(kinds: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))


def fits_task(c: Checker, setting: Assign, task: Task) -> None:
    """Report what it, or a value that it can have, does not fit."""
    names = names_of(setting) if setting.name in ("loss", "until") else {setting.name}
    asked = [(name, FOR[name]) for name in sorted(names) if name in FOR]
    for name, kinds in (*asked, *_options_for(setting)):
        if task.kind in kinds:
            continue
        message = f"`{name}` is for {_listed(kinds)}, and this is a {task.kind} task"
        why = _instead(setting.name, task.kind)
        if name in _PER_SAMPLE and task.kind == "next_token":
            why = "it keeps an answer for each sample, and a text is a stream of symbols"
        c.problems.error("misfit", message, setting.span, why)
    _fits_inputs(c, setting, task)


def _instead(setting: str, kind: str) -> str:
    """What a task can have where a loss is none of its own."""
    if setting != "loss":
        return "leave it out"
    losses = [name for name in table.names(("loss",)) if kind in FOR.get(name, (kind,))]
    return f"leave `loss` out for the usual one, or take {' or '.join(f'`{name}`' for name in losses)}"


def _fits_inputs(c: Checker, setting: Assign, task: Task) -> None:
    layouts = {
        shape.layout for shape in task.inputs.values() if shape.concrete
    }  # a file's are yet to be seen
    if setting.name == "prepare" and "quantile" in names_of(setting) and not layouts <= {"vector"}:
        shown = ", ".join(str(shape) for shape in task.inputs.values())
        message = f"`prepare = quantile` ranks the columns of a table, and the inputs are {shown}"
        c.problems.error("misfit", message, setting.span, "maps are standardized channel by channel")
    if setting.name in _POSITIONS and not layouts <= {"sequence", "image", "volume"}:
        shown = ", ".join(str(shape) for shape in task.inputs.values())
        message = f"`{setting.name}` moves or cuts positions, and the inputs are {shown}"
        c.problems.error("misfit", message, setting.span, "it is for images and sequences")
    if setting.name in _NUMBERS and "index" in layouts:
        message = f"`{setting.name}` changes numbers, and the inputs are symbols"
        c.problems.error("misfit", message, setting.span, "leave it out")
