"""A plan as a networkx graph, for drawing and for whoever wants to compute on its structure."""

from __future__ import annotations

import networkx

from compiler.plan import Plan


def graph_of(plan: Plan) -> networkx.MultiDiGraph[str]:
    """Nodes carry their Node as `node`, edges the `place` among the inputs of the node they lead to.

    Several edges between two nodes are possible: `add(x, x)`.
    """
    graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    for node in plan.nodes:
        graph.add_node(node.name, node=node)
        for place, name in enumerate(node.inputs):
            graph.add_edge(name, node.name, place=place)
    return graph
