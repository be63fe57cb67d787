"""The spaces that compare methods: each has a plain control, and its program finds every alternative."""

import runpy
from pathlib import Path

import pytest

import nasdsl

SPACES = [*sorted(Path("examples/methods").glob("*.space")), Path("examples/tuning.space")]


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_space_of_methods_has_a_control_and_others(path: Path) -> None:
    points = runpy.run_path("examples/methods/compare.py")["points"]
    space = nasdsl.load(str(path))
    assert space.warnings == ()
    found = points(space)
    assert len(found) >= 2
    assert len(found) == len({str(point) for point in found.values()})
    control, *others = (space.decided(point) for point in found.values())
    for other in others:
        assert (other.layers, other.settings) != (control.layers, control.settings)
