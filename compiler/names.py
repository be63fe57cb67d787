"""The names under which nodes become attributes of a module, alike in every emitter.

Module graph and exported source must agree on them, so that one file of weights serves both.
"""

from __future__ import annotations

import keyword

from torch import fx

from compiler.plan import INPUT, Plan

_KEYWORDS = frozenset({*keyword.kwlist, "self"})
# Names that an exported file uses itself, attributes that a GraphModule gets when it is made, and those of its class.
_TAKEN = frozenset({"torch", "nn", "F", "x", "training", "graph", *dir(fx.GraphModule)})


def attribute_names(plan: Plan) -> dict[str, str]:
    """Node name -> attribute name, or for an input the name of the argument of `forward`.

    It is the name itself, with a trailing underscore where Python or torch has that name.
    """
    names: dict[str, str] = {}
    used = {node.name for node in plan.nodes}
    for node in plan.nodes:
        name = node.name
        while _reserved(name, node.op == INPUT) or (name != node.name and name in used):
            name += "_"
        used.add(name)
        names[node.name] = name
    return names


def _reserved(name: str, argument: bool) -> bool:
    return name in _KEYWORDS or (not argument and name in _TAKEN)
