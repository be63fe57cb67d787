"""From a point to the network it decides: a replay of the walk that writes down every layer."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from nasdsl.language.configuration import Wire
from nasdsl.language.machine import Machine, Recorder
from nasdsl.language.network import Body, Decided, Layer, Task, Value
from nasdsl.language.point import Point
from nasdsl.language.shapes import Shape
from nasdsl.language.walk import replay


class _Writer(Recorder):
    """Collects what a walk decides."""

    def __init__(self, task: Task | None) -> None:
        self.layers: list[Layer] = []
        self.settings: dict[str, Value] = {}
        self.lets: dict[str, Value] = {}
        self.outputs: dict[str, str] = {}
        self.n_edges = 0
        self._names: set[str] = set()
        self._scope = "network/"  # the place that the layers of this body stand in
        self._body = self._n_bodies = 0
        self._outer: list[tuple[list[Layer], set[str], str, int]] = []  # the bodies around
        # Place of a layer -> body and name of the one that has its weights.
        self._owners: dict[str, tuple[int, str]] = {}
        # The last connected adapter: body, name, second input, shape.
        self._adapter = (-1, "", "", Shape((), "vector"))
        self._inputs: dict[str, str] = {}  # the layers of the inputs, by their names
        for name, shape in (task.inputs if task else {}).items():
            own = self._unused(identifier(name))
            self._inputs[name] = own
            self.layers.append(Layer(own, name, "input", {}, (), shape))

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
        name = self._unused(identifier(place.removeprefix(self._scope)))
        sources = tuple(self._inputs.get(wire.name, wire.name) for wire in inputs)
        plain = MappingProxyType(dict(arguments))
        if op == "adapter" and plain["connected"]:
            sources = self._connected(name, sources, shape)
        owner = self._owners[place] = self._owners[shares] if shares else (self._body, name)
        # Where a whole body is shared, so are its layers, and nothing need be said of them.
        kept = owner[1] if owner[0] == self._body and owner[1] != name else ""
        self.layers.append(Layer(name, place, op, plain, sources, shape, inserted, kept))
        return Wire(shape, name)

    def _connected(self, name: str, sources: tuple[str, ...], shape: Shape) -> tuple[str, ...]:
        """The inputs of a connected adapter: its own, and what the one before gave and was given, so that their
        difference is what that one added. Those of another shape or in another body are not joined."""
        body, before, given, width = self._adapter
        shapes = {layer.name: layer.shape for layer in self.layers}
        self._adapter = (self._body, name, sources[1], shape)
        joined = body == self._body and shapes[sources[0]] == shape == width
        return (*sources, before, given) if joined else sources

    def open_body(self, scope: str, shape: Shape) -> Wire:
        self._outer.append((self.layers, self._names, self._scope, self._body))
        self._n_bodies += 1
        self._body = self._n_bodies
        self.layers, self._names, self._scope = [], set(), f"{scope}/"
        self.layers.append(Layer(self._unused("input"), scope, "input", {}, (), shape))
        return Wire(shape, "input")

    def close_body(
        self,
        place: str,
        op: str,
        arguments: Mapping[str, Value],
        wires: tuple[Wire, ...],
        shape: Shape,
        shares: str,
    ) -> Wire:
        source, given = wires
        body = Body(tuple(self.layers), given.name)
        self.layers, self._names, self._scope, self._body = self._outer.pop()
        wire = self.layer(place, op, arguments, (source,), shape, False, shares)
        self.layers[-1] = replace(self.layers[-1], body=body)
        return wire

    def edges(self, n: int) -> None:
        self.n_edges += n

    def output(self, name: str, wire: Wire) -> None:
        self.outputs[name] = self._inputs.get(wire.name, wire.name)

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
    return Decided(point, tuple(writer.layers), writer.outputs, writer.settings, writer.lets, writer.n_edges)
