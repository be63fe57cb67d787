"""A network that continues a text must not see what it has to say."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from nasdsl.language.signatures.data import BYTES
from nasdsl.training.errors import DataError
from nasdsl.training.measuring import outputs_of
from nasdsl.training.resident import Resident

_HELP = (
    "let each position see earlier ones only: `attention(…, causal = yes)`; no convolution, mean, norm or"
    " recurrence in both directions over positions"
)


def refuse_leak(module: nn.Module, data: Resident, rows: torch.Tensor) -> None:
    """Raises DataError where an output depends on a later symbol: such a network only copies its target.

    The symbols of the second half are changed, and the outputs of the first half must stay what they were.
    """
    batch = data.batch(rows[:1])
    (name, symbols), *_ = batch.inputs.items()
    half = symbols.shape[1] // 2
    other = symbols.clone()
    other[:, half:] = (other[:, half:] + 1) % BYTES
    was_training = module.training
    module.eval()
    with torch.inference_mode():
        (before,) = outputs_of(module, batch).values()
        (after,) = outputs_of(module, replace(batch, inputs={name: other})).values()
    module.train(was_training)
    if not torch.allclose(before[:, :half], after[:, :half], rtol=1e-4, atol=1e-5):
        raise DataError("the network sees the symbols that it is to predict", help=_HELP)
