"""Which weights are kept: those of the best trials, as safetensors under `RUN/weights/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nasdsl.engine.checkpoints import replace_durably
from nasdsl.engine.messages import Result
from nasdsl.engine.records import Record, ranked
from nasdsl.engine.run import WEIGHTS_FOLDER, weights_path


class Keeper:
    """Keeps the weights of the best `k` trials.

    A worker writes to a partial file; it gets its name before the record is stored, so that a stored
    best trial has its weights, whenever the process dies.
    """

    def __init__(self, folder: Path, k: int, records: Sequence[Record] = ()) -> None:
        """`records`: what the run holds already."""
        self._folder = folder
        self._k = k
        self._top = ranked(records)[:k]
        (folder / WEIGHTS_FOLDER).mkdir(exist_ok=True)
        kept = {weights_path(folder, best.trial) for best in self._top}
        for path in (folder / WEIGHTS_FOLDER).iterdir():
            if path not in kept:  # half written, or not yet deleted, when the driver died
                path.unlink()

    def partial(self, trial: int) -> Path:
        """Where the worker writes."""
        path = weights_path(self._folder, trial)
        return path.with_name(f".{path.stem}.partial")

    def threshold(self) -> float | None:
        """The score that a trial must exceed to be kept; None: any will do."""
        return self._top[-1].score if len(self._top) == self._k else None

    def keep(self, trial: int, result: Result) -> None:
        """Give what the worker wrote its name."""
        if result.weights is not None:
            replace_durably(result.weights, weights_path(self._folder, trial))

    def note(self, record: Record) -> None:
        """Take a stored record into account, and delete the weights of what fell out of the best."""
        if record.score is None:
            return
        among = ranked([*self._top, record])
        self._top = among[: self._k]
        for fallen in among[self._k :]:
            weights_path(self._folder, fallen.trial).unlink(missing_ok=True)
