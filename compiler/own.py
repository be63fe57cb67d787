"""`nasdsl.op(MyBlock, width = int)`: a user's own `nn.Module` as an operation of the language.

Its shape, parameters and products are found by running it on torch's meta device, unless a shape
rule is given. It trains, and goes to torch.export and ONNX; a Python file of it cannot be written.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from compiler.builders.recipe import Recipe
from compiler.builders.table import add_recipe
from compiler.errors import ExportError
from nasdsl.language.network import Value
from nasdsl.language.shapes import Dim, Shape, hull, shape_of
from nasdsl.language.signatures.signature import (
    BOOL,
    STRING,
    Argument,
    Arguments,
    Kind,
    Need,
    ShapeError,
    Signature,
    integer,
    name_of,
    real,
)
from nasdsl.language.signatures.table import add_row

Sizes: TypeAlias = tuple[int, ...]
ShapeFunction: TypeAlias = Callable[..., Sizes]
_KINDS: Mapping[object, Kind] = {int: integer(), float: real(), bool: BOOL, str: STRING}
_BATCH = 2  # a batch of one is what some modules refuse


@dataclass(frozen=True)
class Own:
    """One registration, as it travels to a worker."""

    module: Callable[..., nn.Module]
    name: str
    shape: ShapeFunction | None
    arguments: tuple[tuple[str, object], ...]


_OWN: dict[str, Own] = {}


def op(
    module: Callable[..., nn.Module],
    *,
    name: str | None = None,
    shape: ShapeFunction | None = None,
    **arguments: object,
) -> Callable[..., nn.Module]:
    """Make a module class an operation: `MyBlock` is called `my_block(width)` in spaces.

    arguments: those that a space may give: `int`, `float`, `bool`, `str`, or a tuple of names to choose from;
    defaults are those of the class. A parameter `in_channels` (or `in_features`) of the class is given the channels
    of the input, `in_shape` its shape without the batch axis. The module maps one tensor (batch, …) to one.
    shape(in_shape, **arguments): the shape of the output, without the batch axis; found by a run on the meta
    device if not given. Returns `module`, so that it serves as a decorator as well.

    Raises ValueError for a name that the language has, or an argument that the class does not take.
    """
    own = Own(module, name or _snake(module.__name__), shape, tuple(arguments.items()))
    register(own)
    return module


def register(own: Own) -> None:
    """Put an operation into the tables; one of the same name that is the user's own is replaced."""
    if not re.fullmatch(r"[A-Za-z_]\w*", own.name, re.ASCII):
        raise ValueError(f"`{own.name}` is no name for an operation")
    takes = inspect.signature(own.module).parameters
    rows = tuple(_argument(key, kind, takes) for key, kind in own.arguments)
    trace = _Trace(own, takes)
    doc = (inspect.getdoc(own.module) or "An operation of the user's own.").splitlines()[0]
    row = Signature(
        own.name,
        "layer",
        doc,
        rows,
        positional=1,
        weighted=True,
        sized=True,
        shape=trace.shape,
        params=lambda args, inputs, output: trace.of(args, inputs[0]).params,
        macs=lambda args, inputs, output: trace.of(args, inputs[0]).macs,
    )
    add_row(row, replaces=own.name in _OWN)
    add_recipe(own.name, lambda args, inputs, output: trace.recipe(args, inputs[0]))
    _OWN[own.name] = own


def registered() -> tuple[Own, ...]:
    """All operations of the user's own."""
    return tuple(_OWN.values())


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _argument(name: str, kind: object, takes: Mapping[str, inspect.Parameter]) -> Argument:
    if name not in takes and not any(p.kind is p.VAR_KEYWORD for p in takes.values()):
        raise ValueError(f"the module takes no argument `{name}`; it takes {', '.join(takes) or 'none'}")
    if isinstance(kind, tuple) and kind and all(isinstance(one, str) for one in kind):
        found = name_of(*kind)
    elif isinstance(kind, Kind):
        found = kind
    elif isinstance(kind, type) and kind in _KINDS:
        found = _KINDS[kind]
    else:
        raise ValueError(f"`{name}` is int, float, bool, str or a tuple of names, not {kind!r}")
    default: Any = takes[name].default if name in takes else inspect.Parameter.empty
    is_required = default is inspect.Parameter.empty
    return Argument(
        name, found, "as the module takes it", None if is_required else default, is_required, True
    )


