"""The picture of a plan: well-formed, complete, and nothing on top of anything else."""

from __future__ import annotations

import random
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from plan_examples import NETWORKS, Net, residual_image

from compiler.draw import draw_svg
from compiler.layout import lay_out
from compiler.plan import plan_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", NETWORKS)
def test_every_node_has_a_box_and_every_edge_a_line(name: str) -> None:
    plan = plan_of(NETWORKS[name]())
    picture = ElementTree.fromstring(draw_svg(plan))
    boxes = [group.findtext(f"{SVG}title") for group in picture.iter(f"{SVG}g")]
    assert boxes == [node.path for node in plan.nodes]
    lines = [path for path in picture.iter(f"{SVG}path") if path.get("fill") == "none"]
    assert len(lines) == sum(len(set(node.inputs)) for node in plan.nodes)


def test_inserted_adaptations_are_dashed_and_text_is_escaped() -> None:
    picture = ElementTree.fromstring(draw_svg(plan_of(residual_image())))
    dashed = [
        group.findtext(f"{SVG}title")
        for group in picture.iter(f"{SVG}g")
        if any(box.get("stroke-dasharray") for box in group.iter(f"{SVG}rect"))
    ]
    assert dashed == ["network/shortcut"]
    net = Net()
    x = net.input(2, name="a<b")
    assert "a&lt;b" in draw_svg(plan_of(net.decided(net("relu", x))))


@pytest.mark.parametrize("seed", range(5))
def test_layout_keeps_items_of_a_row_apart_and_edges_downward(seed: int) -> None:
    rng = random.Random(seed)
    sources: dict[str, list[str]] = {"0": []}
    for i in range(1, 30):
        sources[str(i)] = rng.sample(sorted(sources), k=min(len(sources), rng.randint(1, 3)))
    widths = {name: float(rng.randint(40, 200)) for name in sources}
    layout = lay_out(sources, widths)
    row_of = {item: row for row, items in enumerate(layout.rows) for item in items}
    for items in layout.rows:
        for a, b in pairwise(items):
            room = sum(widths[item] / 2 for item in (a, b) if isinstance(item, str))
            assert layout.x[b] - layout.x[a] >= room + 1
    for way in layout.bends.values():
        assert [row_of[item] for item in way] == list(range(row_of[way[0]], row_of[way[-1]] + 1))
    for name, width in widths.items():
        assert width / 2 - 1e-6 <= layout.x[name] <= layout.width - width / 2 + 1e-6
