"""From a point of a space to a network in one call."""

from __future__ import annotations

import torch

from compiler import build as of_plan
from compiler.plan import Decides, plan
from nasdsl.language.point import Point


def build(space: Decides, point: Point, seed: int | None = None) -> torch.fx.GraphModule:
    """The network that `point` decides in `space`, as a module with the shapes of its plan.

    Weights are drawn from `seed`; without one, from torch's own generators. Works under
    `torch.device("meta")` too.
    """
    return of_plan.build(plan(space, point), seed)
