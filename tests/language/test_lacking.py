"""Warnings of arguments that mean nothing without something that stands elsewhere."""

from __future__ import annotations

import pytest

from nasdsl.language.reading import parse

ON = 'csv("t.csv", target = "y")'


def warned(network: str, on: str = "digits", top: str = "") -> list[tuple[str, int, str]]:
    """Code, line and help of each warning but that of the file that is not there."""
    space = parse(f"task classification on {on}\n{top}\nnetwork {{\n{network}\nlinear(outputs)\n}}\n")
    return [
        (one.code, one.span.line, one.help[0])
        for one in space.warnings
        if one.code in ("missing-route", "unused-argument")
    ]


@pytest.mark.parametrize("route", ["enforced", "token | enforced"])
def test_routes_that_no_column_gives(route: str) -> None:
    body = f"widen(experts = 2, route = {route}) {{ mlp(8) }}"
    ((code, line, help),) = warned(body, ON)
    assert (code, line) == ("missing-route", 4) and 'csv("t.csv", …, route = "domain")' in help
    assert [code for code, *_ in warned(f"flatten; {body}", 'npz("t.npz")')] == ["missing-route"]


@pytest.mark.parametrize(
    "on",
    ['csv("t.csv", target = "y", route = "shop")', 'npz("t.npz", route = "shop")', "shape(4, classes = 2)"],
)
def test_routes_that_are_given_or_may_be(on: str) -> None:
    assert not warned("flatten; widen(experts = 2, route = enforced) { mlp(8) }", on)


def test_experts_that_learn_their_router_need_no_column() -> None:
    assert not warned("widen(experts = 2) { mlp(8) }; gate { linear(4) }", ON)


TOKENS = "patch_embed(8, patch = 4)\n{0}\nglobal_avg_pool"


@pytest.mark.parametrize("on", ["qv", "q | qkvo"])
@pytest.mark.parametrize("weight", ["", "weight = plain, "])
def test_matrices_chosen_for_a_plain_weight(weight: str, on: str) -> None:
    ((code, line, _),) = warned(TOKENS.format(f"attention(2, {weight}weight_on = {on})"))
    assert (code, line) == ("unused-argument", 5)


@pytest.mark.parametrize(
    "layer",
    [
        "attention(2)",
        "attention(2, weight_on = qkvo)",
        "attention(2, weight = lora(2), weight_on = qv)",
        "attention(2, weight = plain | lora(2), weight_on = qv)",
        "with(weight = lora(2 | 4)) { attention(2, weight_on = q | qv) }",
    ],
)
def test_matrices_chosen_for_a_weight_that_changes_them(layer: str) -> None:
    assert not warned(TOKENS.format(layer))


def test_a_block_is_warned_of_where_its_weight_is_plain_in_every_use() -> None:
    block = "block see { attention(2, weight_on = qv) }"
    assert len(warned(TOKENS.format("see; see"), top=block)) == 1
    assert not warned(TOKENS.format("see; with(weight = lora(2)) { see }"), top=block)
    given = "block see(how) { attention(2, weight = how, weight_on = qv) }"
    assert not warned(TOKENS.format("see(lora(2)); see(plain)"), top=given)
