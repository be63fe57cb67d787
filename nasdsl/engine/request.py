"""What a search is asked to do, with defaults filled in and numbers checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasdsl.engine import functions
from nasdsl.engine.errors import EngineError, RunError
from nasdsl.engine.events import Event
from nasdsl.engine.fidelity import Fidelity
from nasdsl.engine.meta import fresh_meta
from nasdsl.engine.places import Place
from nasdsl.engine.proposing import check_name, default_searcher
from nasdsl.engine.store import Json
from nasdsl.language.decisions import Answer
from nasdsl.language.point import Point
from searchers.protocol import Searcher

if TYPE_CHECKING:
    from nasdsl.language.space import Space

DEFAULT_BUDGET = 32


@dataclass(frozen=True)
class Request:
    """The arguments of `search`, as given; see there. None: not given."""

    space: Space
    searcher: str | Searcher | None
    budget: int | None
    time_s: float | None
    seed: int
    places: Sequence[Place]
    slots: Mapping[str, Json]  # what was asked for in words: `gpus`, `per_gpu`, `cluster`
    evaluate: Callable[..., Any] | str | None
    data: Any
    valid: Any
    confirm: int
    overrides: Mapping[str, Answer]
    trial_time_s: float | None
    memory_bytes: int | None
    start: Point | None
    warm: Sequence[str | Path]
    fidelity: Fidelity
    on_event: Callable[[Event], None] = field(repr=False)

    def __post_init__(self) -> None:
        """Raises EngineError for numbers that mean nothing, and for an unknown searcher."""
        for name, least in (("budget", 0), ("confirm", 0)):
            _at_least(name, getattr(self, name), least)
        for name in ("time_s", "trial_time_s", "memory_bytes"):
            _positive(name.rpartition("_")[0], getattr(self, name))
        if isinstance(self.searcher, str):
            check_name(self.searcher)
        if self.evaluate is None and not self.space.has_network:
            raise EngineError(f"`{self.space.name}` has no network to train; give `evaluate`")

    def meta(self, described_data: Json) -> dict[str, Json]:
        """What a run that begins with this request stores about itself."""
        searcher = default_searcher() if self.searcher is None else self.searcher
        limited = self.budget is not None or self.time_s is not None
        options = {
            "searcher": searcher if isinstance(searcher, str) else type(searcher).__name__,
            "seed": self.seed,
            "budget": self.budget if limited else DEFAULT_BUDGET,
            "time_s": self.time_s,
            **self.where(),
            "settings": dict(self.overrides),
            "evaluate": functions.name_of(self.evaluate),
            "fidelity": self.fidelity,
            "limits": {"trial_time_s": self.trial_time_s, "memory_bytes": self.memory_bytes},
            "data": described_data,
        }
        return fresh_meta(self.space, options)

    def where(self) -> dict[str, Json]:
        """On what trials run; a resume may go on elsewhere, and then stores that."""
        return {"workers": len(self.places), "slots": dict(self.slots)}

    def budget_of(self, meta: Mapping[str, Any]) -> int | None:
        """A resume keeps the stored budget unless it is given a budget or a time of its own."""
        return meta["budget"] if self.budget is None and self.time_s is None else self.budget

    def overrides_of(self, folder: Path, meta: Mapping[str, Any]) -> Mapping[str, Answer]:
        """A resume keeps what the run began with. Raises RunError where it is asked for something else."""
        stored: Mapping[str, Answer] = meta.get("settings", self.overrides)
        if self.overrides and dict(self.overrides) != dict(stored):
            said = ", ".join(f"{path}={value}" for path, value in stored.items()) or "nothing"
            raise RunError(f"{folder} was begun with other answers set ({said}); give another --run")
        return stored

    def check_warm(self, folder: Path, meta: Mapping[str, Any]) -> None:
        """Raises RunError where a resume is asked to begin from other runs than it did."""
        stored = (meta.get("earlier") or {}).get("runs", [])
        if self.warm and [str(run) for run in self.warm] != stored:
            said = " and ".join(stored) or "nothing"
            raise RunError(f"{folder} was begun with what {said} knew; give another --run")


def _at_least(name: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise EngineError(f"{name} is {value}; it must be at least {least}")


def _positive(name: str, limit: float | None) -> None:
    if limit is not None and limit <= 0:
        raise EngineError(f"{name} is {limit}; it must be positive")
