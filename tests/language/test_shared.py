"""Copies of a `repeat … shared` decide once and have their weights in common."""

from __future__ import annotations

import pytest

from nasdsl.language.errors import SpaceError
from nasdsl.language.network import Layer
from nasdsl.language.quantities import measure
from nasdsl.language.reading import parse
from nasdsl.language.space import Space


def space_with(body: str, head: str = "flatten\n    linear(8)") -> Space:
    return parse(
        f"task classification on digits\nnetwork {{\n    {head}\n    {body}\n    linear(outputs)\n}}\n"
    )


def layers(space: Space) -> dict[str, Layer]:
    return {layer.name: layer for layer in space.decided(space.default()).layers}


def test_a_later_copy_uses_the_weights_of_the_first() -> None:
    found = layers(space_with("repeat 3 shared { linear(8); relu }"))
    shares = {name: layer.shares for name, layer in found.items() if layer.op in ("linear", "relu")}
    assert shares == {
        "linear": "",
        "linear_2": "",
        "repeat_0_linear": "",
        "repeat_0_relu": "",
        "repeat_1_linear": "repeat_0_linear",
        "repeat_1_relu": "",
        "repeat_2_linear": "repeat_0_linear",
        "repeat_2_relu": "",
    }


def test_parameters_count_once_and_products_each_time() -> None:
    once, thrice = (space_with(f"repeat {n} shared {{ linear(8) }}") for n in (1, 3))
    first, third = (measure(space.decided(space.default())) for space in (once, thrice))
    assert third["params"] == first["params"]
    assert third["macs"] == first["macs"] + 2 * 8 * 8
    assert third["depth"] == first["depth"] + 2


def test_operations_after_except_keep_their_own() -> None:
    found = layers(space_with("repeat 2 shared except layer_norm { layer_norm; linear(8) }"))
    assert found["repeat_1_layer_norm"].shares == ""
    assert found["repeat_1_linear"].shares == "repeat_0_linear"


def test_a_shared_repeat_in_another_shares_over_all_copies_of_both() -> None:
    found = layers(space_with("repeat 2 shared { a: repeat 2 shared { linear(8) } }"))
    owners = {layer.shares or layer.name for layer in found.values() if layer.name.startswith("repeat")}
    assert owners == {"repeat_0_a_0_linear"}


def test_what_the_inner_repeat_keeps_apart_the_outer_one_still_shares() -> None:
    found = layers(space_with("repeat 2 shared { a: repeat 2 shared except linear { linear(8) } }"))
    assert found["repeat_0_a_1_linear"].shares == ""
    assert found["repeat_1_a_1_linear"].shares == "repeat_0_a_1_linear"


def test_copies_decide_once() -> None:
    space = space_with("repeat 1..4 shared { linear(8); act: relu | gelu; residual { linear(8) } }")
    assert space.count() == 4 * 2
    assert sorted(space.sample(1)) == ["network/repeat", "network/repeat/act"]


def test_points_whose_copies_clash_are_pruned() -> None:
    space = space_with("repeat 1..3 shared { linear(8 | 16) }")
    assert [dict(point) for point in space.enumerate()] == [
        {"network/repeat": 1, "network/repeat/width": 8},
        {"network/repeat": 1, "network/repeat/width": 16},
        {"network/repeat": 2, "network/repeat/width": 8},
        {"network/repeat": 3, "network/repeat/width": 8},
    ]


def test_only_channels_matter_to_a_convolution() -> None:
    space = space_with("repeat 2 shared { conv2d(4); max_pool(2) }\n    flatten", head="conv2d(4)")
    assert layers(space)["repeat_1_conv2d"].shares == "repeat_0_conv2d"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("repeat 2 shared { linear(16) }", "shape-mismatch"),
        ("repeat 2 shared { narrow(16) }", "no-network"),
        ("repeat i in 2 shared { linear(8, bias = i > 1) }", "no-network"),
        ("repeat 2 shared except convolution { linear(8) }", "unknown-op"),
    ],
)
def test_what_can_never_be_shared_is_an_error(body: str, code: str) -> None:
    text = f"task classification on digits\nblock narrow(n) {{ linear(n) }}\nnetwork {{ flatten; linear(8); {body}; linear(outputs) }}"
    with pytest.raises(SpaceError) as caught:
        parse(text)
    assert code in [problem.code for problem in caught.value.diagnostics]


def test_a_layer_that_only_later_copies_have_is_theirs() -> None:
    found = layers(
        space_with("repeat i in 3 shared { linear(8); if i > 1 { residual { linear(8, bias = no) } } }")
    )
    assert found["repeat_1_residual_add"].op == "add"
    assert found["repeat_1_linear_2"].shares == ""
    assert found["repeat_2_linear_2"].shares == "repeat_1_linear_2"
