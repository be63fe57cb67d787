"""From what a space or a user says about data to a Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from nasdsl.language.network import Spec, Task
from nasdsl.language.signatures.table import DATA
from nasdsl.training.assembling import assemble
from nasdsl.training.builtin import BUILT_IN, mnist_1d
from nasdsl.training.csvfile import read_csv
from nasdsl.training.dataset import INPUT, OUTPUT, Dataset
from nasdsl.training.errors import DataError
from nasdsl.training.imagefolder import read_images, read_masks
from nasdsl.training.npzfile import read_npz, read_tensors
from nasdsl.training.procedural import modular, spirals, with_wrong_labels
from nasdsl.training.samples import Samples, checked_inputs, checked_targets, refuse_as_output, same_rows
from nasdsl.training.settings import number
from nasdsl.training.splits import Splitting
from nasdsl.training.textfile import read_text

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True, eq=False)
class UserData:
    """Data in place of a space's own: a file, or arrays (X, y), where X may be several by name.

    target: column or array to predict; that of the space by default. valid: a file of the same form,
    or arrays, to validate on.
    """

    path: Path | None = None
    target: str | None = None
    valid_path: Path | None = None
    arrays: tuple[Any, Any] | None = None
    valid_arrays: tuple[Any, Any] | None = None

    @classmethod
    def from_arrays(cls, arrays: tuple[Any, Any], valid: tuple[Any, Any] | None = None) -> UserData:
        """X (rows, …) or {name: X}, and y (rows,), (rows, numbers) or {output: y}, as anything that NumPy takes."""
        for pair in (arrays, *([] if valid is None else [valid])):
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise DataError("arrays are given as a pair (X, y)")
        return cls(arrays=arrays, valid_arrays=valid)

    @classmethod
    def from_file(
        cls, path: Path | str, target: str | None = None, valid: Path | str | None = None
    ) -> UserData:
        """A `.csv`, `.tsv`, `.txt` or `.npz` file."""
        return cls(path=Path(path), target=target, valid_path=None if valid is None else Path(valid))


def open_data(task: Task | None, base: Path, override: UserData | Spec | Path | str | None = None) -> Dataset:
    """Read and split the data of a task, or those that a user puts in their place.

    base: the folder that paths in a space start from; a user's own paths start where the user is.
    Raises DataError for everything that cannot be read or does not fit the task.
    """
    if task is None:
        raise DataError("the space has no task", help="add a line like `task classification on digits`")
    if isinstance(override, Path | str):
        override = UserData.from_file(override)
    if isinstance(override, Spec):
        return _opened(task.kind, override, base)
    if override is not None:
        return _user_data(task, override)
    if task.data is None or task.data.name in ("shape", "shapes"):
        help = "give --data FILE --target NAME, or data=(X, y) from Python"
        raise DataError("the space names no data", help=help)
    return _opened(task.kind, task.data, base)


def _opened(kind: str, spec: Spec, base: Path) -> Dataset:
    data = complete(spec)
    made = _made(data)
    if made is not None:
        _expect(kind, made.kind, data.name)
        return with_wrong_labels(made, number(data.arguments.get("corrupt") or 0.0, "corrupt"))
    if data.name == "python":
        return _returned(kind, data)
    if data.name == "text":
        return _text(data, _inside(base, str(data["path"])))
    if data.name == "images":
        size, grey = data["size"] if isinstance(data["size"], int) else None, data["grey"] is True
        folder = _inside(base, str(data["path"]))
        if kind == "segmentation":
            samples = read_masks(folder, _inside(base, str(data["masks"])), size, grey)
        else:
            _expect(kind, "classification", data.name)
            samples = read_images(folder, size, grey)
        return assemble(kind, samples, _splitting(data))
    if data.name == "tensor":
        path = _inside(base, str(data["path"]))
        samples = read_tensors(kind, path, str(data["inputs"]), str(data["target"]))
        return assemble(kind, samples, _splitting(data))
    path = _inside(base, str(data["path"]))
    valid_path = _inside(base, str(data["valid_file"])) if data["valid_file"] else None
    return _file(kind, data, path, valid_path)


def _made(data: Spec) -> Dataset | None:
    """Data that come with a package or are generated; None for others."""
    match data.name:
        case "mnist1d":
            return mnist_1d(bool(data["shuffled"]))
        case "modular":
            return modular(int(number(data["p"], "p")), str(data["op"]))
        case "spirals":
            return spirals(int(number(data["rows"], "rows")), number(data["noise"], "noise"))
        case _:
            return BUILT_IN[data.name]() if data.name in BUILT_IN else None


def _returned(kind: str, data: Spec) -> Dataset:
    """What the author's function gives; the check has seen to it that the reader trusts the file."""
    place = str(data["function"])
    module, _, name = place.partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        help = 'say `python("package.module:function")`'
        raise DataError(f"no function `{place}`: {error}", help=help) from error
    returned = function()
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise DataError(f"`{place}` gave no pair (X, y)", help="return arrays of as many rows each")
    return assemble(kind, _samples(kind, returned, place), _splitting(data))


