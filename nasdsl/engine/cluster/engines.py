"""What is asked of a cluster: how many slots it has, and to run a function that ends when its slot does."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, Protocol

from nasdsl.engine.cluster.agent import KEY
from nasdsl.engine.errors import EngineError

HELP = "give tcp://HOST:PORT of a Dask scheduler, dask, ray, ray://HOST:PORT or joblib:BACKEND"


class Launched(Protocol):
    """A task that hosts an agent."""

    def ended(self) -> str | None:
        """Why it is over; None while it is queued or runs."""
        ...


class Engine(Protocol):
    """A cluster. `host` is the address of this machine as its workers see it."""

    name: str
    host: str

    def slots(self) -> int:
        """Trials it can run at a time."""
        ...

    def launch(self, host: str, port: int, secret: str) -> Launched:
        """Have `host_agent` called once, on any free worker."""
        ...

    def close(self) -> None:
        """Let go of the cluster; what we started ends, what was there stays."""
        ...


def host_agent(host: str, port: int, secret: str) -> str:
    """Runs on a worker of the cluster: one agent, until it ends. Gives how it ended.

    A process of its own: workers of clusters are daemons that may have no children, hold several tasks in one
    process, and must not lose them with a trial.
    """
    # Imported by name: run with -m, its messages would be classes of __main__.
    program = "from nasdsl.engine.cluster.agent import main; main()"
    command = [sys.executable, "-c", program, host, str(port)]
    environment = os.environ | {KEY: secret, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    # It reads the end of its standard input as our own.
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, start_new_session=True) as agent:
        try:
            return f"the agent ended with exit code {agent.wait()}"
        finally:
            agent.kill()


def engine_of(cluster: Any, workers: int | None) -> Engine:
    """The engine behind an address, a name, or an object of Dask. Raises EngineError for anything else.

    `workers`: how many processes, where the cluster is made here.
    """
    if (
        not isinstance(cluster, str)
        or cluster == "dask"
        or ("://" in cluster and not cluster.startswith("ray"))
    ):
        from nasdsl.engine.cluster.dask import Dask

        return Dask(cluster, workers)
    if cluster == "ray" or cluster.startswith("ray://"):
        from nasdsl.engine.cluster.ray import Ray

        return Ray(cluster, workers)
    if cluster.startswith("joblib:"):
        from nasdsl.engine.cluster.joblib import Joblib

        return Joblib(cluster.removeprefix("joblib:"), workers)
    raise EngineError(f"`{cluster}` is no cluster; {HELP}")


def missing(package: str, error: ImportError) -> EngineError:
    """The error of an engine whose package is not there."""
    return EngineError(f"{package} is not installed ({error}): pip install 'nasdsl[{package}]'")
