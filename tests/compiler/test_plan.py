"""The plan: costs, depth, what is part of it, and the structural hash."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from plan_examples import NETWORKS, Net, residual_image, two_by_two

from compiler.graph import graph_of
from compiler.plan import Plan, plan, plan_of
from nasdsl.language.network import Decided
from nasdsl.language.point import Point

ROOT = Path(__file__).parents[2]


def test_plan_of_a_small_network_by_hand() -> None:
    net = Net()
    hidden = net("relu", net("linear", net.input(4), width=8))
    planned = plan_of(net.decided(net("linear", hidden, width=3)))
    assert planned.params == (4 * 8 + 8) + (8 * 3 + 3)
    assert planned.trainable_params == planned.params
    assert planned.macs == 4 * 8 + 8 * 3
    assert planned.depth == 2
    assert planned.inputs == {"input": (4,)}
    assert [node.shape for node in planned.nodes] == [(4,), (8,), (8,), (3,)]


def test_depth_is_the_longest_path_not_the_number_of_layers() -> None:
    # stem, depthwise + pointwise, mlp of two, head; the projection runs beside the separable one
    assert plan_of(residual_image()).depth == 1 + 2 + 2 + 1


def test_plan_asks_the_space_for_the_point() -> None:
    class OneNetwork:
        def decided(self, point: Point) -> Decided:
            assert point == Point({"a": 1})
            return two_by_two()

    assert plan(OneNetwork(), Point({"a": 1})) == plan_of(two_by_two())


def test_layers_that_no_output_needs_are_left_out() -> None:
    net = Net()
    x = net.input(4)
    y = net.input(2, name="unread")
    used = net("linear", x, width=3)
    net("linear", net("linear", y, width=5), width=6)
    planned = plan_of(net.decided(used))
    assert [node.name for node in planned.nodes] == [x, y, used]
    assert planned.params == 4 * 3 + 3
    assert list(planned.inputs) == ["input", "unread"]


def diamond(first: str, second: str, *, merge: str = "add", swap: bool = False, tag: str = "") -> Plan:
    net = Net()
    x = net("linear", net.input(6), width=6, name=f"stem{tag}")
    a = net(first, x, name=f"a{tag}")
    b = net(second, x, name=f"b{tag}")
    inputs = (b, a) if swap else (a, b)
    return plan_of(net.decided(net(merge, *inputs, name=f"join{tag}")))


def test_hash_ignores_names_and_the_order_of_commutative_inputs() -> None:
    assert diamond("relu", "gelu").hash == diamond("relu", "gelu", tag="_other").hash
    assert diamond("relu", "gelu").hash == diamond("relu", "gelu", swap=True).hash
    assert diamond("relu", "gelu").hash == diamond("gelu", "relu").hash


def test_hash_keeps_the_order_of_other_inputs() -> None:
    assert diamond("relu", "gelu", merge="concat").hash != diamond("gelu", "relu", merge="concat").hash


def test_hash_drops_nodes_that_pass_their_input_on() -> None:
    def tail(*between: str) -> Plan:
        net = Net()
        x = net("relu", net.input(6))
        for op in between:
            x = net(op, x)
        return plan_of(net.decided(net("linear", x, width=2)))

    assert tail().hash == tail("identity").hash == tail("add", "identity", "concat").hash
    assert tail().hash != tail("relu").hash


def test_hash_tells_arguments_shapes_and_sharing_apart() -> None:
    def twins(shared: bool) -> str:
        net = Net()
        x = net.input(6)
        a = net("linear", x, width=6)
        b = a if shared else net("linear", x, width=6)
        return plan_of(net.decided(net("add", a, b))).hash

    def single(width: int, features: int, bias: bool = True) -> str:
        net = Net()
        return plan_of(net.decided(net("linear", net.input(features), width=width, bias=bias))).hash

    assert twins(shared=True) != twins(shared=False)
    assert len({single(3, 4), single(4, 4), single(3, 5), single(3, 4, bias=False)}) == 4


def test_hash_sees_which_of_two_equal_layers_is_read_again() -> None:
    """Equal bottoms, told apart by their readers only."""

    def two_readers(same: bool) -> str:
        net = Net()
        x = net.input(6)
        a, b = net("linear", x, width=6), net("linear", x, width=6)
        top = net("concat", net("relu", a), net("gelu", a if same else b))
        return plan_of(net.decided(net("concat", top, b))).hash

    assert two_readers(same=True) != two_readers(same=False)


def test_hash_does_not_depend_on_where_inputs_are_named_but_on_their_order() -> None:
    def ordered(first: str, second: str) -> str:
        net = Net()
        a, b = net.input(3, name=first), net.input(3, name=second)
        return plan_of(net.decided(net("concat", net("relu", a), b))).hash

    assert ordered("left", "right") == ordered("one", "two")


@pytest.mark.parametrize("name", NETWORKS)
def test_hash_is_the_same_in_another_process(name: str) -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests/compiler'); from plan_examples import NETWORKS;"
        f"from compiler.plan import plan_of; print(plan_of(NETWORKS[{name!r}]()).hash);"
        "assert 'torch' not in sys.modules and 'networkx' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == plan_of(NETWORKS[name]()).hash


def test_graph_has_every_edge_with_its_place() -> None:
    planned = plan_of(residual_image())
    graph = graph_of(planned)
    edges = {(a, b, data["place"]) for a, b, data in graph.edges(data=True)}
    assert edges == {(a, n.name, i) for n in planned.nodes for i, a in enumerate(n.inputs)}
    assert graph.nodes["sum"]["node"].op == "add"


def test_plans_are_frozen() -> None:
    planned = plan_of(two_by_two())
    with pytest.raises(AttributeError):
        planned.params = 0  # type: ignore[misc]
    assert replace(planned, params=0) != planned
