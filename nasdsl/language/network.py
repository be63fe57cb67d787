"""The outcome of one walk: a decided network and its training settings, as plain data, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from nasdsl.language.point import Point
from nasdsl.language.shapes import Dim, Shape

_NOTHING: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Spec:
    """A decided call that is a value: `adamw(lr = 0.001)`, `relu`, `low_rank(rank = 8)`.

    Every argument of the signature is present, defaults filled in.
    """

    name: str
    arguments: Mapping[str, Value] = field(default_factory=lambda: _NOTHING)

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.arguments.items())))

    def __getitem__(self, argument: str) -> Value:
        return self.arguments[argument]


# During checking an integer may be an Interval (a Dim).
Value: TypeAlias = bool | int | float | str | Spec | Dim | tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation of a decided network.

    `name` is unique and a Python identifier made of the path; `inputs` are names of layers.
    The layers of network inputs have op "input". `inserted` marks visible adaptation. `shares` names
    the layer whose weights it uses, if those are not its own. `body` is the network that an operation
    like `widen` has copies of.
    """

    name: str
    path: str
    op: str
    arguments: Mapping[str, Value]
    inputs: tuple[str, ...]
    shape: Shape
    inserted: bool = False
    shares: str = ""
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A network within an operation: its layers, the first of which is its input, and the one it gives."""

    layers: tuple[Layer, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A point, and everything it decides.

    `layers` are in topological order; `outputs` maps an output's name ("output" unless the file
    names several) to the layer that gives it. `settings` are those of `train { }`: name -> value
    (`optimizer` -> Spec, `batch_size` -> int, `mixup` -> Spec where present, …).
    `lets` are the opened top-level `let`s, for spaces without a network.
    """

    point: Point
    layers: tuple[Layer, ...]
    outputs: Mapping[str, str]
    settings: Mapping[str, Value]
    lets: Mapping[str, Value]
    edges: int = 0  # wires that the nodes of its graphs read; copies that decide once have those of one
    folder: str = ""  # of the space, where the files that it names are


@dataclass(frozen=True, slots=True)
class Task:
    """What is learned from which data. `data` None: no data (`on shape(…)` has a Spec too).

    `outputs` is what `linear(outputs)` gets: classes, target columns or symbols; an Interval
    until a user's file has been read.
    """

    kind: str
    data: Spec | None
    inputs: Mapping[str, Shape]
    outputs: Dim


@dataclass(frozen=True, slots=True)
class Goal:
    """One objective: `maximize accuracy`. target: of `time_to_target`, a measure and the value it must reach."""

    measure: str
    maximize: bool
    target: tuple[str, float] | None = None
