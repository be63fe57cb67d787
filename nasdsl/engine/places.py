"""Where trials run: a Place starts worker processes, on this machine or on another one.

The pool asks no more of a worker than stands here, so engines differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol, TypeAlias

from nasdsl.engine.errors import EngineError
from nasdsl.engine.messages import FromWorker, Group, Setup, StopTrial
from nasdsl.engine.process import WorkerProcess

GPU_VARIABLE = "CUDA_VISIBLE_DEVICES"
Handle: TypeAlias = Connection | int


class Worker(Protocol):
    """One worker process as the pool sees it; `WorkerProcess` is the one of this machine."""

    @property
    def handles(self) -> Sequence[Handle]:
        """What becomes ready when the worker says something or dies."""
        ...

    @property
    def reachable(self) -> bool:
        """Whether it can be given a job: one that a cluster has not started yet cannot."""
        ...

    @property
    def signal(self) -> int | None:
        """The number of the signal that ended a dead worker."""
        ...

    def send(self, message: Group | StopTrial) -> None: ...
    def messages(self, most: int | None) -> Iterator[FromWorker]: ...
    def alive(self) -> bool: ...
    def trouble(self) -> str | None:
        """Why it must be killed now: over its memory. Looked at on every turn."""
        ...

    def ending(self) -> str: ...
    def log_tail(self) -> str: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


class Place(Protocol):
    """One slot's home. After a death `start` is called again."""

    def start(self, setup: Setup, log: Path) -> Worker:
        """Raises PoolError where no process can be started."""
        ...


@dataclass(frozen=True)
class Here:
    """A slot of this machine. `environment` is set before the worker loads anything."""

    device: str = "cpu"
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, setup: Setup, log: Path) -> WorkerProcess:
        return WorkerProcess(replace(setup, device=self.device), log, self.environment)


def on_this_machine(slots: int) -> list[Here]:
    """So many slots without a GPU."""
    return [Here()] * slots


def on_gpus(gpus: Sequence[str], per_gpu: int) -> list[Here]:
    """`per_gpu` slots on each card; each worker sees its card alone, as `cuda`.

    Cards are named as CUDA_VISIBLE_DEVICES names them. Raises EngineError for a card named twice.
    """
    if len(set(gpus)) < len(gpus):
        raise EngineError(f"a GPU is named twice in {','.join(gpus)}; `per_gpu` gives it several slots")
    # All first slots before all second ones: few trials spread over many cards.
    return [Here("cuda", {GPU_VARIABLE: gpu}) for _ in range(per_gpu) for gpu in gpus]
