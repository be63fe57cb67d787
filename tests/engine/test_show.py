"""The table that people read. The text of the whole is in the test: it is short, and read like a golden file."""

from __future__ import annotations

from compiler.plan import Plan, plan_of
from nasdsl.engine.show import plan_text
from nasdsl.language.network import Decided, Layer, Spec
from nasdsl.language.point import Point
from nasdsl.language.shapes import Shape, vector

PLAIN = Spec("plain")


def small_plan() -> Plan:
    """linear, with a projection beside it."""
    layers = (
        Layer("input", "input", "input", {}, (), vector(6)),
        Layer(
            "body",
            "network/body",
            "linear",
            {"width": 4, "bias": True, "weight": PLAIN},
            ("input",),
            vector(4),
        ),
        Layer(
            "shortcut",
            "network/shortcut",
            "project",
            {"width": 4, "size": None, "bias": False, "weight": PLAIN},
            ("input",),
            vector(4),
            inserted=True,
        ),
        Layer("sum", "network/sum", "add", {}, ("body", "shortcut"), Shape((4,), "vector")),
    )
    return plan_of(Decided(Point({}), layers, {"output": "sum"}, {}, {}))


def test_table_of_a_small_network() -> None:
    plan = small_plan()
    expected = f"""\
layer     operation     from            output  params  MACs
input     input                              6
body      linear(4)                          4      28    24
shortcut  + project(4)  input                4      24    24
sum       add           body, shortcut       4
total                                               52    48
+ inserted to make shapes meet
1 weighted layer on the longest path; structure {plan.hash[:12]}
3.9k bytes of memory in training, at the batch size of the point
"""
    assert plan_text(plan) == expected


def test_a_narrow_table_keeps_its_numbers() -> None:
    lines = plan_text(small_plan(), width=44).splitlines()
    assert all(len(line) <= 44 for line in lines[:-3])
    assert any(line.startswith("total") and line.endswith("52    48") for line in lines)
