"""Rates and initial weights relative to the width (maximal update parametrization: Yang et al. 2022, arXiv 2203.03466).

In the form of their table 3, which changes no forward pass: m is the width that a layer reads, over `base`, n the
width that it writes, over `base`; at width `base` all is as without. A layer is an input layer where what it reads
does not grow with the width (the data, a depthwise window), an output layer where it gives the answers.

                      input layers, biases, gains    hidden layers    output layer
    rate, Adam        1                              1 / m            1 / m
    rate, SGD         n                              1                1 / m
    initial weights   as they are                    as they are      times m^(-1/2)

Queries of attention get m^(-1/2) on their initial weights and on their steps besides (1 / m on SGD's rate), which is
the paper's division of logits by the width of a head in place of its root. Biases begin as at width `base`. Decoupled
decay is divided by the factor of the rate, so that all widths decay alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from compiler.modules import Attention, EmbedColumns
from compiler.names import attribute_names
from compiler.plan import INPUT, Node, Plan
from nasdsl.language.network import Spec
from nasdsl.language.signatures.matrices import MATRICES
from nasdsl.training.errors import DataError
from nasdsl.training.layers import WEIGHTED
from nasdsl.training.protocols import Parts, Setup
from nasdsl.training.settings import call, numbers

_CHANNELS_FIRST = ("sequence", "image", "volume")
_ALONG = ("flatten", "reshape")  # what only writes the channels in another order


@dataclass(frozen=True)
class Role:
    """A weight: the widths that its layer reads and writes over the base, 1 where they do not grow with the network.

    query: whether it makes the queries of attention.
    """

    reads: float
    writes: float
    first: bool = False
    last: bool = False
    query: bool = False

    def rate(self, adaptive: bool) -> float:
        """The factor on the rate of the layer's weight."""
        if self.first and self.last:
            return 1.0
        if adaptive:
            return (1.0 if self.first else 1 / self.reads) * (self.reads**-0.5 if self.query else 1.0)
        if self.first:
            return self.writes
        return 1 / self.reads if self.last or self.query else 1.0

    def start(self) -> float:
        """The factor on its initial weights."""
        return self.reads**-0.5 if (self.last and not self.first) or self.query else 1.0


def roles(plan: Plan, module: nn.Module, base: int) -> Iterator[tuple[nn.Module, Role]]:
    """Every linear layer and convolution of a network."""
    nodes, names = {node.name: node for node in plan.nodes}, attribute_names(plan)
    modules = dict(module.named_modules())
    ends = _answering(plan, nodes)
    for node in plan.nodes:
        if node.op == INPUT or node.shares or names.get(node.name) not in modules:
            continue
        read, width = _read(node, nodes)
        first = _is_first(node, nodes)
        part = modules[names[node.name]]
        queries = {one.query for one in part.modules() if isinstance(one, Attention)}
        for layer in (one for one in part.modules() if isinstance(one, WEIGHTED)):
            yield layer, _role(layer, read, width, first, node.name in ends, layer in queries, base, node)


def _role(
    layer: nn.Module, read: int, width: int, first: bool, ends: bool, query: bool, base: int, node: Node
) -> Role:
    out, into = layer.get_parameter("weight").shape[:2]
    if isinstance(layer, nn.modules.conv._ConvTransposeNd):
        out, into = into, out
    groups = int(getattr(layer, "groups", 1))
    window = groups > 1 and into == 1  # a kernel on each channel alone reads as much at any width
    fresh = window or (first and into * groups == read)
    last = ends and out == (node.shape[0] if node.layout in _CHANNELS_FIRST else node.shape[-1])
    grown = width if into * groups == read else into * groups
    return Role(1.0 if fresh else grown / base, 1.0 if last else out / base, fresh, last, query and not fresh)


def _read(node: Node, nodes: dict[str, Node]) -> tuple[int, int]:
    """How many numbers a layer reads at a place, and how many of them the width counts: channels, not positions."""
    source = nodes[node.inputs[0]]
    read = _channels(source)
    while source.op in _ALONG:
        source = nodes[source.inputs[0]]
    return read, _channels(source)


def _channels(node: Node) -> int:
    return node.shape[0] if node.layout in _CHANNELS_FIRST else node.shape[-1]


def _is_first(node: Node, nodes: dict[str, Node]) -> bool:
    """Whether nothing with matrices lies between the data and it."""
    return all(
        source.op == INPUT or (source.op not in MATRICES and not _embeds(source) and _is_first(source, nodes))
        for source in (nodes[name] for name in node.inputs)
    )


def _embeds(node: Node) -> bool:
    return node.op == "token_embedding"


def _answering(plan: Plan, nodes: dict[str, Node]) -> set[str]:
    """The layers with matrices whose answers are those of the network."""
    found: set[str] = set()
    waiting = list(plan.outputs.values())
    while waiting:
        node = nodes[waiting.pop()]
        if node.op in MATRICES:
            found.add(node.name)
        else:
            waiting += node.inputs
    return found


def factors(setup: Setup, base: int, adaptive: bool) -> dict[int, float]:
    """The factor on the rate of each tensor, by its id. The initial weights are scaled on the way."""
    found: dict[int, float] = {}
    for layer, role in roles(setup.plan, setup.module, base):
        weight, bias = layer.get_parameter("weight"), layer.bias
        found[id(weight)] = role.rate(adaptive)
        with torch.no_grad():
            weight.mul_(role.start())
            if isinstance(bias, nn.Parameter):
                bias.mul_(1.0 if role.first else role.reads**0.5)
                found[id(bias)] = 1.0 if adaptive else role.writes
    if not adaptive:  # gains and offsets of norms, embeddings: as wide as they write
        data = [
            m for m in setup.module.modules() if isinstance(m, EmbedColumns)
        ]  # as wide as columns ask for
        settled = found.keys() | {id(p) for one in data for p in one.parameters()}
        rest = (p for p in setup.module.parameters() if id(p) not in settled)
        found |= {id(p): p.shape[-1] / base for p in rest}
    return found


def make(spec: Spec, setup: Setup) -> Parts:
    """Raises DataError for networks whose weights it cannot tell apart."""
    _refuse_unknown(setup.module)
    optimizer = call(setup.settings, "optimizer")
    assert optimizer is not None
    found = factors(setup, int(numbers(spec)["base"]), optimizer.name != "sgd")
    return Parts(rates=(found,))


def _refuse_unknown(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.RNNBase):
            raise DataError("`scale = mup` knows no recurrent layers", help="leave it out, or use attention")
        if hasattr(part, "parametrizations"):
            message = "`scale = mup` speaks of plain weights, and this network has weight methods"
            raise DataError(message, help="leave `scale` out, or take `weight = plain`")
