"""The lower bound of planned memory, as a walk to one point counts it."""

from __future__ import annotations

from nasdsl.language.footprint import footprint
from nasdsl.language.point import Point
from nasdsl.language.space import Space


def least(space: Space, point: Point) -> int:
    """What the layers of a point add up to, as a walk counts them."""
    cost, machine, spent = footprint(space._program.statement), space._new_machine(), 0

    def note(row, arguments, source, target):  # type: ignore[no-untyped-def]
        nonlocal spent
        spent += cost(row, dict(arguments), source, target)

    machine.on_layer = note
    configuration = machine.start()
    while True:
        _, ask = machine.run(configuration)
        if ask is None:
            return spent
        configuration = ask.resume(point[ask.decision(ask.domain).path])
