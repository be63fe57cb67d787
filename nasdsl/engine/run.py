"""A Run is a run folder as read: its space, records, best and front.

    RUN/run.sqlite                        records and meta, see store.py
    RUN/weights/trial-00012.safetensors   of the best trials
    RUN/data/                             the data as the workers map it
    RUN/logs/                             what trials printed, cut to its last part

Keys of `meta`: `format`, `space_name`, `space_text`, `space_hash`, `uses` (the modules that the space brought in, and their folders), `goals` ([[measure, maximize], …]),
`searcher`, `seed`, `budget`, `time_s`, `workers`, `slots` {`gpus`, `per_gpu`, `cluster`}, `settings` (the `set` of the search), `evaluate` (its name or null),
`limits` {`trial_time_s`, `memory_bytes`}, `created` (UTC, ISO 8601), `versions`, `hardware`,
`data` (null, or {`statement`, `inputs`, `outputs`, …}), `ended` (null while running, else
{`by`, `why`}), `groups` (see chosen.py), and once known `confirmed`, `test` and `baselines` (see confirm.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nasdsl.engine.errors import RunError
from nasdsl.engine.records import Ask, Record, best_of, pareto_front, ranked
from nasdsl.engine.store import NOT_BEGUN, Json, read_meta, read_pending, read_records, reading
from nasdsl.language.network import Goal

if TYPE_CHECKING:
    from nasdsl.language.space import Space

WEIGHTS_FOLDER = "weights"
DATA_FOLDER = "data"
LOGS_FOLDER = "logs"


@dataclass(frozen=True)
class Run:
    """A run as it stood when it was read. `records` are in the order of finishing."""

    folder: Path
    meta: Mapping[str, Json]
    records: tuple[Record, ...]
    pending: tuple[Ask, ...]

    @cached_property
    def space(self) -> Space:
        """Rebuilt from the text stored with the run, bound to the shapes of its data."""
        from nasdsl.engine.spaces import rebuild

        return rebuild(self.meta)

    @property
    def best(self) -> Record | None:
        """The best score; None while nothing succeeded."""
        return best_of(self.records)

    @property
    def front(self) -> list[Record]:
        """The Pareto set over all goals of the space, best score first."""
        return pareto_front(self.records, self.goals)

    def hypervolume(self, reference: Sequence[float] | None = None) -> float | None:
        """How much the front covers; None where no trial has a value for every goal.

        With a `reference`, one value per goal as measured: the volume between it and the front, which compares
        runs. Without: the share of the box between the worst and the best value of each goal in this run.
        """
        from searchers.objectives import objectives  # numpy is for runs with several goals alone
        from searchers.pareto import hypervolume

        told = [objectives(record.outcome, self.goals) for record in self.records]
        vectors = [vector for vector in told if vector is not None]
        if not vectors:
            return None
        if reference is not None:
            signed = zip(reference, self.goals, strict=True)
            return hypervolume(vectors, [r if goal.maximize else -r for r, goal in signed])
        columns = [(min(column), max(column)) for column in zip(*vectors, strict=True)]
        shares = [
            [
                (v - low) / (high - low) if high > low else 1.0
                for v, (low, high) in zip(vector, columns, strict=True)
            ]
            for vector in vectors
        ]
        return hypervolume(shares, [0.0] * len(columns))

    @property
    def goals(self) -> tuple[Goal, ...]:
        return tuple(Goal(measure, maximize) for measure, maximize in self.meta["goals"])

    @property
    def ended(self) -> str | None:
        """budget, time, exhausted, interrupted or failing; None while running or after a crash."""
        ended = self.meta.get("ended")
        return None if ended is None else str(ended["by"])

    @property
    def why(self) -> str | None:
        """The end in a sentence, with the error where all failed alike; None while `ended` is."""
        ended = self.meta.get("ended")
        return None if ended is None else str(ended["why"])

    def top(self, k: int) -> list[Record]:
        """The k best by score."""
        return ranked(self.records)[:k]

    def record(self, trial: int) -> Record:
        """Raises RunError where that trial has no outcome."""
        for record in self.records:
            if record.trial == trial:
                return record
        raise RunError(f"the run {self.folder} has no finished trial {trial}")

    def line(self, trial: int) -> list[Record]:
        """The trials that this one continues, the first one first, and itself last: in a population, the schedule
        of its settings, stretch by stretch. Raises RunError where one has no outcome."""
        line = [self.record(trial)]
        while "parent" in line[0].measures:
            line.insert(0, self.record(int(line[0].measures["parent"])))
        return line

    def weights(self, trial: int) -> Path | None:
        """The safetensors file of a trial, if it was among the best that are kept."""
        path = weights_path(self.folder, trial)
        return path if path.is_file() else None


def open_run(folder: str | Path) -> Run:
    """Read a run folder, also while it is being written. Raises RunError."""
    folder = Path(folder)
    with reading(folder) as connection:
        connection.execute("BEGIN")  # one snapshot, so that records and pending asks agree
        meta = read_meta(connection)
        if not meta:
            raise RunError(NOT_BEGUN.format(folder=folder))
        return Run(folder, meta, read_records(connection), read_pending(connection))


def weights_path(folder: Path, trial: int) -> Path:
    return folder / WEIGHTS_FOLDER / f"trial-{trial:05d}.safetensors"
