"""Rows of symbols, `shape(128, symbols = 1000)`: what a network may read in place of numbers."""

from __future__ import annotations

import pytest

import nasdsl
from nasdsl.language.errors import SpaceError

LAYERS = {
    "classification": "token_embedding(4); flatten; linear(outputs)",
    "multilabel": "token_embedding(4); flatten; linear(outputs)",
    "regression": "token_embedding(4); flatten; linear(outputs)",
    "segmentation": "token_embedding(4); linear(outputs)",
    "next_token": "token_embedding(4); linear(outputs)",
}


def space(kind: str, data: str, network: str) -> nasdsl.Space:
    return nasdsl.parse(f"task {kind} on {data}\nnetwork {{ {network} }}", "symbols.space")


@pytest.mark.parametrize("kind", LAYERS)
def test_every_kind_of_task_takes_symbols(kind: str) -> None:
    classes = "" if kind == "regression" else ", classes = 3"
    read = space(kind, f"shape(6, symbols = 50{classes})", LAYERS[kind])
    planned = nasdsl.plan(read, read.sample(0))
    outputs, width = (1 if kind == "regression" else 3), 4
    each = kind in ("segmentation", "next_token")
    assert planned.nodes[-1].shape == ((6, outputs) if each else (outputs,))
    assert planned.params == 50 * width + ((width if each else 6 * width) + 1) * outputs


def test_what_is_to_come_is_one_of_the_symbols() -> None:
    for data in ("shape(6, symbols = 50)", "shape(6, classes = 50)"):
        read = space("next_token", data, LAYERS["next_token"])
        assert read.task is not None and read.task.outputs == 50
        assert read.task.inputs["input"].symbols == 50


def test_inputs_have_symbols_of_their_own() -> None:
    read = nasdsl.parse(
        "task classification on shapes(a = shape(5, symbols = 30), b = shape(5, symbols = 2), c = shape(4), classes = 2)\n"
        "network(a, b, c) { dag { x = { token_embedding(8); take_token } from a; y = { token_embedding(8); take_token } from b\n"
        "z = linear(8) from c; output = linear(outputs) from x, y, z } }"
    )
    assert nasdsl.plan(read, read.sample(0)).params == 30 * 8 + 2 * 8 + (4 * 8 + 8) + (8 * 2 + 2)


def test_a_table_may_be_larger_but_not_smaller_than_needed() -> None:
    read = space(
        "regression", "shape(6, symbols = 50)", "token_embedding(4, symbols = 64); flatten; linear(outputs)"
    )
    assert nasdsl.plan(read, read.sample(0)).params == 64 * 4 + 25
    with pytest.raises(SpaceError, match="10 places, and the data 50 symbols") as told:
        space(
            "regression",
            "shape(6, symbols = 50)",
            "token_embedding(4, symbols = 10); flatten; linear(outputs)",
        )
    assert "leave `symbols` out" in " ".join(told.value.diagnostics[0].help)


@pytest.mark.parametrize(
    ("data", "network", "said", "help"),
    [
        ("shape(3, 6, symbols = 9)", "linear(outputs)", "symbols stand in one row", "shape(128, symbols"),
        ("shape(6, symbols = 9)", "linear(outputs)", "gets an index", "put `token_embedding` before it"),
        ("shape(6)", "token_embedding(4)", "takes an index", "shape(128, symbols = 1000)"),
    ],
)
def test_what_does_not_fit_is_told(data: str, network: str, said: str, help: str) -> None:
    with pytest.raises(SpaceError) as told:
        space("regression", data, network)
    assert said in told.value.diagnostics[0].message and help in " ".join(told.value.diagnostics[0].help)


def test_a_class_for_each_symbol_needs_all_of_them_at_the_end() -> None:
    with pytest.raises(SpaceError, match=r"asks for tokens \(6, 3\)") as told:
        space("segmentation", "shape(6, symbols = 9, classes = 3)", LAYERS["classification"])
    assert "keep the tokens to the end" in " ".join(told.value.diagnostics[0].help)


def test_a_row_without_a_length_among_several_inputs_is_told() -> None:
    """Sizes of data are no decision, so a choice of two gives none."""
    data = "shapes(words = shape(32 | 2, symbols = 50), shop = shape(1, symbols = 5), classes = 3)"
    text = f"task classification on {data}\nnetwork(words, shop) {{ dag {{\n"
    text += "a = { token_embedding(4); global_avg_pool } from words\nb = { token_embedding(4); flatten } from shop\n"
    with pytest.raises(SpaceError, match="symbols stand in one row"):
        nasdsl.parse(text + "output = linear(outputs) from a, b\n} }\n")
