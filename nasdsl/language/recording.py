"""From a point to the network it decides: a replay of the walk that writes down every layer."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from types import MappingProxyType

from nasdsl.language.configuration import Wire
from nasdsl.language.machine import Machine, Recorder
from nasdsl.language.network import Decided, Layer, Task, Value
from nasdsl.language.point import Point
from nasdsl.language.shapes import Shape
from nasdsl.language.walk import replay


class _Writer(Recorder):
    """Collects what a walk decides."""

    def __init__(self, task: Task | None) -> None:
        self.layers: list[Layer] = []
        self.settings: dict[str, Value] = {}
        self.lets: dict[str, Value] = {}
        self.last = ""
        self._names: set[str] = set()
        self._owners: dict[str, str] = {}  # place of a layer -> the layer that has its weights
        for name, shape in (task.inputs if task else {}).items():
            self.last = self._unused(identifier(name))
            self.layers.append(Layer(self.last, name, "input", {}, (), shape))

    def layer(
        self,
        place: str,
        op: str,
        arguments: Mapping[str, Value],
        inputs: tuple[Wire, ...],
        shape: Shape,
        inserted: bool = False,
        shares: str = "",
    ) -> Wire:
        name = self._unused(identifier(place.removeprefix("network/")))
        first = self.layers[0].name
        sources = tuple(wire.name or first for wire in inputs)
        plain = MappingProxyType(dict(arguments))
        owner = self._owners[place] = self._owners[shares] if shares else name
        kept = "" if owner == name else owner
        self.layers.append(Layer(name, place, op, plain, sources, shape, inserted, kept))
        self.last = name
        return Wire(shape, name)

    def setting(self, name: str, value: Value) -> None:
        self.settings[name] = value

    def let(self, name: str, value: Value) -> None:
        self.lets[name] = value

    def _unused(self, name: str) -> str:
        number, found = 1, name
        while found in self._names:
            number += 1
            found = f"{name}_{number}"
        self._names.add(found)
        return found


def identifier(path: str) -> str:
    """A Python name for a path: `repeat[1]/conv/conv2d#2` is `repeat_1_conv_conv2d_2`."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", path).strip("_")
    return f"{name}_" if keyword.iskeyword(name) or not name or name[0].isdigit() else name


def decided(machine: Machine, point: Point, task: Task | None) -> Decided:
    """What a point decides. Raises AnswerError where it is no point, Dead where nothing fits."""
    writer = _Writer(task)
    plain = machine.recorder
    machine.recorder = writer
    try:
        replay(machine, point)
    finally:
        machine.recorder = plain
    outputs = {"output": writer.last} if writer.layers else {}
    return Decided(point, tuple(writer.layers), outputs, writer.settings, writer.lets)