def _text(data: Spec, path: Path) -> Dataset:
    context, valid, test = data["context"], data["valid"], data["test"]
    assert isinstance(context, int) and isinstance(valid, float) and isinstance(test, float)
    return read_text(path, context, valid, test)


def _inside(base: Path, path: str) -> Path:
    """Whoever reads a space must not fear for other files. Raises DataError for paths that leave `base`."""
    if not (base / path).resolve().is_relative_to(base.resolve()):
        help = "put the file beside the space, or give it on the command line: --data FILE"
        raise DataError("files named in a space may not lie outside its folder", path, help)
    return base / path


def _expect(kind: str, right: str, name: str) -> None:
    if kind != right:
        raise DataError(f"`{name}` serves no {kind}", help=f"write `task {right} on {name}`")


def complete(spec: Spec) -> Spec:
    """With the defaults of the table for what is not given."""
    row = DATA[spec.name]
    return Spec(spec.name, {a.name: spec.arguments.get(a.name, a.default) for a in row.arguments})


def _file(kind: str, data: Spec, path: Path, valid_path: Path | None) -> Dataset:
    target, group, time, route = (str(data[name] or "") for name in ("target", "group", "time", "route"))
    valid: Samples | None = None
    if data.name == "csv":
        samples, valid = read_csv(kind, path, valid_path, target, group, time, route)
    else:
        inputs = str(data["inputs"])
        samples = read_npz(kind, path, inputs, target, group, time, route)
        if valid_path is not None:
            valid = read_npz(kind, valid_path, inputs, target, "", "", route)
    return assemble(kind, samples, _splitting(data), valid)


def _splitting(data: Spec) -> Splitting:
    valid, test, folds = data["valid"], data["test"], data["folds"]
    return Splitting(
        valid=float(valid) if isinstance(valid, int | float) else None,
        test=float(test) if isinstance(test, int | float) else 0.0,
        folds=folds if isinstance(folds, int) else None,
        group=str(data.arguments.get("group") or ""),
        time=str(data.arguments.get("time") or ""),
    )


def _user_data(task: Task, user: UserData) -> Dataset:
    if user.arrays is not None:
        valid = (
            None if user.valid_arrays is None else _samples(task.kind, user.valid_arrays, "validation data")
        )
        return assemble(task.kind, _samples(task.kind, user.arrays, "data"), Splitting(), valid)
    if user.path is None:
        raise DataError("neither a file nor arrays were given")
    if task.kind == "next_token":
        said = task.data.arguments if task.data is not None and task.data.name == "text" else {}
        return _text(complete(Spec("text", said)), user.path)
    data = _file_spec(task, user)
    return _file(task.kind, data, user.path, user.valid_path)


def _samples(kind: str, pair: tuple[Any, Any], name: str) -> Samples:
    given = pair[0] if isinstance(pair[0], Mapping) else {INPUT: pair[0]}
    if not given:
        raise DataError("there are no inputs", name, "give X, or {name: X, …}")
    inputs = {key: checked_inputs(name, x, "X" if key == INPUT else f"`{key}`") for key, x in given.items()}
    wanted = pair[1] if isinstance(pair[1], Mapping) else {OUTPUT: pair[1]}
    if not wanted:
        raise DataError("there are no targets", name, "give y, or {name: y, …}")
    for key in wanted:
        refuse_as_output(name, str(key))
    n_rows = same_rows(name, inputs)
    return Samples(name, inputs, {key: checked_targets(name, kind, y, n_rows) for key, y in wanted.items()})


def _file_spec(task: Task, user: UserData) -> Spec:
    """What the space says about files of this form holds for the user's file as well."""
    assert user.path is not None
    suffix = user.path.suffix.lower()
    if suffix not in (*_TEXT_SUFFIXES, ".npz"):
        help = f"give a {', '.join(_TEXT_SUFFIXES)} or .npz file"
        raise DataError(f"files of the form `{suffix}` are not read", str(user.path), help)
    form = "npz" if suffix == ".npz" else "csv"
    said = dict(task.data.arguments) if task.data is not None and task.data.name == form else {}
    said.pop("valid_file", None)
    if user.valid_path is not None:
        said = {name: value for name, value in said.items() if name not in ("valid", "folds")}
    if user.target is not None:
        said["target"] = user.target
    if form == "csv" and not said.get("target"):
        raise DataError("no target is named", str(user.path), "say which column to predict: --target NAME")
    return complete(Spec(form, said))
