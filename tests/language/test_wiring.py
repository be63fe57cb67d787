"""`parallel`, `dag` and `cell`: what they decide, and the networks they make."""

from __future__ import annotations

import pytest

from nasdsl.language.check import check
from nasdsl.language.errors import SpaceError
from nasdsl.language.parser import parse
from nasdsl.language.space import Space

HEAD = "space wired\ntask classification on shape(3, 8, 8, classes = 4)\n"


MEET = "block meet(a: wire, b: wire, how) { dag { output = how from a, b } }"


def space(network: str) -> Space:
    text = f"{HEAD}network {{ {network}; global_avg_pool; linear(outputs) }}"
    return Space(check(parse(text + "\n" + MEET if "meet(" in network else text)))


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
    assert codes("dag { a = relu from inptu; output = relu from a }") == ["unknown-name"]
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


# --- cells in a row -------------------------------------------------------------------------


def inputs_of(found: Space, name: str) -> list[tuple[str, ...]]:
    """The inputs of the layers whose names end so, in the only point."""
    (point,) = found.enumerate()
    return [layer.inputs for layer in found.decided(point).layers if layer.name.endswith(name)]


def test_the_second_input_is_that_of_the_cell_before() -> None:
    found = space("conv2d(8); repeat 3 { cell(inputs = 2, nodes = 3) { identity } }")
    (first, second, third) = inputs_of(found, "node_2_add")
    layers = {layer.name: layer for layer in found.decided(found.default()).layers}

    def read(names: tuple[str, ...]) -> list[str]:
        return [layers[name].inputs[0] for name in names]

    assert read(first) == ["conv2d", "conv2d"]  # nothing came before
    assert read(second) == ["repeat_0_cell_node_2_add", "conv2d"]
    assert read(third) == ["repeat_1_cell_node_2_add", "repeat_0_cell_node_2_add"]


def test_what_comes_from_the_cell_before_is_brought_to_the_shape() -> None:
    body = "conv2d(8); {}; conv2d(16, stride = 2); cell(inputs = 2, nodes = 3{}) {{ identity }}"
    cell = "cell(inputs = 2, nodes = 3) { identity }"
    for shortcut, op in (("", "project"), (", shortcut = pad", "pad")):
        found = space(body.format(cell, shortcut))
        inserted = [layer for layer in found.decided(found.default()).layers if layer.inserted]
        assert [(one.op, one.inputs, one.shape.sizes()) for one in inserted] == [
            (op, ("conv2d",), (16, 4, 4))
        ]
    assert codes(body.format(cell, ", shortcut = error")) == ["no-network"]
    assert space(body.format(f"({cell})?", ", shortcut = error")).count() == 1  # the one without the first


def test_a_cell_gives_what_no_node_reads() -> None:
    found = space(
        "conv2d(8); cell(inputs = 2, nodes = 5, edges = any(2), output = concat unused) { identity }"
    )
    assert found.count() == 1 * 3 * 6
    for point in found.enumerate():
        read = {
            number for node in (3, 4) for number in str(point[f"network/cell/node[{node}]/from"]).split("+")
        }
        layers = {layer.name: layer for layer in found.decided(point).layers}
        left = [number for number in ("2", "3", "4") if number not in read]
        joined = layers["global_avg_pool"].inputs[0]
        expected = [f"cell_node_{number}_add" for number in left]
        assert list(layers[joined].inputs if len(left) > 1 else (joined,)) == expected
        assert layers[joined].shape.sizes() == (8 * len(left), 8, 8)


def test_a_dag_gives_what_nobody_reads() -> None:
    network = "conv2d(8); dag { a = relu from input; b = gelu from any(1, earlier); c = silu from a; output = concat unused }"
    found = space(network)
    joined = [dict(ops(found, **{"network/b/from": answer})) for answer in ("input", "a")]
    assert [one["concat"] for one in joined] == [("b_gelu", "c_silu")] * 2
    mixed = space(
        "dag { a = relu from input; b = gelu from input; c = add from input, unused; output = add from c }"
    )
    assert ops(mixed)[3] == ("add", ("input", "a_relu", "b_gelu"))
    last = space("conv2d(8); dag { a = relu from input; b = gelu from input; output = relu from unused }")
    assert ops(last)[4] == ("add", ("a_relu", "b_gelu"))


def test_the_output_may_be_a_wire_made_before_others() -> None:
    found = space("dag { a = relu from input; b = gelu from input; output = add from any(1, earlier) }")
    for answer, source in (("a", "a_relu"), ("input", "input")):
        assert ("global_avg_pool", (source,)) in ops(found, **{"network/output/from": answer})


# --- wires as parameters --------------------------------------------------------------------

TWO = "block two(a: wire, b: wire, width) { dag { x = conv2d(width) from b; output = concat from a, x } }\n"


def with_blocks(blocks: str, network: str) -> Space:
    return Space(check(parse(f"{HEAD}{blocks}network {{ {network}; global_avg_pool; linear(outputs) }}")))


