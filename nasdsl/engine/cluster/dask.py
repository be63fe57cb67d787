"""Slots on a Dask cluster: one task for each, which lasts as long as the slot.

Dask does not know of trials, so its retries, its cancels that leave a worker busy, and the innocent tasks
that die with a worker do not reach them.
"""

from __future__ import annotations

import importlib
import signal
import socket
from typing import Any
from urllib.parse import urlsplit

from nasdsl.engine import facts
from nasdsl.engine.cluster.engines import host_agent, missing
from nasdsl.engine.errors import EngineError

_PATIENCE_S = 30.0
_WORKERS_WITHIN_S = 10.0


class Dask:
    """`cluster`: the address of a scheduler, a `Client` or a cluster object, or "dask" for processes here."""

    name = "dask"

    def __init__(self, cluster: Any, workers: int | None) -> None:
        """Raises EngineError where there is no such cluster."""
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError as error:
            raise missing("dask", error) from error
        self._own: list[Any] = []
        if isinstance(cluster, distributed.Client):
            self._client = cluster
        else:
            if cluster == "dask":
                cluster = _processes_here(distributed, workers or facts.cores())
                self._own.append(cluster)
            try:
                self._client = distributed.Client(cluster, timeout=_PATIENCE_S, set_as_default=False)
            except (OSError, ValueError, TypeError) as error:
                raise EngineError(f"no Dask scheduler answers at {cluster}: {error}") from error
            self._own.insert(0, self._client)
        self._futures: list[Any] = []
        self.host = _this_host(str(self._client.scheduler.address))

    def slots(self) -> int:
        """One for each thread of each worker. Raises EngineError where there is no worker, and none comes."""
        try:
            self._client.wait_for_workers(1, timeout=_WORKERS_WITHIN_S)
        except TimeoutError as error:
            text = "the Dask cluster has no workers; start some: dask worker ADDRESS"
            raise EngineError(text) from error
        return sum(self._client.nthreads().values())

    def launch(self, host: str, port: int, secret: str) -> _Task:
        future = self._client.submit(host_agent, host, port, secret, pure=False, retries=0)
        self._futures.append(future)  # Dask forgets a task whose future is dropped
        return _Task(future)

    def close(self) -> None:
        self._futures.clear()
        for mine in self._own:
            mine.close()


class _Task:
    def __init__(self, future: Any) -> None:
        self._future = future

    def ended(self) -> str | None:
        match self._future.status:
            case "pending":
                return None
            case "error":
                return f"Dask lost the task of the slot: {self._future.exception()!r:.200}"
            case status:
                return f"Dask ended the task of the slot: {status}"


def _processes_here(distributed: Any, count: int) -> Any:
    """A cluster on this machine that does not hear Ctrl-C: the driver decides what ends."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return distributed.LocalCluster(
            n_workers=count, threads_per_worker=1, dashboard_address=None, silence_logs=50
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _this_host(scheduler: str) -> str:
    """The address of this machine on the way to the scheduler."""
    to = urlsplit(scheduler)
    if to.scheme == "inproc" or to.hostname in (None, "127.0.0.1", "localhost"):
        return "127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((to.hostname, to.port or 8786))  # sends nothing
        return str(probe.getsockname()[0])
