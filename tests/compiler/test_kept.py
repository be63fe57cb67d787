"""Every rule of what an operation keeps for its backward pass, held against autograd."""

from __future__ import annotations

import pytest
import torch
from memory_oracle import Kept as Saved

from compiler.builders import BUILDERS
from nasdsl.language.signatures.kept import kept_by
from tests.operation_cases import OPERATIONS, Case, fitting_cases

BATCH = 64


def given(case: Case) -> list[torch.Tensor]:
    if case.inputs[0].layout == "index":
        return [torch.zeros(BATCH, *shape.sizes(), dtype=torch.long) for shape in case.inputs]
    leaves = [torch.randn(BATCH, *shape.sizes(), requires_grad=True) for shape in case.inputs]
    return [1.0 * leaf for leaf in leaves]


@pytest.mark.parametrize("op", OPERATIONS)
def test_what_is_kept_is_what_autograd_saves(op: str) -> None:
    for case in fitting_cases(op, 12, seed=7):
        module = BUILDERS[op](case.arguments, case.inputs, case.output).train()
        inputs = given(case)
        with Saved(module) as saved:
            output = module(*inputs)
        kept = kept_by(op, case.arguments, case.inputs, case.output)
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
