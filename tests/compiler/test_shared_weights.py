"""Layers that share weights are one module in the graph, in the exported file and in the hash."""

from __future__ import annotations

import torch

from compiler.build import build
from compiler.plan import plan
from compiler.source import Facts, python_source
from nasdsl.language.reading import parse
from nasdsl.language.space import Space

BODY = "residual { layer_norm; linear(8); gelu }"


def space_with(how: str, body: str = BODY) -> Space:
    return parse(
        f"task classification on shape(8, classes = 3)\nnetwork {{ repeat 3 {how} {{ {body} }}; linear(outputs) }}"
    )


def planned(space: Space):
    return plan(space, space.default())


def test_the_graph_calls_one_module() -> None:
    found = planned(space_with("shared except layer_norm"))
    module = build(found, 0)
    calls = [node.target for node in module.graph.nodes if node.op == "call_module"]
    assert calls.count("repeat_0_linear") == 3
    assert {"repeat_0_layer_norm", "repeat_1_layer_norm", "repeat_2_layer_norm"} <= set(calls)
    assert sum(p.numel() for p in module.parameters()) == found.params


def test_gradients_of_shared_weights_are_the_sum_over_the_copies() -> None:
    shared = build(planned(space_with("shared")), 0)
    apart = build(planned(space_with("tied")), 0)
    state = shared.state_dict()
    apart.load_state_dict(
        {
            k: state[k.replace("repeat_1_", "repeat_0_").replace("repeat_2_", "repeat_0_")]
            for k in apart.state_dict()
        }
    )
    x = torch.randn(5, 8)
    shared(x).square().sum().backward()
    apart(x).square().sum().backward()
    for name, parameter in shared.named_parameters():
        copies = [name.replace("repeat_0_", f"repeat_{i}_") for i in range(3)] if "repeat" in name else [name]
        total = sum(apart.get_parameter(copy).grad for copy in copies)
        torch.testing.assert_close(parameter.grad, total)


def test_exported_source_shares_as_well() -> None:
    found = planned(space_with("shared"))
    module, names = build(found, 0), {}
    exec(python_source(found, Facts(), "n.pt").replace("Path(__file__)", "Path('n')"), names)
    standalone = names["Network"]()
    standalone.load_state_dict(module.state_dict())
    x = torch.randn(4, 8)
    torch.testing.assert_close(standalone.eval()(x), module.eval()(x))


def test_sharing_changes_the_structure_but_not_the_way_it_came_about() -> None:
    hashes = [planned(space_with(how)).hash for how in ("shared", "tied", "shared except layer_norm", "")]
    assert len(set(hashes)) == 3
    assert hashes[1] == hashes[3]
    assert planned(space_with("shared", "identity; " + BODY)).hash == hashes[0]


def test_which_layers_share_is_part_of_the_structure() -> None:
    nested = "a: repeat 2 {} {{ linear(8); relu }}"
    inner, outer = (
        planned(space_with(how, nested.format(within))).hash
        for how, within in (("", "shared"), ("shared", ""))
    )
    assert inner != outer
