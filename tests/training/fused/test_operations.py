"""Every operation that fuses gives each member what it gives alone: outputs, gradients, running statistics."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import fx, nn

from compiler.builders import BUILDERS
from nasdsl.training.fused.forms import Form, Members, Unfusable
from nasdsl.training.fused.layers import Layer
from nasdsl.training.fused.stack import Stack
from tests.operation_cases import OPERATIONS, Case, fitting_cases

N = 3
BATCH = 4
MAPS = ("sequence", "image", "volume")
# What falls back to separate training: recurrent layers, attention, learned tokens, embeddings.
FUSES = {
    *("linear", "mlp", "conv1d", "conv2d", "conv3d", "depthwise_conv1d", "depthwise_conv2d"),
    *("depthwise_conv3d", "separable_conv1d", "separable_conv2d", "separable_conv3d", "factorized_conv2d"),
    *("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"),
    *("relu", "silu", "tanh", "sigmoid", "selu", "mish", "softsign", "relu6", "hard_swish"),
    *("hard_sigmoid", "hard_tanh", "gelu", "leaky_relu", "elu", "softplus", "singular_kernel"),
    *("max_pool", "avg_pool", "global_avg_pool", "global_max_pool", "upsample"),
    *("identity", "zero", "flatten", "reshape", "add", "mul", "mean", "concat", "dropout"),
    *(
        "to_tokens",
        "to_sequence",
        "project",
        "pad",
        "swiglu",
        "squeeze_excite",
        "inverted_bottleneck",
        "patch_embed",
    ),
}


def network(case: Case, seed: int) -> fx.GraphModule:
    torch.manual_seed(seed)
    module = BUILDERS[case.op](case.arguments, case.inputs, case.output)
    for parameter in module.parameters():  # norms begin alike: make the members differ
        parameter.data += 0.1 * torch.randn_like(parameter)
    graph = fx.Graph()
    inputs = tuple(graph.placeholder(f"x{i}") for i in range(len(case.inputs)))
    graph.output(graph.create_node("call_module", "op", inputs))
    return fx.GraphModule({"op": module}, graph)


def inputs_of(case: Case, shared: bool) -> tuple[list[list[torch.Tensor]], list[torch.Tensor], list[Form]]:
    """For each member its inputs, the same in their forms, and the forms."""
    each = [[torch.randn(BATCH, *s.sizes()) for s in case.inputs] for _ in range(N)]
    if shared:
        return [each[0]] * N, each[0], [Form.SHARED] * len(case.inputs)
    forms = [Form.FOLDED if s.layout in MAPS else Form.STACKED for s in case.inputs]
    joined = [
        torch.cat(xs, 1) if form is Form.FOLDED else torch.stack(xs)
        for xs, form in zip(zip(*each, strict=True), forms, strict=True)
    ]
    return each, joined, forms


def check(case: Case, shared: bool) -> None:
    alone = [network(case, seed) for seed in range(N)]
    stack_of = copy.deepcopy(alone)
    torch.manual_seed(9)
    each, joined, forms = inputs_of(case, shared)
    members = Members([torch.Generator().manual_seed(seed) for seed in range(N)])
    stack = Stack(stack_of, forms, members)
    try:
        expected = []
        for seed, (module, inputs) in enumerate(zip(alone, each, strict=True)):
            torch.manual_seed(seed)
            expected.append(module(*inputs))
    except ValueError:
        return  # a norm over a single value, refused by both
    found = stack.run(*joined)
    assert torch.allclose(found, torch.stack(expected), atol=2e-5, rtol=2e-4), case
    weights = torch.randn_like(found)
    if found.requires_grad:
        (found * weights).sum().backward()
        torch.stack([(y * w).sum() for y, w in zip(expected, weights, strict=True)]).sum().backward()
    for layer in stack.layers:
        for name, tensor in layer.named_parameters(recurse=False):
            for place, part in enumerate(layer.parts):
                path = next(p for p, m in stack_of[place].named_modules() if m is part)
                own = getattr(alone[place].get_submodule(path), name)
                grad = layer.view(name, tensor.grad, place)
                scale = 1 + own.grad.abs().max()
                assert torch.allclose(grad, own.grad, atol=2e-5 * scale, rtol=1e-3), (case, name)
    for mine, own in zip(stack_of, alone, strict=True):
        for (name, a), b in zip(mine.named_buffers(), own.buffers(), strict=True):
            assert torch.allclose(a.float(), b.float(), atol=1e-5), (case, name)


def fuses(op: str) -> bool:
    """Whether any of its cases fuses."""
    for case in fitting_cases(op, 6, seed=1):
        try:
            Stack([network(case, s) for s in range(N)], inputs_of(case, False)[2], members_of())
            return True
        except Unfusable:
            continue
    return False


def members_of() -> Members:
    return Members([torch.Generator() for _ in range(N)])


@pytest.mark.parametrize("op", sorted(FUSES))
@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_members_get_what_they_get_alone(op: str, shared: bool) -> None:
    for case in fitting_cases(op, 6, seed=1):
        check(case, shared)


def test_what_does_not_fuse_says_so() -> None:
    """An operation that starts to fuse must be named above, and so be tested."""
    assert {op for op in OPERATIONS if fuses(op)} == FUSES


def test_a_refused_group_leaves_its_networks_as_they_were() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    def two_steps(seed: int) -> fx.GraphModule:
        torch.manual_seed(seed)
        graph = fx.Graph()
        x = graph.create_node("call_module", "first", (graph.placeholder("x"),))
        graph.output(graph.create_node("call_module", "odd", (x,)))
        return fx.GraphModule({"first": nn.Linear(2, 2), "odd": Odd()}, graph)

    networks = [two_steps(seed) for seed in range(2)]
    before = [{n: t.clone() for n, t in net.state_dict().items()} for net in networks]
    with pytest.raises(Unfusable, match="Odd does not fuse"):
        Stack(networks, [Form.STACKED], Members([torch.Generator()] * 2))
    for net, state in zip(networks, before, strict=True):
        assert all(torch.equal(t, state[n]) and t.is_contiguous() for n, t in net.state_dict().items())


def test_members_that_leave_keep_their_weights_and_the_rest_goes_on() -> None:
    case = next(fitting_cases("linear", 1, seed=1))
    networks = [network(case, seed) for seed in range(N)]
    own = [net.op.weight.detach().clone() for net in networks]
    stack = Stack(networks, [Form.STACKED], members_of())
    stack.keep([0, 2])
    (layer,) = stack.layers
    assert isinstance(layer, Layer)
    with torch.no_grad():
        layer.weight += 1
    assert torch.allclose(networks[0].op.weight, own[0] + 1) and torch.allclose(
        networks[2].op.weight, own[2] + 1
    )
    assert torch.equal(networks[1].op.weight, own[1])
