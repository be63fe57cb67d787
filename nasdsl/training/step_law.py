"""`step_law`: learning rate and batch size out of the size of network and data (Li et al. 2025, arXiv 2503.04715).

    lr = 1.79 N^-0.713 D^0.307        batch = 0.58 D^0.571, in symbols

N counts weights but for embeddings, D the symbols (samples, where data are no text) that a training sees. Fitted on
3,700 language models of 60M to 1B weights trained by AdamW on 2G to 100G symbols. Elsewhere it is where to look
first, no constant: `lr = step_law * (0.5..2 log)`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nasdsl.language.laws import is_law
from nasdsl.language.network import Spec, Value
from nasdsl.training.dataset import Dataset
from nasdsl.training.pacing import epochs_of
from nasdsl.training.settings import Settings, call, number, numbers, setting

if TYPE_CHECKING:
    from compiler.plan import Plan

_EMBEDDINGS = ("token_embedding", "embed_columns", "learned_positions")


def rate(n_weights: int, n_symbols: int) -> float:
    """Of AdamW, at its highest."""
    return float(1.79 * n_weights**-0.713 * n_symbols**0.307)


def batch(n_symbols: int) -> float:
    """In symbols."""
    return float(0.58 * n_symbols**0.571)


def worked_out(settings: Settings, plan: Plan, data: Dataset, n_epochs: int) -> Settings:
    """The settings with numbers in place of laws, and `lr` in the optimizer. Doing it again changes nothing.

    What `until` ends by symbols counts into D; what it ends by anything else does not.
    """
    found: dict[str, Value] = dict(settings)
    n_weights = max(1, plan.params - sum(node.params for node in plan.nodes if node.op in _EMBEDDINGS))
    length = symbols_of(data)
    n_symbols = _seen(settings, len(data.rows("train")) * length, n_epochs)
    size = setting(settings, "batch_size")
    if is_law(size):
        wanted = number(size["factor"], "factor") * batch(n_symbols) / length
        found["batch_size"] = min(max(2, round(wanted)), len(data.rows("train")))
    optimizer = call(settings, "optimizer")
    assert optimizer is not None
    lr = found.pop("lr", None)
    lr = optimizer["lr"] if lr is None else lr
    if is_law(lr):
        lr = number(lr["factor"], "factor") * rate(n_weights, n_symbols)
    if lr != optimizer["lr"]:
        found["optimizer"] = Spec(optimizer.name, {**optimizer.arguments, "lr": lr})
    return found


def symbols_of(data: Dataset) -> int:
    """In a sample of a text; 1 for a sample of other data."""
    return math.prod(shape.sizes()[0] for shape in data.shapes.values() if shape.layout == "index")


def _seen(settings: Settings, in_epoch: int, n_epochs: int) -> int:
    until = call(settings, "until")
    seen = in_epoch * epochs_of(settings, n_epochs)
    if until is not None and until.name == "tokens":
        seen = min(seen, int(numbers(until)["count"]))
    return max(1, seen)
