"""The weights of a built network: methods put on its modules, frozen parts frozen."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from compiler.names import attribute_names
from compiler.plan import Node, Plan
from compiler.weights.attach import freeze, reparametrize
from nasdsl.language.signatures.matrices import MATRICES
from nasdsl.language.signatures.weighing import FROZEN, factored_ranks, methods_at, shared_vectors


def weigh(plan: Plan, modules: Mapping[str, nn.Module]) -> None:
    """Give the modules of a plan, by attribute name, the weight methods and the freezing that it says."""
    tuned = [node for node in plan.nodes if methods_at(node.op, node.arguments) and not node.shares]
    frozen = [node for node in plan.nodes if FROZEN in node.arguments and not node.shares]
    if not tuned and not frozen:
        return
    names, nodes = attribute_names(plan), {node.name: node for node in plan.nodes}
    vectors = _vectors(tuned, nodes)
    for node in tuned:
        inputs = tuple(nodes[name].output for name in node.inputs)
        if not any(factored_ranks(node.op, node.arguments, inputs, node.output)):
            methods = methods_at(node.op, node.arguments)
            matrices = MATRICES[node.op](node.arguments, inputs, node.output)
            reparametrize(modules[names[node.name]], methods, matrices, vectors)
    for node in frozen:
        freeze(modules[names[node.name]])


def _vectors(tuned: list[Node], nodes: Mapping[str, Node]) -> dict[tuple[int, bool], nn.Parameter]:
    """The vectors that layers with `intrinsic` share, all zero at the start."""
    lengths = shared_vectors(
        (node.op, node.arguments, tuple(nodes[name].output for name in node.inputs), node.output)
        for node in tuned
    )
    return {key: nn.Parameter(torch.zeros(length)) for key, length in lengths.items()}
