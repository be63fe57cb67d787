"""Every rule of what an operation keeps for its backward pass, trained or frozen, held against autograd."""

from __future__ import annotations

import pytest
import torch
from memory_oracle import Kept as Saved
from torch import nn
from weight_cases import WEIGHTS

from compiler.builders import BUILDERS
from compiler.weights.attach import freeze, reparametrize
from nasdsl.language.shapes import vector
from nasdsl.language.signatures.kept_in_place import kept_in_place, weights_kept
from nasdsl.language.signatures.matrices import MATRICES
from nasdsl.language.signatures.methods import methods_of
from nasdsl.language.signatures.weighing import FROZEN
from tests.operation_cases import OPERATIONS, Case, fitting_cases

BATCH = 64


def given(case: Case) -> list[torch.Tensor]:
    if case.inputs[0].layout == "index":
        return [torch.zeros(BATCH, *shape.sizes(), dtype=torch.long) for shape in case.inputs]
    leaves = [torch.randn(BATCH, *shape.sizes(), requires_grad=True) for shape in case.inputs]
    return [1.0 * leaf for leaf in leaves]


@pytest.mark.parametrize("frozen", [False, True], ids=["trained", "frozen"])
@pytest.mark.parametrize("op", OPERATIONS)
def test_what_is_kept_is_what_autograd_saves(op: str, frozen: bool) -> None:
    for case in fitting_cases(op, 12, seed=7):
        module = BUILDERS[op](case.arguments, case.inputs, case.output).train()
        arguments = case.arguments
        if frozen:
            freeze(module)
            arguments = {**arguments, FROZEN: True}
        inputs = given(case)
        with Saved(module) as saved:
            output = module(*inputs)
        kept = kept_in_place(op, arguments, case.inputs, case.output)
        held = (
            {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in inputs}
            if kept.inputs
            else {}
        )
        if kept.output:
            held[output.untyped_storage().data_ptr()] = output.untyped_storage().nbytes()
        expected = sum(held.values()) + 4 * BATCH * kept.inner
        if not saved.total() and not output.requires_grad:
            continue  # nothing to train in a pass over symbols, or a single input handed on
        slack = 64 * BATCH + 0.15 * saved.total()  # a few numbers per sample, such as statistics
        assert abs(expected - saved.total()) <= slack, (case, expected / BATCH / 4, saved.total() / BATCH / 4)


WIDE, HIGH = 64, 96


@pytest.mark.parametrize("passes", [True, False], ids=["passes", "ends"])
@pytest.mark.parametrize("frozen", [False, True], ids=["trained", "frozen"])
@pytest.mark.parametrize("title", WEIGHTS)
def test_what_a_weight_method_keeps_is_what_autograd_saves(title: str, frozen: bool, passes: bool) -> None:
    """Once for a batch: the part of what is saved that does not grow with it."""
    weight, shapes = WEIGHTS[title], ((vector(WIDE),), vector(HIGH))
    module = nn.Sequential(nn.Linear(WIDE, HIGH))
    vectors = {key: nn.Parameter(torch.zeros(key[0])) for key in ((5, False), (20, True))}
    reparametrize(module, methods_of(weight), MATRICES["linear"]({"width": HIGH}, *shapes), vectors)
    if frozen:
        freeze(module)
    for part in module.modules():
        if hasattr(part, "set_progress"):
            part.set_progress(1, 2)  # masks have begun
    once = 2 * saved(module, 1, passes) - saved(module, 2, passes)
    arguments = {"width": HIGH, "weight": weight, **({FROZEN: True} if frozen else {})}
    planned = weights_kept("linear", arguments, *shapes, passes)
    if title.startswith("low_rank") and "+" not in title:
        assert planned == 0, "two layers stand for one"
    else:
        assert planned == pytest.approx(once, abs=0.06 * WIDE * HIGH)


def saved(module: nn.Module, batch: int, passes: bool) -> int:
    """Numbers."""
    x = torch.randn(batch, WIDE, requires_grad=passes)
    with Saved(module) as found:
        output = module.train()(1.0 * x)
    total = found.total() // 4
    del output
    return total
