"""Every operation becomes a torch module of exactly the planned shape, parameters and MACs."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from compiler.builders import BUILDERS, RECIPES, helper_source
from compiler.builders.recipe import make
from nasdsl.language.network import Spec
from nasdsl.language.shapes import Shape, shape_of
from nasdsl.language.signatures.bottleneck import squeezed_in_bottleneck
from tests.operation_cases import OPERATIONS, TABLE, Case, fitting_cases, strict

WEIGHTED = tuple(op for op in OPERATIONS if TABLE[op].macs is not None)
BATCH = 2
_SLOW_ON_META = ("rnn", "gru", "lstm")  # taken apart into one operation per step and gate


def few(op: str, count: int) -> int:
    return count // 8 if op in _SLOW_ON_META or TABLE[op].group == "activation" else count


def module_of(case: Case) -> nn.Module:
    return BUILDERS[case.op](case.arguments, case.inputs, case.output)


def tensors_of(case: Case, batch: int = BATCH) -> list[torch.Tensor]:
    return [tensor_of(shape, batch) for shape in case.inputs]


def tensor_of(shape: Shape, batch: int = BATCH) -> torch.Tensor:
    if shape.layout == "index":
        return torch.zeros(batch, *shape.sizes(), dtype=torch.long)
    return torch.randn(batch, *shape.sizes())


def case_of(op: str, *inputs: Shape, **given: object) -> Case:
    arguments = {a.name: a.default for a in TABLE[op].arguments} | given
    return Case(op, arguments, inputs, TABLE[op].shape(arguments, inputs, strict))


def test_every_operation_has_a_builder() -> None:
    around = {"widen", "gate", "adapter"}  # what stands around a body has its tests elsewhere
    assert BUILDERS.keys() == RECIPES.keys() == {*OPERATIONS, *around}


@pytest.mark.parametrize("op", OPERATIONS)
def test_shape_and_parameters_are_those_of_torch(op: str) -> None:
    check_shapes_and_parameters(op, few(op, 40), seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("op", OPERATIONS)
def test_shape_and_parameters_are_those_of_torch_in_a_thousand_cases(op: str) -> None:
    check_shapes_and_parameters(op, few(op, 1000), seed=4)


def check_shapes_and_parameters(op: str, count: int, seed: int) -> None:
    for case in fitting_cases(op, count, seed):
        with torch.device("meta"):
            module = module_of(case)
            given = module(*tensors_of(case))
        params = (
            case.signature.params(case.arguments, case.inputs, case.output) if case.signature.params else 0
        )
        assert tuple(given.shape) == (BATCH, *case.output.sizes()), case
        assert params == sum(p.numel() for p in module.parameters()), case


@pytest.mark.parametrize("op", OPERATIONS)
def test_macs_are_those_that_torch_counts(op: str) -> None:
    for case in fitting_cases(op, few(op, 24) if op in WEIGHTED else 5, seed=1):
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            module_of(case)(*tensors_of(case))
        macs = case.signature.macs(case.arguments, case.inputs, case.output) if case.signature.macs else 0
        assert 2 * BATCH * macs == counter.get_total_flops(), case


@pytest.mark.parametrize("op", OPERATIONS)
def test_source_makes_the_same_module_without_nasdsl(op: str) -> None:
    for case in fitting_cases(op, 8, seed=2):
        recipe = RECIPES[op](case.arguments, case.inputs, case.output)
        standalone = {"torch": torch, "nn": nn, "F": nn.functional, "Tensor": torch.Tensor}
        exec(helper_source(recipe.helpers()), standalone)
        copy = eval(recipe.source(), standalone)
        module = recipe.build()
        copy.load_state_dict(module.state_dict())
        tensors = tensors_of(case)
        torch.testing.assert_close(copy.eval()(*tensors), module.eval()(*tensors), equal_nan=True)


@pytest.mark.parametrize("op", OPERATIONS)
def test_output_is_finite_and_every_parameter_gets_a_gradient(op: str) -> None:
    for case in fitting_cases(op, 5, seed=3):
        module = module_of(case)
        output = module.train()(*tensors_of(case, batch=4))
        assert output.isfinite().all(), case
        if list(module.parameters()):
            output.sum().backward()
            assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters()), case


def test_same_convolution_of_stride_one_is_that_of_torch() -> None:
    image = shape_of((3, 9, 7))
    case = case_of("conv2d", image, filters=4, kernel=5, dilation=2)
    module = module_of(case)
    assert isinstance(module, nn.Conv2d)
    twin = nn.Conv2d(3, 4, 5, dilation=2, padding="same")
    twin.load_state_dict(module.state_dict())
    x = tensor_of(image)
    torch.testing.assert_close(module(x), twin(x))


@pytest.mark.parametrize("window", [2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_average_pool_of_same_padding_leaves_out_what_is_outside(window: int, stride: int) -> None:
    image = shape_of((1, 8, 7))
    pool = module_of(case_of("avg_pool", image, window=window, stride=stride, padding="same"))
    ones = torch.ones(1, 1, 8, 7)
    torch.testing.assert_close(pool(ones), torch.ones_like(pool(ones)))


@pytest.mark.parametrize("op", ["rnn", "gru", "lstm"])
def test_last_state_is_the_last_step_forwards_and_the_first_backwards(op: str) -> None:
    sequence = shape_of((3, 7))
    every = module_of(case_of(op, sequence, width=4, layers=2, bidirectional=True))
    last = module_of(case_of(op, sequence, width=4, layers=2, bidirectional=True, keep="last"))
    last.load_state_dict(every.state_dict())
    x = tensor_of(sequence)
    steps = every(x)
    torch.testing.assert_close(last(x), torch.cat([steps[:, :4, -1], steps[:, 4:, 0]], 1))


def test_recurrent_layers_read_tokens_as_a_sequence_turned() -> None:
    on_tokens = module_of(case_of("gru", Shape((7, 3), "tokens"), width=4))
    on_sequence = module_of(case_of("gru", shape_of((3, 7)), width=4))
    on_sequence.load_state_dict(on_tokens.state_dict())
    x = torch.randn(2, 7, 3)
    torch.testing.assert_close(on_sequence(x.transpose(1, 2)).transpose(1, 2), on_tokens(x))


def test_project_strides_as_the_body_does() -> None:
    image = shape_of((3, 7, 8))
    module = module_of(case_of("project", image, width=5, size=(4, 4)))
    assert isinstance(module, nn.Conv2d)
    assert module.stride == (2, 2)


def test_project_beside_an_unpadded_convolution_picks_the_centre() -> None:
    sequence = shape_of((1, 10))
    module = module_of(case_of("project", sequence, width=1, size=8))
    x = torch.arange(10.0).reshape(1, 1, 10)
    nn.init.ones_(module.conv.weight)
    assert module(x).flatten().tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_pad_keeps_what_it_gets_and_appends_zeros() -> None:
    tokens = Shape((4, 3), "tokens")
    x = tensor_of(tokens)
    padded = module_of(case_of("pad", tokens, width=5))(x)
    torch.testing.assert_close(padded, torch.cat([x, torch.zeros(BATCH, 4, 2)], -1))


@pytest.mark.parametrize("layout", ["sequence", "image", "volume"])
def test_rms_norm_of_a_map_has_mean_square_one(layout: str) -> None:
    dims = {"sequence": (4, 9), "image": (4, 5, 6), "volume": (4, 3, 4, 5)}[layout]
    y = module_of(case_of("rms_norm", shape_of(dims)))(10 * torch.randn(3, *dims))
    torch.testing.assert_close(y.square().flatten(1).mean(1), torch.ones(3), rtol=1e-4, atol=1e-4)


def test_mlp_applies_the_activation_it_is_given() -> None:
    recipe = RECIPES["mlp"](
        {
            "hidden": 8,
            "act": Spec("elu", {"alpha": 0.5}),
            "dropout": 0.1,
            "bias": True,
            "weight": Spec("plain"),
        },
        (shape_of((4,)),),
        shape_of((4,)),
    )
    assert recipe.source() == (
        "Chain(expand=nn.Linear(4, 8), act=nn.ELU(alpha=0.5), dropout=nn.Dropout(0.1), contract=nn.Linear(8, 4))"
    )
    assert recipe.helpers() == ("Chain",)


def test_strings_are_printed_as_python() -> None:
    assert make("nn.Upsample", scale_factor=2, mode="nearest").source() == (
        'nn.Upsample(scale_factor=2, mode="nearest")'
    )


@pytest.mark.parametrize(
    ("hidden", "between"), [(72, 24), (120, 32), (240, 64), (480, 120), (672, 168), (960, 240)]
)
def test_gates_of_mobilenet_v3_are_as_wide_as_published(hidden: int, between: int) -> None:
    assert squeezed_in_bottleneck({"gate": "mobilenet_v3"}, 24, hidden) == between
