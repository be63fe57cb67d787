"""The networks of a group as one: their common graph, with every module replaced by its fused one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import fx, nn

from compiler.hooks import Hooks
from nasdsl.training.fused.forms import Form, Members, To, Unfusable
from nasdsl.training.fused.layers import Layer
from nasdsl.training.fused.table import fuse


class Stack:
    """`run(*inputs)` gives the outputs of all members, STACKED; the separate modules see its weights.

    inputs: the form of each input, in the order of the networks.
    """

    def __init__(self, networks: Sequence[nn.Module], inputs: Sequence[Form], members: Members) -> None:
        """Raises Unfusable, and then leaves the networks as they were."""
        self.members = members
        _check(networks)
        own = [[tensor.data for tensor in _tensors(network)] for network in networks]
        try:
            self.run = _stacked(networks, inputs, members)
        except Unfusable:
            for network, tensors in zip(networks, own, strict=True):
                for tensor, data in zip(_tensors(network), tensors, strict=True):
                    tensor.data = data
            raise

    @property
    def layers(self) -> Iterator[Layer]:
        return (module for module in self.run.modules() if isinstance(module, Layer))

    def keep(self, places: list[int]) -> None:
        """Go on with these members alone."""
        self.members.keep(places)
        for module in self.run.modules():
            keep = getattr(module, "keep", None)
            if keep is not None:
                keep(places)


def _tensors(network: nn.Module) -> list[nn.Parameter]:
    return list(network.parameters())


def _check(networks: Sequence[nn.Module]) -> None:
    for network in networks:
        if not isinstance(network, fx.GraphModule):
            raise Unfusable(f"{type(network).__name__} has no graph")
        if Hooks(network):
            raise Unfusable("a module takes part in its training by hooks")
    codes = {network.code for network in networks if isinstance(network, fx.GraphModule)}
    if len(codes) > 1:
        raise Unfusable("the networks differ in structure")


def _stacked(networks: Sequence[nn.Module], inputs: Sequence[Form], members: Members) -> fx.GraphModule:
    first = networks[0]
    assert isinstance(first, fx.GraphModule)
    graph, modules = fx.Graph(), dict[str, nn.Module]()
    values: dict[fx.Node, fx.Node] = {}
    forms: dict[fx.Node, Form] = {}
    met: dict[str, tuple[tuple[Form, ...], Form]] = {}
    waiting = list(inputs)
    for node in first.graph.nodes:
        match node.op:
            case "placeholder":
                values[node], forms[node] = graph.placeholder(node.name), waiting.pop(0)
            case "call_module":
                given = tuple(forms[one] for one in node.args)
                if node.target not in met:
                    parts = [network.get_submodule(node.target) for network in networks]
                    modules[_flat(node.target)], form = fuse(parts, given, members)
                    met[node.target] = (given, form)
                if met[node.target][0] != given:
                    raise Unfusable(f"{node.target} is used twice, in different forms")
                forms[node] = met[node.target][1]
                arguments = tuple(values[one] for one in node.args)
                values[node] = graph.create_node("call_module", _flat(node.target), arguments)
            case "output":
                graph.output(_outputs(node.args[0], values, forms, graph, modules, members))
            case _:
                raise Unfusable(f"`{node.name}` is no module of the network")
    return fx.GraphModule(modules, graph, class_name="Group")


def _outputs(
    found: object,
    values: dict[fx.Node, fx.Node],
    forms: dict[fx.Node, Form],
    graph: fx.Graph,
    modules: dict[str, nn.Module],
    members: Members,
) -> Any:
    if isinstance(found, fx.Node):
        name = f"stacked_{found.name}"
        modules[name] = To(forms[found], Form.STACKED, members)
        return graph.create_node("call_module", name, (values[found],))
    assert isinstance(found, dict)
    return {key: _outputs(one, values, forms, graph, modules, members) for key, one in found.items()}


def _flat(target: object) -> str:
    """An attribute of the group's own, whatever the path was."""
    return str(target).replace(".", "_")
