"""Limits on ranges too long to be tried value by value, where what lies between the ends differs from them."""

from __future__ import annotations

import pytest

from nasdsl.language import space as space_module
from nasdsl.language.decisions import Answer, Decision
from nasdsl.language.point import Point
from nasdsl.language.reading import parse
from nasdsl.language.valid import Bounds

# A body, and the limit on a quantity that is put to it.
BODIES = (
    ("conv2d(1..100)", "params <="),
    ("let n = 0..100\nconv2d(1 + (n - 50)^2)", "params <="),
    ("let n = 0..100\nconv2d(2600 - (n - 50)^2)", "params >="),
    ("let n = 0..100\nbent(n)", "params <="),
    ("let n = 1..100\nconv2d(n)\nconv2d(101 - n)", "params <="),
    ("let n = 1..100\nif n < 50 { conv2d(100) } else { conv2d(n) }", "macs <="),
    ("let n = 1..100\nconv2d(n // (1 + n // 40))", "params <="),
    ("conv2d(8, kernel = 1)\nconv2d(8, weight = low_rank(4..100))", "params >="),
    ("conv2d(96, kernel = 1)\nconv2d(96, groups = 5..95)", "params <="),
)


@pytest.mark.parametrize("share", (0.01, 0.3))
@pytest.mark.parametrize(("body", "bound"), BODIES)
def test_what_lies_between_the_ends_is_kept(
    body: str, bound: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_module, "_LISTED", 0)
    blocks = "block bent(m) { conv2d(1 + (m - 50) * (m - 50)) }\n"
    text = f"task classification on digits\n{blocks}network {{\n{body}\nflatten\nlinear(outputs)\n}}\n"
    plain, quantity = parse(text), bound.split(maxsplit=1)[0]
    costs = {point: plain.quantities(point)[quantity] for point in plain.enumerate()}
    ordered = sorted(costs.values(), reverse=">=" in bound)
    limit = ordered[int(share * len(ordered))]
    valid = [p for p, cost in costs.items() if (cost >= limit if ">=" in bound else cost <= limit)]
    space = parse(f"{text}require {bound} {limit}\n")
    assert space.count_valid() == Bounds(len(valid), len(valid))
    for point in valid:

        def choose(decision: Decision, wanted: Point = point) -> Answer:
            return wanted[decision.path]

        assert space.decide(choose) == point
    assert {space.sample(n) for n in range(10)} <= set(valid)
