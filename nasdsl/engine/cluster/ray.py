"""Slots on a Ray cluster: one task for each, with one CPU."""

from __future__ import annotations

import socket
from typing import Any

from nasdsl.engine.cluster.engines import host_agent, missing
from nasdsl.engine.errors import EngineError


class Ray:
    """`cluster`: "ray" for the cluster of RAY_ADDRESS or processes here, or ray://HOST:PORT."""

    name = "ray"

    def __init__(self, cluster: str, workers: int | None) -> None:
        """Raises EngineError where there is no such cluster."""
        try:
            import ray
        except ImportError as error:
            raise missing("ray", error) from error
        self._ray: Any = ray
        self._was_there = ray.is_initialized()
        address = None if cluster == "ray" else cluster
        if not self._was_there:
            try:
                ray.init(address=address, num_cpus=workers, include_dashboard=False, log_to_driver=False)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise EngineError(f"no Ray cluster at {cluster}: {error}") from error
        self._task = ray.remote(num_cpus=1, max_retries=0)(host_agent)
        self.host = "127.0.0.1" if address is None else socket.gethostbyname(socket.gethostname())

    def slots(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 1))

    def launch(self, host: str, port: int, secret: str) -> _Task:
        return _Task(self._ray, self._task.remote(host, port, secret))

    def close(self) -> None:
        if not self._was_there:
            self._ray.shutdown()


class _Task:
    def __init__(self, ray: Any, reference: Any) -> None:
        self._ray, self._reference = ray, reference

    def ended(self) -> str | None:
        done, _ = self._ray.wait([self._reference], timeout=0)
        if not done:
            return None
        try:
            return str(self._ray.get(self._reference))
        except self._ray.exceptions.RayError as error:
            return f"Ray lost the task of the slot: {error!r:.200}"