def test_a_block_takes_wires() -> None:
    found = with_blocks(
        TWO, "dag { p = relu from input; q = gelu from input; output = two(4 | 8) from p, q }"
    )
    assert found.count() == 2
    layers = {layer.name: layer for layer in found.decided(found.default()).layers}
    assert layers["output_two_x_conv2d"].inputs == ("q_gelu",)
    assert layers["output_two_concat" if "output_two_concat" in layers else "output_two_output"].inputs == (
        "p_relu",
        "output_two_x_conv2d",
    )


def test_which_wires_go_into_a_block_is_a_decision() -> None:
    found = with_blocks(TWO, "dag { p = relu from input; output = two(4) | two(8) from any(2, earlier) }")
    assert found.count() == 2
    three = with_blocks(
        TWO, "dag { p = relu from input; q = gelu from p; output = two(4) from any(2, earlier) }"
    )
    assert {point["network/output/from"] for point in three.enumerate()} == {"input+p", "input+q", "p+q"}


def test_a_block_of_one_wire_can_read_it_twice() -> None:
    block = "block skip(a: wire) { conv2d(4); dag { output = concat from a, input } }\n"
    found = with_blocks(block, "skip(); skip()")
    assert [
        layer.shape.sizes()[0] for layer in found.decided(found.default()).layers if layer.op == "concat"
    ] == [
        7,
        11,
    ]


def test_the_wires_of_a_block_are_those_that_its_dag_may_choose_from() -> None:
    block = "block mix(a: wire, b: wire) { dag { x = relu from any(1, earlier); output = add unused } }\n"
    found = with_blocks(block, "dag { p = relu from input; output = mix() from p, input }")
    assert [point["network/output/mix/x/from"] for point in found.enumerate()] == ["a", "b"]


def blocks_codes(blocks: str, network: str) -> list[str]:
    with pytest.raises(SpaceError) as caught:
        with_blocks(blocks, network)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def test_wires_of_blocks_are_checked() -> None:
    assert blocks_codes(TWO, "two(4)") == ["bad-wire"]
    assert blocks_codes(TWO, "dag { output = two(4) from input }") == ["bad-wire"]
    assert blocks_codes(TWO, "dag { output = two(4) | relu from input, input }") == ["bad-wire"]
    assert blocks_codes(TWO, "dag { p = relu from input; output = two(4) from p, unused }") == ["bad-wire"]
    assert blocks_codes(TWO, "dag { output = two(4, a = input) from input, input }") == ["bad-wire"]
    assert blocks_codes("block f(a: wyre) { relu }\n", "f(3)")[0] == "unknown-name"
    assert blocks_codes("block f(a: wire = 3) { relu }\n", "f()") == ["wrong-kind"]
    assert codes("relu; dag { x.y = relu from input; output = relu from input }") == ["bad-wire"]
    assert codes("parallel(merge = add unused) { relu }") == ["bad-wire"]


def test_a_number_in_place_of_an_operation_is_no_network() -> None:
    text = "task classification on wine\nblock b(act) { linear(4); act }\nnetwork { b(3); linear(outputs) }"
    with pytest.raises(SpaceError, match="stands where an operation is expected"):
        check(parse(text))


def test_how_many_wires_are_read_is_a_decision() -> None:
    found = space(
        "dag { a = relu from input; b = gelu from any(1..2, earlier); output = concat from any(2..9, earlier) }"
    )
    assert found.count() == 3 * (3 + 1)
    assert {found.sample(seed)["network/b/from"] for seed in range(40)} == {"input", "a", "input+a"}


def test_a_recursion_over_a_range_of_depths_is_followed_to_its_end() -> None:
    head = "task classification on digits\nblock halve(levels) { if levels > 0 { max_pool(2); halve(levels - 1) } }\n"
    found = Space(check(parse(head + "network { conv2d(2); halve(1..3); flatten; linear(outputs) }")))
    assert found.count() == 3


PAIR = "x = conv2d(8) from input; y = conv2d(4, kernel = 1) from x"
JOINING = {
    "a choice": "c: concat | add",
    "blocks": "c: { concat; relu } | { add; tanh }",
    "a let": "way",
    "a let that is another operation, too": "mixed",
    "a parameter": "meet(c: concat | tanh)",
}


@pytest.mark.parametrize("written", JOINING.values(), ids=JOINING)
def test_each_way_to_join_joins_the_wires_themselves(written: str) -> None:
    found = space(
        "dag { let way = c: concat | add; let mixed = c: concat | relu;"
        f" {PAIR}; z = conv2d(4) from input; o = {written} from z, y; output = concat from unused }}"
    )
    merges = {
        (layer.op, layer.inputs)
        for point in found.enumerate()
        for layer in found.decided(point).layers
        if layer.name == "o" or (layer.name.startswith("o_") and layer.op in ("concat", "add"))
    }
    both = ("z_conv2d", "y_conv2d")
    assert ("concat", both) in merges and ("add", both) in merges and len(merges) == 2


def test_ways_to_join_that_do_not_fit_are_pruned() -> None:
    found = space(f"dag {{ {PAIR}; output = concat | add | mul from any(1..2, earlier) }}")
    single = 3 * 3  # one wire, as it is
    assert found.count() == single + 3  # and what differs in its channels, side by side alone


