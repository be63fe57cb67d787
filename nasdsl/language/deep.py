"""Wires that know how deep they lie: what a limit on `depth` needs while a point is being decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nasdsl.language.configuration import Wire
from nasdsl.language.machine import Recorder
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.depth import layer_depth
from nasdsl.language.signatures.table import LAYERS


@dataclass(frozen=True, slots=True, eq=False)
class DeepWire(Wire):
    """`depth` weighted layers lie on the longest way from the input to here."""

    depth: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeepWire) and self.depth == other.depth and Wire.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((self.shape, self.depth))


class Sounding(Recorder):
    """Gives every layer a wire that knows its depth."""

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
        before = max(depth_of(wire) for wire in inputs)
        return DeepWire(shape, depth=before + layer_depth(LAYERS[op], arguments))

    def open_body(self, scope: str, shape: Shape) -> Wire:
        """The body has a depth of its own."""
        return DeepWire(shape)

    def close_body(
        self,
        place: str,
        op: str,
        arguments: Mapping[str, Value],
        wires: tuple[Wire, ...],
        shape: Shape,
        shares: str,
    ) -> Wire:
        """The body's depth lies between input and output."""
        around, inner = (depth_of(wire) for wire in wires)
        return DeepWire(shape, depth=around + layer_depth(LAYERS[op], arguments) + inner)


def depth_of(wire: Wire) -> int:
    """The depth of a wire of a machine with a Sounding."""
    assert isinstance(wire, DeepWire)
    return wire.depth
