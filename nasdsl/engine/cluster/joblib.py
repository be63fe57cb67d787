"""Slots on the workers of a joblib backend, for people who bring one.

Backends that do not tell of each result as it comes (sequential, Spark's) are refused: a slot on them could not
be watched. With loky the death of one worker process ends them
all; the trials that ran start again.
"""

from __future__ import annotations

import threading
from typing import Any

from nasdsl.engine import facts
from nasdsl.engine.cluster.engines import host_agent
from nasdsl.engine.errors import EngineError


class Joblib:
    """`backend`: a name that joblib knows, registered ones too."""

    name = "joblib"
    host = "127.0.0.1"

    def __init__(self, backend: str, workers: int | None) -> None:
        """Raises EngineError for an unknown backend, and for one that cannot run slots."""
        import joblib

        self._backend = backend
        self._count = workers or facts.cores()
        self._joblib: Any = joblib
        try:
            with joblib.parallel_config(backend, n_jobs=self._count):
                found, _ = joblib.parallel.get_active_backend()
        except (ValueError, KeyError, ImportError) as error:
            raise EngineError(f"joblib knows no backend `{backend}`: {error}") from error
        if not getattr(found, "supports_retrieve_callback", False):
            raise EngineError(
                f"the joblib backend `{backend}` cannot run slots: it does not tell of results as they come; "
                "loky, multiprocessing, threading and dask do"
            )

    def slots(self) -> int:
        return self._count

    def launch(self, host: str, port: int, secret: str) -> _Task:
        return _Task(self._joblib, self._backend, self._count, (host, port, secret))

    def close(self) -> None:
        """The agents end with their connections."""


class _Task:
    """One call in a thread of its own: `Parallel` returns only when its task has ended."""

    def __init__(self, joblib: Any, backend: str, count: int, arguments: tuple[str, int, str]) -> None:
        self._why: str | None = None

        def run() -> None:
            try:
                parallel = joblib.Parallel(count, backend=backend, batch_size=1)
                (self._why,) = parallel([joblib.delayed(host_agent)(*arguments)])
            except Exception as error:  # whatever the backend raises when it loses a worker
                self._why = f"joblib lost the task of the slot: {error!r:.200}"

        threading.Thread(target=run, daemon=True).start()

    def ended(self) -> str | None:
        return self._why
