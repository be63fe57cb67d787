"""What a row of the operation table says. No row knows torch; no row is grammar.

A `Signature` holds everything that checker, walk, plan, printer, docs and builders must agree on:
arguments with kinds, ranges and defaults, the shape rule, the parameter and MAC rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape

Arguments: TypeAlias = Mapping[str, Value]


class ShapeError(Exception):
    """An operation cannot take this input. The message says why and what would fit."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


# need(condition, message, help): a rule states what must hold. The condition is True, False, or
# None where it depends on the point (intervals). A False raises ShapeError; a None is noted.
Need: TypeAlias = Callable[[bool | None, str, str], None]

# Rules see integers when a point is planned and Intervals when a whole space is checked.
ShapeRule: TypeAlias = Callable[[Arguments, tuple[Shape, ...], Need], Shape]
CostRule: TypeAlias = Callable[[Arguments, tuple[Shape, ...], Shape], int]
FillRule: TypeAlias = Callable[[Arguments, tuple[Shape, ...]], Arguments]


@dataclass(frozen=True, slots=True)
class Kind:
    """What may stand for an argument.

    type: "int", "real", "bool", "name" (one of `options`), "call" (a call of one of `groups`),
    "string", "numbers" (int, or a tuple of ints). law: whether `step_law` may stand for the number.
    """

    type: str
    low: float | None = None  # inclusive, unless `open_low`
    high: float | None = None
    open_low: bool = False
    options: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    law: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. `required` arguments have no default; `default` None means "not given"."""

    name: str
    kind: Kind
    doc: str
    default: Value = None
    required: bool = False
    shapes: bool = False  # whether it can change an output shape or whether the call fits

    @property
    def usage(self) -> str:
        """As it stands in a call, with its default: `kernel = 3`."""
        if self.required or self.default is None:
            return self.name
        if isinstance(self.default, bool):
            return f"{self.name} = {'yes' if self.default else 'no'}"
        return f"{self.name} = {getattr(self.default, 'name', self.default)}"


@dataclass(frozen=True, eq=False)
class Signature:
    """One operation, activation, optimizer, schedule, setting, data set, weight …

    group: "layer", "activation", "wrapper" (takes a body), "weight", "optimizer", "schedule",
    "loss", "regularizer", "setting", "stop", "augment", "data", "constructor".
    The first `positional` arguments may be given by position.
    """

    name: str
    group: str
    doc: str
    arguments: tuple[Argument, ...] = ()
    positional: int = 1
    body: bool = False
    weighted: bool = False  # counts into `depth`
    sized: bool = False  # whether its module depends on the lengths of the axes, not on channels alone
    arity: tuple[int, int | None] = (1, 1)  # how many wires it reads, ends included
    shape: ShapeRule | None = None  # of a wrapper: from its own input and what its body gives
    fills: FillRule | None = None  # arguments that were left out and that its inputs settle
    inner: ShapeRule | None = None  # of a wrapper whose body is a network of its own: what that gets
    params: CostRule | None = None
    macs: CostRule | None = None
    copies: int = (
        1  # of the operation in this place, which `params` and `macs` count already; see sharing.scaled
    )
    uses: int = 1  # of it for one sample
    tunes: bool = False  # what it adds is trained within `frozen { }` too
    source: str = ""
    later: bool = False  # named by the language, refused by this version with a diagnostic
    by_name: Mapping[str, Argument] = field(init=False, repr=False, compare=False)
    shaping: tuple[str, ...] = field(init=False, repr=False, compare=False)  # arguments with `shapes`

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {a.name: a for a in self.arguments})
        object.__setattr__(self, "shaping", tuple(a.name for a in self.arguments if a.shapes))


def integer(low: int | None = None, high: int | None = None) -> Kind:
    return Kind("int", low, high)


def real(low: float | None = None, high: float | None = None, open_low: bool = False) -> Kind:
    return Kind("real", low, high, open_low)


def name_of(*options: str) -> Kind:
    return Kind("name", options=options)


def call_of(*groups: str) -> Kind:
    return Kind("call", groups=groups)


BOOL = Kind("bool")
STRING = Kind("string")
