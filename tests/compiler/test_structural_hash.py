"""The structural hash against the definition: networks have one hash where, and only where, one is the other renamed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import networkx as nx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compiler.identity import structural_hash
from nasdsl.language.network import Value

COMMUTATIVE = ("add", "mul")


@dataclass(frozen=True)
class Node:
    """All that the hash looks at."""

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    arguments: Mapping[str, Value] = field(default_factory=dict)
    shape: tuple[int, ...] = (4,)
    layout: str = "vector"
    shares: str = ""
    columns: tuple = ()
    body: None = None


Net = tuple[Node, ...]  # in topological order; the last one is the output


def net(*rows: str) -> Net:
    """`net("linear 0", "add 1 1")`: node 0 is the input, each row an operation and the nodes it reads."""
    nodes = [Node("n0", "input")]
    for number, row in enumerate(rows, start=1):
        op, *read = row.split()
        nodes.append(Node(f"n{number}", op, tuple(f"n{i}" for i in read)))
    return tuple(nodes)


@st.composite
def networks(draw: st.DrawFn) -> Net:
    nodes = [Node("n0", "input")]
    for number in range(1, draw(st.integers(2, 6))):
        op = draw(st.sampled_from(["linear", "linear", "relu", "add", "concat"]))
        count = 2 if op in ("add", "concat") else 1
        read = draw(st.lists(st.integers(0, number - 1), min_size=count, max_size=count))
        nodes.append(Node(f"n{number}", op, tuple(f"n{i}" for i in read)))
    return tuple(nodes)


def hash_of(nodes: Net) -> str:
    return structural_hash(nodes, {"output": nodes[-1].name})


def renamed(nodes: Net, rng: random.Random) -> Net:
    """The same network: other names, another order, inputs of sums swapped, an identity put in."""
    numbers = rng.sample(range(len(nodes)), len(nodes))
    names = {node.name: f"m{number}" for node, number in zip(nodes, numbers, strict=True)}
    moved = [
        replace(
            node,
            name=names[node.name],
            inputs=tuple(
                names[i]
                for i in (
                    rng.sample(node.inputs, len(node.inputs)) if node.op in COMMUTATIVE else node.inputs
                )
            ),
        )
        for node in nodes
    ]
    graph = nx.DiGraph((source, node.name) for node in moved for source in node.inputs)
    graph.add_nodes_from(node.name for node in moved)
    by_name, order = {node.name: node for node in moved}, []
    while graph:
        order.append(rng.choice([name for name, degree in graph.in_degree if degree == 0]))
        graph.remove_node(order[-1])
    last = names[nodes[-1].name]
    ordered = [by_name[name] for name in order]
    return (*ordered, Node("passed", "identity", (last,)))


def same(first: Net, second: Net) -> bool:
    """Whether a map of nodes takes one to the other, operations, places of inputs and the output kept."""
    return nx.is_isomorphic(graph_of(first), graph_of(second), node_match=_equal, edge_match=_equal)


def _equal(one: object, other: object) -> bool:
    return one == other


def graph_of(nodes: Net) -> nx.DiGraph:
    graph = nx.DiGraph()
    for place, node in enumerate(nodes):
        graph.add_node(node.name, label=(node.op, place == len(nodes) - 1))
        for source in dict.fromkeys(node.inputs):
            found = [at for at, name in enumerate(node.inputs) if name == source]
            graph.add_edge(source, node.name, places=len(found) if node.op in COMMUTATIVE else found)
    return graph


@settings(deadline=None)
@given(networks(), st.integers(0, 2**32).map(random.Random))
def test_other_names_orders_and_passing_nodes_change_nothing(nodes: Net, rng: random.Random) -> None:
    assert hash_of(renamed(nodes, rng)) == hash_of(nodes)


@settings(deadline=None, max_examples=300)
@given(networks(), networks())
@example(net("linear 0", "linear 0", "add 1 2", "add 1 2", "concat 3 4"), net("linear 0", "linear 0", "add 1 1", "add 2 2", "concat 3 4"))  # fmt: skip
@example(net("linear 0", "linear 0", "add 1 2", "add 1 2", "add 3 4"), net("linear 0", "linear 0", "add 1 1", "add 2 2", "add 3 4"))  # fmt: skip
@example(net("linear 0", "linear 0", "concat 1 2"), net("linear 0", "linear 0", "concat 1 1"))
@example(net("linear 0", "linear 0", "add 1 2"), net("linear 0", "add 1 1"))
def test_hashes_are_equal_only_for_the_same_network(first: Net, second: Net) -> None:
    assert (hash_of(first) == hash_of(second)) == same(first, second)


@settings(deadline=None, max_examples=300)
@given(networks(), st.data())
def test_one_wire_moved_or_one_operation_changed_is_seen(nodes: Net, data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(nodes) - 1))
    node = nodes[place]
    inputs = list(node.inputs)
    inputs[data.draw(st.integers(0, len(inputs) - 1))] = f"n{data.draw(st.integers(0, place - 1))}"
    op = node.op if len(inputs) == 2 else data.draw(st.sampled_from(["linear", "relu"]))
    changed = (*nodes[:place], replace(node, op=op, inputs=tuple(inputs)), *nodes[place + 1 :])
    assert (hash_of(nodes) == hash_of(changed)) == same(nodes, changed)
