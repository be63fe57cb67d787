"""`parallel`, `dag` and `cell`: what they decide, and the networks they make."""

from __future__ import annotations

import pytest

from nasdsl.language.check import check
from nasdsl.language.errors import SpaceError
from nasdsl.language.parser import parse
from nasdsl.language.space import Space

HEAD = "space wired\ntask classification on shape(3, 8, 8, classes = 4)\n"


def space(network: str) -> Space:
    return Space(check(parse(f"{HEAD}network {{ {network}; global_avg_pool; linear(outputs) }}")))


def ops(found: Space, **answers: object) -> list[tuple[str, tuple[str, ...]]]:
    (point,) = (
        found.enumerate() if not answers else [p for p in found.enumerate() if answers.items() <= p.items()]
    )
    return [(layer.op, layer.inputs) for layer in found.decided(point).layers]


def codes(network: str) -> list[str]:
    with pytest.raises(SpaceError) as caught:
        space(network)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def test_parallel_joins_branches_on_one_input() -> None:
    layers = ops(space("parallel(merge = concat) { conv2d(8); { conv2d(4); relu } }"))
    assert layers == [
        ("input", ()),
        ("conv2d", ("input",)),
        ("conv2d", ("input",)),
        ("relu", ("conv2d_2",)),
        ("concat", ("conv2d", "relu")),
        ("global_avg_pool", ("concat",)),
        ("linear", ("global_avg_pool",)),
    ]


def test_branches_that_do_not_fit_are_pruned_or_refused() -> None:
    assert space("parallel { conv2d(8 | 16); conv2d(16) }").count() == 1
    assert codes("parallel { conv2d(8); conv2d(16) }") == ["shape-mismatch"]


def test_dag_adds_several_sources_and_reads_wires_by_name() -> None:
    network = "dag { a = conv2d(8) from input; b = relu from a; c = conv2d(8) from a, b; output = concat from c, a }"
    layers = ops(space(network))
    assert layers[3:6] == [
        ("add", ("a_conv2d", "b_relu")),
        ("conv2d", ("c",)),
        ("concat", ("c_conv2d", "a_conv2d")),
    ]


def test_wiring_is_a_decision() -> None:
    found = space(
        "conv2d(8); dag { a = conv2d(8) from input; b = relu from any(1, earlier); output = add from any(2, earlier) }"
    )
    assert found.count() == 2 * 3
    assert {point["network/b/from"] for point in found.enumerate()} == {"input", "a"}
    assert {point["network/output/from"] for point in found.enumerate()} == {"input+a", "input+b", "a+b"}


def test_wires_are_checked() -> None:
    assert codes("dag { a = relu from inptu; output = relu from a }") == ["unknown-name", "unknown-name"]
    assert codes("dag { a = relu from input }") == ["bad-wire"]
    assert codes("dag { a = relu; output = relu from input }") == ["bad-wire"]
    assert codes("dag { output = add from any(3, earlier) }") == ["bad-range"]


def test_complete_cell_decides_each_edge_afresh() -> None:
    found = space("conv2d(8); cell(nodes = 3) { edge: identity | relu }")
    assert found.count() == 2**3
    point = next(iter(found.enumerate()))
    assert list(point) == [
        "network/cell/node[1]/from[0]/edge",
        "network/cell/node[2]/from[0]/edge",
        "network/cell/node[2]/from[1]/edge",
    ]


def test_cell_with_chosen_edges_decides_only_on_those() -> None:
    found = space(
        "conv2d(8); cell(inputs = 2, nodes = 4, edges = any(2), output = concat) { edge: identity | relu }"
    )
    assert found.count() == (1 * 4) * (3 * 4)
    for point in found.enumerate():
        assert len(point) == 2 + 4
        layers = found.decided(point).layers
        assert layers[-3].op == "concat" and layers[-3].shape.sizes() == (16, 8, 8)


def test_ranks_are_inverse_and_points_are_new() -> None:
    found = space("conv2d(4); cell(nodes = 4, edges = any(1)) { edge: relu | { conv2d(4, kernel = 1 | 3) } }")
    points = list(found.enumerate())
    assert len(set(points)) == found.count() == 1 * 2 * 3 * 3**3
    assert [found.rank(point) for point in points] == list(range(len(points)))


def test_tied_cells_decide_once_though_their_widths_differ() -> None:
    found = space("repeat i in 2 tied { conv2d(4 * 2^i); cell(nodes = 3) { edge: relu | conv2d(4 * 2^i) } }")
    assert found.count() == 2**3
    widths = [
        layer.shape.sizes()[0] for layer in found.decided(found.sample(0)).layers if layer.op == "conv2d"
    ]
    assert set(widths) == {8, 16}
