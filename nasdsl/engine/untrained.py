"""What is known of a trial's network before any training is spent on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nasdsl.engine.messages import Result
from nasdsl.language.network import Goal
from nasdsl.language.point import Point
from nasdsl.language.quantities import QUANTITIES

if TYPE_CHECKING:
    from nasdsl.language.space import Space


@dataclass(frozen=True, slots=True)
class Costs:
    """`params` and `macs` are None where there is no network; `measures` has what the goals name."""

    params: int | None = None
    macs: int | None = None
    measures: Mapping[str, float] = field(default_factory=dict)

    def added_to(self, result: Result) -> Result:
        """The result with these costs; what was measured in training stands above them."""
        measures = {**self.measures, **result.measures}
        return replace(result, params=self.params, macs=self.macs, measures=measures)


def costs_of(space: Space | None, point: Point) -> Costs:
    """The costs of the point's network. Raises what an unfit point raises."""
    if space is None or not space.has_network:
        return Costs()
    quantities = space.quantities(point)
    named = [goal.measure for goal in space.goals if goal.measure in QUANTITIES]
    params, macs = int(quantities["params"]), int(quantities["macs"])
    return Costs(params, macs, {name: float(quantities[name]) for name in named})


def with_all_goals(result: Result, goals: Sequence[Goal]) -> Result:
    """The result, failed where a goal beyond the first was not measured: the trial would else drop out
    of every comparison without a word."""
    known = {"seconds", *result.measures}
    missing = [goal.measure for goal in goals[1:] if goal.measure not in known]
    if result.error is not None or not missing:
        return result
    told = ", ".join(f"`{name}`" for name in missing)
    error = f"the space has {told} among its objectives, and the evaluation gave none"
    return replace(result, score=None, error=error, reason="failed")