@dataclass(frozen=True)
class _Found:
    """What one run on the meta device shows."""

    shape: Shape
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class OwnRecipe(Recipe):
    """The constructor call of a user's own module: it can be run, and not be printed."""

    constructor: Callable[..., nn.Module] = field(default=nn.Identity)

    def build(self) -> nn.Module:
        return self.constructor(**self.named)

    def source(self) -> str:
        raise ExportError(
            f"`{self.target}` is Python of your own, which a file that needs only torch cannot hold; "
            "export with `--to torch` or `--to onnx`"
        )

    def helpers(self) -> tuple[str, ...]:
        return ()


class _Trace:
    """The rules of one operation, by running it; each case once."""

    def __init__(self, own: Own, takes: Mapping[str, inspect.Parameter]) -> None:
        self._own = own
        self._takes = takes
        self._run = cache(self._traced)

    def recipe(self, args: Arguments, source: Shape) -> Recipe:
        return OwnRecipe(self._own.name, (), self._given(args, source), self._own.module)

    def of(self, args: Arguments, source: Shape) -> _Found:
        """Raises ShapeError where the module refuses this input."""
        return self._run(tuple(args.items()), source)

    def shape(self, args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
        """Of concrete sizes by a run; of ranges by runs at both ends, which prove nothing."""
        source = inputs[0]
        if source.concrete and all(not _is_open(value) for value in args.values()):
            return self.of(args, source).shape
        need(None, "", "")
        ends = [_end(args, source, low=low) for low in (True, False)]
        low, high = (self.of(*end).shape for end in ends)
        if low.layout != high.layout:
            raise ShapeError(f"`{self._own.name}` gives {low} for one input and {high} for another")
        dims: tuple[Dim, ...] = tuple(hull(a, b) for a, b in zip(low.dims, high.dims, strict=True))
        return Shape(dims, low.layout)

    def _given(self, args: Arguments, source: Shape) -> dict[str, Any]:
        given: dict[str, Any] = dict(args)
        for name, value in (
            ("in_channels", source.channels),
            ("in_features", source.channels),
            ("in_shape", source.sizes()),
        ):
            if name in self._takes and name not in given:
                given[name] = value
        return given

    def _traced(self, items: tuple[tuple[str, Value], ...], source: Shape) -> _Found:
        args = dict(items)
        try:
            with torch.device("meta"):
                module = self._own.module(**self._given(args, source)).eval()
                kind = torch.long if source.layout == "index" else torch.float32
                x = torch.zeros(_BATCH, *source.sizes(), dtype=kind)
                with torch.no_grad(), FlopCounterMode(display=False) as counter:
                    out = module(x)
        except Exception as error:
            message = f"`{self._own.name}` refuses {source}: {type(error).__name__}: {error}".splitlines()[0]
            raise ShapeError(message[:300]) from error
        if not isinstance(out, torch.Tensor) or not 2 <= out.ndim <= 5 or out.shape[0] != _BATCH:
            raise ShapeError(f"`{self._own.name}` gives no tensor with the batch as its first axis")
        sizes = tuple(out.shape[1:])
        if self._own.shape is not None and tuple(self._own.shape(source.sizes(), **args)) != sizes:
            raise ShapeError(f"`{self._own.name}` gives {sizes}, and its shape rule says otherwise")
        params = sum(p.numel() for p in module.parameters())
        is_alike = len(sizes) == len(source.dims) and source.layout != "index"
        shape = Shape(sizes, source.layout) if is_alike else shape_of(sizes)
        return _Found(shape, params, counter.get_total_flops() // (2 * _BATCH))


def _is_open(value: Value) -> bool:
    return hasattr(value, "low")


def _end(args: Arguments, source: Shape, low: bool) -> tuple[dict[str, Value], Shape]:
    """One end of every range; ranges without an upper end are taken at a size that is cheap to run."""

    def end(dim: Any) -> Any:
        if not _is_open(dim):
            return dim
        return dim.low if low else min(dim.high, max(dim.low, 64))

    return {name: end(value) for name, value in args.items()}, Shape(
        tuple(end(dim) for dim in source.dims), source.layout, source.symbols
    )