def test_a_way_to_join_stands_where_several_wires_are() -> None:
    assert codes("let way = concat | add; way; add; conv2d(8)") == ["bad-wire", "bad-wire"]
    assert codes(f"dag {{ {PAIR}; output = concat? from x, y }}") == ["bad-wire"]


def test_what_flows_in_need_not_be_read_where_wires_have_names() -> None:
    head = "task classification on shapes(user = shape(6), item = shape(6), classes = 2)\n"
    beside_a_let = (
        "network(user, item) { let w = 6 | 8;"
        " dag { u = linear(w) from user; i = linear(w) from item; output = { mul; linear(outputs) } from u, i } }"
    )
    within_if = (
        "block meet(a: wire, b: wire, deep) {"
        " if deep { dag { output = mul from a, b } } else { dag { output = add from a, b } } }\n"
        "network(user, item) { dag { m = meet(yes | no) from user, item; output = linear(outputs) from m } }"
    )
    for network in (beside_a_let, within_if):
        assert check(parse(head + network)).warnings == ()


def test_a_wire_that_nothing_reads_is_a_warning_with_a_remedy() -> None:
    (warning,) = space(
        "conv2d(8); dag { a = relu from input; b = relu from input; output = tanh from a }"
    ).warnings
    assert warning.code == "unused-wire" and "`from`" in warning.help[0]


def test_how_branches_are_joined_is_a_decision() -> None:
    found = space("how: parallel(merge = concat | add) { conv2d(8); conv2d(8 | 4, 1) }")
    assert found.count() == 2 + 1  # of different channels, side by side alone
    joined = {
        (layer.op, layer.shape.channels)
        for point in found.enumerate()
        for layer in found.decided(point).layers
        if layer.op in ("concat", "add")
    }
    assert joined == {("concat", 16), ("concat", 12), ("add", 8)}


def test_what_unused_reads_is_not_offered_beside_it() -> None:
    """As with wires that are named: each takes part once."""
    certain = "conv2d(8); dag { a = relu from input; b = tanh from input; output = concat from unused, any(0..1, earlier) }"
    assert [p["network/output/from"] for p in space(certain).enumerate()] == ["none", "input"]
    some = "b = tanh from any(1..2, earlier); c = gelu from b; output = concat from unused, any(0..2, a, b) }"
    found = {
        (point["network/b/from"], point["network/output/from"])
        for point in space(f"conv2d(8); dag {{ a = relu from input; {some}").enumerate()
    }
    alone = {("input", answer) for answer in ("none", "b")}  # `a` is unused there
    assert found == alone | {(b, answer) for b in ("a", "input+a") for answer in ("none", "a", "b", "a+b")}


def test_a_wire_beside_any_is_not_listed_in_it() -> None:
    listed = (
        "conv2d(8); dag {{ a = relu from input; b = tanh from input; output = concat from {}, any(0..1, a) }}"
    )
    assert codes(listed.format("unused")) == codes(listed.format("a, b")) == ["bad-wire"]
    assert [p["network/output/from"] for p in space(listed.format("b, input")).enumerate()] == ["none", "a"]


def test_nothing_is_read_twice_where_the_data_are_not_known() -> None:
    network = (
        "dag { a = relu from input; b = relu from any(1, earlier); output = add from unused, any(0..1, a) }"
    )
    text = f'task classification on csv("absent.csv", target = "y")\nnetwork {{ {network}; linear(outputs) }}'
    found = Space(check(parse(text)))
    picked = [(p["network/b/from"], p["network/output/from"]) for p in found.enumerate()]
    assert picked == [("input", "none"), ("a", "none"), ("a", "a")]


def test_a_concat_of_two_sizes_says_how_they_come_about() -> None:
    with pytest.raises(SpaceError) as caught:
        space("max_pool(2, stride = 1); parallel(merge = concat) { identity; { max_pool(2); upsample(2) } }")
    (found,) = caught.value.diagnostics
    assert "7 x 7 against 6 x 6" in found.message
    assert "divided by 2" in found.help[0] and "concat" not in found.help[0]


@pytest.mark.parametrize("sources", ["conv2d(4, kernel = 3) from a", "a, conv2d(4, kernel = 3) from a"])
def test_a_source_with_sources_of_its_own_is_to_be_named_first(sources: str) -> None:
    with pytest.raises(SpaceError) as caught:
        space(f"dag {{ a = relu from input; output = add from {sources} }}")
    assert "`p = conv2d(4, kernel = 3) from a`" in caught.value.diagnostics[0].help[0]


def test_an_if_in_a_dag_is_told_where_to_stand() -> None:
    with pytest.raises(SpaceError) as told:
        space(
            "let k = 1 | 2\n"
            "dag { if k > 1 { output = conv2d(8) from input } else { output = relu from input } }"
        )
    (problem,) = told.value.diagnostics
    assert problem.message == "a dag holds wires: `name = operation from name`"
    assert problem.help[0].startswith("put the `if` around the dag")
