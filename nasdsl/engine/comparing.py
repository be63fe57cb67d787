"""What an edit of a space does to the trials of a stored run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nasdsl.engine.run import Run, open_run
from nasdsl.language.carrying import Carrier
from nasdsl.language.errors import Infeasible
from nasdsl.language.reading import load
from nasdsl.language.space import Space


@dataclass(frozen=True)
class Effect:
    """Of `trials` points, `whole` keep every answer. `lost`: how many lose an answer at a site, and why."""

    trials: int
    whole: int
    lost: Mapping[tuple[str, str], int] = field(default_factory=dict)


def space_or_run(path: str) -> tuple[Space, Run | None]:
    """The space of a file, or of a run folder. Raises SpaceError and RunError."""
    if Path(path).is_dir():
        run = open_run(path)
        return run.space, run
    return load(path), None


def effect(run: Run, new: Space) -> Effect:
    """What carrying all points of a run to another version of its space would keep and lose."""
    sites, carrier = run.space.sites, Carrier(run.space, new)
    lost: Counter[tuple[str, str]] = Counter()
    whole = 0
    for record in run.records:
        try:
            carried = carrier.carry(record.point)
        except Infeasible:
            lost["", "has no point in the new version"] += 1
            continue
        whole += not carried.dropped
        lost.update({(sites.of(path), reason): 1 for path, reason in carried.dropped.items()})
    return Effect(len(run.records), whole, dict(sorted(lost.items(), key=lambda one: (-one[1], one[0]))))
