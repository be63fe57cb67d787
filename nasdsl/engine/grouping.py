"""Whether the jobs of a group are trained as one program, by what is known of their structure.

What a probe chose is told to the parent (`Chose`), stored with the run, and kept to when it is resumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from nasdsl.engine.messages import NO_GRAPH, Chose
from nasdsl.training.dataset import Dataset
from nasdsl.training.fused.forms import Unfusable
from nasdsl.training.fused.probe import seconds_a_step
from nasdsl.training.fused.train import Candidate
from nasdsl.training.settings import whole

if TYPE_CHECKING:
    from compiler.plan import Plan


def _folds_pay(plan: Plan) -> bool:
    """Folds of one candidate, on the CPU. No clock: a run must be the same each time it is made. Products gain
    from four members on, convolutions there do not (docs/performance.md)."""
    return not any("conv" in node.op for node in plan.nodes)


class Choices:
    """What was chosen for each structure; `known` from the run."""

    def __init__(self, known: Mapping[str, bool]) -> None:
        self._known = dict(known)

    def choose(
        self, candidates: Sequence[Candidate], plan: Plan, dataset: Dataset, device: str
    ) -> tuple[bool, Chose | None]:
        """Whether to train together, and what to tell of it where that is new."""
        if len(candidates) == 1 and device == "cpu":
            return _folds_pay(plan), None
        n = len(candidates) * len(dataset.folds)
        key = f"{plan.hash} batch {whole(candidates[0].settings, 'batch_size')} x {n} on {device}"
        what = f"{n} networks of structure {plan.hash[:8]}"
        if key in self._known:
            return self._known[key], None
        try:
            together, alone = seconds_a_step(candidates, plan, dataset, torch.device(device))
            chose = Chose(key, together < alone, f"{alone / together:.2f} times as fast together", what)
        except Unfusable as error:
            chose = Chose(key, False, str(error), what)
        self._known[key] = chose.together
        return chose.together, chose

    def without_graph(self, why: str) -> Chose | None:
        """What to tell of steps that no CUDA graph repeats; once for each reason."""
        key = f"{NO_GRAPH}{why}"
        if key in self._known:
            return None
        self._known[key] = False
        return Chose(key, False, why, "steps")

    def folds_apart(self, why: Unfusable) -> Chose | None:
        """What to tell of folds that cannot train together; once for each reason."""
        key = f"folds: {why}"
        if key in self._known:
            return None
        self._known[key] = False
        return Chose(key, False, str(why), "the folds of a candidate")
