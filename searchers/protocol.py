"""The contract between a searcher and whoever runs trials: `ask` and `tell`.

No torch, no files, no clocks. Same seed and same history give the same points in any process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from nasdsl.language.point import Point


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one evaluation. `score` is maximised; None when it failed.

    `budget` is the resource spent (epochs) where fidelities are used, None for a full evaluation;
    `measures` are all numbers known of the trial, by name. Budget 0 is hearsay: what an earlier run found in
    another version of the space; `doubt` is then the variance that this adds, as a share of that of all scores.
    `infeasible`: a limit was measured and broken, so that there is no score; says nothing of how good the point is.
    """

    score: float | None = None
    error: str | None = None
    budget: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    doubt: float = 0.0
    infeasible: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """How a trial continues an earlier one.

    `parent`: the trial whose checkpoints it starts from; None: from scratch. `budget`: how far it is to
    be trained in all (epochs), None for as far as the point says. `member`: the place in a population.
    """

    parent: int | None = None
    budget: float | None = None
    member: int | None = None

    def measures(self) -> dict[str, float]:
        """As numbers for the record of the trial, which is how a resumed search learns of it."""
        known = {"parent": self.parent, "budget": self.budget, "member": self.member}
        return {name: float(value) for name, value in known.items() if value is not None}

    @classmethod
    def of(cls, numbers: Mapping[str, float]) -> Lineage:
        """The lineage among such numbers."""
        whole = {name: int(numbers[name]) for name in ("parent", "member") if name in numbers}
        return cls(whole.get("parent"), numbers.get("budget"), whole.get("member"))


class Searcher(Protocol):
    """Proposes points. Each ask gets at least one tell (one per budget), in any order."""

    def ask(self, trial: int) -> Point | None:
        """The point for this trial; None: nothing left to try."""
        ...

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Take an outcome, also of a failure, also for points never asked for.

        Repeated tells are keyed by (trial, budget): the last one holds.
        """
        ...
