"""Plan -> torch.fx.GraphModule, node by node; no shape is guessed and nothing is traced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import fx

from compiler.builders import RECIPES, Recipe
from compiler.names import attribute_names
from compiler.plan import INPUT, Node, Plan


def build(plan: Plan, seed: int | None = None) -> fx.GraphModule:
    """The network of a plan, on torch's default device, with torch's default initialisation.

    It is called with one tensor per input of the plan, in order or by name, batch first, and returns
    a tensor, or a dict by name where the plan has several outputs. Weights are drawn from `seed`, which leaves
    torch's own generators as they were; without a seed they are drawn from those.
    """
    with _drawing_from(seed):
        modules = {name: recipe.build() for name, recipe in recipes(plan).items()}
    return fx.GraphModule(modules, _graph(plan), class_name="Network")


def recipes(plan: Plan) -> dict[str, Recipe]:
    """Attribute name -> how to make the module that stands there, in the order of the nodes. Nodes that share
    weights are one module, under the name of the first."""
    names = attribute_names(plan)
    nodes = {node.name: node for node in plan.nodes}
    own = {
        names[node.name]: _recipe(node, nodes) for node in plan.nodes if node.op != INPUT and not node.shares
    }
    for node in plan.nodes:
        if node.shares:
            assert _recipe(node, nodes) == own[names[node.shares]], f"{node.name} cannot be {node.shares}"
    return own


def _recipe(node: Node, nodes: dict[str, Node]) -> Recipe:
    inputs = tuple(nodes[name].output for name in node.inputs)
    return RECIPES[node.op](node.arguments, inputs, node.output)


def _graph(plan: Plan) -> fx.Graph:
    graph = fx.Graph()
    names = attribute_names(plan)
    values: dict[str, fx.Node] = {}
    for node in plan.nodes:
        if node.op == INPUT:
            values[node.name] = graph.placeholder(names[node.name])
        else:
            arguments = tuple(values[name] for name in node.inputs)
            module, value = names[node.shares or node.name], names[node.name]
            values[node.name] = graph.create_node("call_module", module, arguments, name=value)
        values[node.name].meta["path"] = node.path
    outputs = {name: values[source] for name, source in plan.outputs.items()}
    graph.output(outputs if len(outputs) > 1 else next(iter(outputs.values())))
    return graph


@contextmanager
def _drawing_from(seed: int | None) -> Iterator[None]:
    """Seeds the generators within, and puts their states back. CUDA is not woken for it."""
    if seed is None:
        yield
        return
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed_all(seed)
        yield
