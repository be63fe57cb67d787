"""The far end of a slot: started by a cluster, calls the driver, and runs worker processes for it.
Arguments: host and port of the driver; the environment variable NASDSL_AGENT holds the key of the run.

A trial so runs in a child of its slot, as on the driver's own machine, and limits, kills and death hit that
trial alone. The agent ends with its connection or with the process that started it, and takes all along.

driver -> agent   Start, then Group, StopTrial, Kill; again from Start after Gone
agent -> driver   Hello (once); what the worker says; Trouble; Gone
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass, replace
from multiprocessing.connection import Client, Connection, wait
from pathlib import Path
from typing import TypeAlias

from nasdsl.engine import facts
from nasdsl.engine.isolation import default_memory, die_with_parent
from nasdsl.engine.lock import LOCK_NAME
from nasdsl.engine.messages import Broken, Setup
from nasdsl.engine.places import GPU_VARIABLE
from nasdsl.engine.process import WorkerProcess

KEY = "NASDSL_AGENT"  # environment: token and key, in hex, parted by a colon
_TICK_S = 0.25


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: which launch this is, and where it came to run."""

    token: str
    host: str
    pid: int


@dataclass(frozen=True, slots=True)
class Start:
    """Start a worker. `path` is the driver's sys.path: functions sent by name are found as there."""

    setup: Setup
    log: Path
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kill:
    """End the worker and everything in its process group."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The worker is over its memory."""

    why: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The worker has ended; nothing of it comes after this."""

    signal: int | None
    ending: str
    log: str


FromAgent: TypeAlias = Hello | Trouble | Gone


def main() -> None:
    die_with_parent()
    host, port = sys.argv[1], int(sys.argv[2])
    token, _, key = os.environ.pop(KEY).partition(":")
    try:
        driver = Client((host, port), authkey=bytes.fromhex(key))
        driver.send(Hello(token, socket.gethostname(), os.getpid()))
        while True:
            _serve(driver, driver.recv())
    except (EOFError, OSError):
        return  # the driver is gone, and nobody wants anything


def _serve(driver: Connection, start: Start) -> None:
    """One worker, from its start to its end."""
    problem = _problem(start.setup)
    if problem is not None:
        driver.send(Broken(problem))
        return
    sys.path += [path for path in start.path if path not in sys.path]
    setup = replace(start.setup, device=_device())
    if setup.memory_bytes is None:
        setup = replace(setup, memory_bytes=default_memory(facts.cores()))
    worker = WorkerProcess(setup, start.log)
    try:
        _relay(driver, worker)
    finally:
        worker.kill()
        worker.close()


def _relay(driver: Connection, worker: WorkerProcess) -> None:
    """Pass on what both say until the worker has ended. Raises EOFError when the driver is gone."""
    while True:
        ready = wait([driver, sys.stdin.fileno(), *worker.handles], _TICK_S)
        if sys.stdin.fileno() in ready:
            raise EOFError  # the process that started us is gone
        alive = worker.alive()
        for message in worker.messages(None):
            driver.send(message)
        if not alive:
            driver.send(Gone(worker.signal, worker.ending(), worker.log_tail()))
            return
        if driver in ready:
            order = driver.recv()
            if isinstance(order, Kill):
                worker.kill()
            else:
                worker.send(order)
        trouble = worker.trouble()
        if trouble is not None:
            driver.send(Trouble(trouble))


def _problem(setup: Setup) -> str | None:
    """Why no trial can run here."""
    if (setup.folder / LOCK_NAME).is_file():
        return None
    return (
        f"{socket.gethostname()} does not see the run folder {setup.folder}; put the run on a file system "
        "that all machines of the cluster share, under one path"
    )


def _device() -> str:
    """A card where the cluster gave this process one."""
    return "cuda" if os.environ.get(GPU_VARIABLE) else "cpu"
