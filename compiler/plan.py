"""A decided network as a Plan: nodes with shapes, parameters and MACs, worked out without torch.

The plan is the source of truth. Everything that leaves the compiler (a run-time graph, a Python file,
ONNX, a picture) is a function of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from compiler.identity import structural_hash
from nasdsl.language.errors import NasdslError
from nasdsl.language.memory import train_memory
from nasdsl.language.network import Decided, Layer, Value
from nasdsl.language.point import Point
from nasdsl.language.shapes import Columns, Shape
from nasdsl.language.sharing import scaled
from nasdsl.language.signatures.depth import layer_depth
from nasdsl.language.signatures.structure import applications, copies_of
from nasdsl.language.signatures.table import LAYERS
from nasdsl.language.signatures.weighing import Costs, costs, shared_params

INPUT = "input"  # the op of the nodes that stand for the inputs of the network

_NO_COSTS = Costs(0, 0, 0, 0, 0)


class Decides(Protocol):
    """What the compiler asks of a Space: the network that a point decides."""

    def decided(self, point: Point) -> Decided: ...


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a planned network.

    name: unique, a Python identifier made of the path; path: where it stands in the space.
    inputs: names of nodes. shape: of its output, without batch axis. layout: what the axes mean.
    params: scalars of its parameters, frozen ones included; trainable_params: those that are trained;
    merged_params: those that it is exported with. macs: multiply-accumulates for one sample.
    state: scalars of the buffers that its weight method keeps.
    inserted: an adaptation that the space did not write down.
    shares: the node whose weights it uses, "" where they are its own; they count there only.
    body: the network that an operation like `widen` has copies of; params and macs count all of them.
    columns: of the table that it gives, if it is one with texts, as in Shape.
    """

    name: str
    path: str
    op: str
    arguments: Mapping[str, Value]
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    layout: str
    params: int
    trainable_params: int
    merged_params: int
    macs: int
    state: int
    inserted: bool = False
    shares: str = ""
    body: Plan | None = None
    columns: Columns = ()

    @property
    def output(self) -> Shape:
        """The shape with the meaning of its axes, as rules and recipes want it."""
        return Shape(self.shape, self.layout, columns=self.columns)


@dataclass(frozen=True, slots=True)
class Plan:
    """A network with nothing left open.

    nodes: in topological order, inputs first; nodes that no output needs are not part of it.
    inputs: name -> shape without batch axis, in the order the network is called with.
    outputs: name of the output -> name of the node that gives it.
    params: scalars of all parameters as built, frozen ones included; trainable_params: those that are trained;
    merged_params: those that it is exported with; state: scalars of the buffers that weight methods keep.
    depth: weighted layers on the longest path.
    init: how weights begin, as the setting of that name says.
    train_memory: bytes that training takes at the batch size of the point; 0 of a body.
    hash: equal for equal networks, whatever decisions and names they come from.
    folder: where the files of weights are that layers start from.
    """

    nodes: tuple[Node, ...]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, str]
    params: int
    trainable_params: int
    merged_params: int
    state: int
    macs: int
    depth: int
    hash: str
    train_memory: int = 0
    init: str = "default"
    folder: str = field(default="", compare=False)


def plan(space: Decides, point: Point) -> Plan:
    """The network that `point` decides in `space`."""
    return plan_of(space.decided(point))


def plan_of(decided: Decided) -> Plan:
    """The network of a decided point. Its shapes are those of the layers; costs come from their rows.

    Raises NasdslError where the shapes of the data are not known yet.
    """
    if not all(layer.shape.concrete for layer in decided.layers if layer.op == INPUT):
        raise NasdslError(
            "the shapes of the data are not known before the file is read; "
            "bind the space to them: space.with_task({name: shape}, outputs)"
        )
    found = _plan(
        decided.layers, decided.outputs, str(decided.settings.get("init", "default")), decided.folder
    )
    return replace(found, train_memory=train_memory(decided, found.params, found.trainable_params))


def _plan(layers: tuple[Layer, ...], outputs: Mapping[str, str], init: str, folder: str) -> Plan:
    needed = _needed(layers, outputs.values())
    shapes: dict[str, Shape] = {}
    nodes: list[Node] = []
    depths: dict[str, int] = {}
    owners: dict[str, str] = {}  # the layer that weights were first seen in -> the first node that has them
    for layer in layers:
        if layer.op != INPUT and layer.name not in needed:
            continue
        root = layer.shares or layer.name
        owner = owners.setdefault(root, layer.name)
        body = _plan(layer.body.layers, {"output": layer.body.output}, init, folder) if layer.body else None
        nodes.append(_node(layer, shapes, "" if owner == layer.name else owner, body))
        shapes[layer.name] = layer.shape
        depths[layer.name] = _depth(layer, depths) + (body.depth if body else 0)
    shared = shared_params(
        (node.op, node.arguments, tuple(shapes[name] for name in node.inputs), node.output)
        for node in nodes
        if not node.shares
    )
    return Plan(
        nodes=tuple(nodes),
        inputs={node.name: node.shape for node in nodes if node.op == INPUT},
        outputs=dict(outputs),
        params=sum(node.params for node in nodes) + shared,
        trainable_params=sum(node.trainable_params for node in nodes) + shared,
        merged_params=sum(node.merged_params for node in nodes),
        state=sum(node.state for node in nodes),
        macs=sum(node.macs for node in nodes),
        depth=max((depths[name] for name in outputs.values()), default=0),
        hash=structural_hash(nodes, outputs),
        init=init,
        folder=folder,
    )


def _needed(layers: tuple[Layer, ...], outputs: Iterable[str]) -> set[str]:
    """The layers on some way to an output."""
    needed = set(outputs)
    for layer in reversed(layers):
        if layer.name in needed:
            needed.update(layer.inputs)
    return needed


def _node(layer: Layer, shapes: Mapping[str, Shape], shares: str, body: Plan | None) -> Node:
    cost, arguments = _NO_COSTS, layer.arguments
    if layer.op != INPUT:
        row = LAYERS[layer.op]
        inputs = tuple(shapes[name] for name in layer.inputs)
        arguments = {**arguments, **row.fills(arguments, inputs)} if row.fills else arguments
        cost = costs(scaled(row, not shares, 1), layer.arguments, inputs, layer.shape)
        if body is not None:
            copies = 0 if shares else copies_of(layer.arguments)
            cost = Costs(
                cost.params + copies * body.params,
                cost.trainable + copies * body.trainable_params,
                cost.merged + copies * body.merged_params,
                cost.macs + applications(layer.arguments, inputs[0]) * body.macs,
                cost.state + copies * body.state,
            )
    return Node(
        name=layer.name,
        path=layer.path,
        op=layer.op,
        arguments=arguments,
        inputs=layer.inputs,
        shape=layer.shape.sizes(),
        layout=layer.shape.layout,
        params=cost.params,
        trainable_params=cost.trainable,
        merged_params=cost.merged,
        macs=cost.macs,
        state=cost.state,
        inserted=layer.inserted,
        shares=shares,
        body=body,
        columns=layer.shape.columns,
    )


def _depth(layer: Layer, depths: Mapping[str, int]) -> int:
    own = 0 if layer.op == INPUT else layer_depth(LAYERS[layer.op], layer.arguments)
    return own + max((depths[name] for name in layer.inputs), default=0)
