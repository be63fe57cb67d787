"""What makes a worker process harmless: its own group, limits, one thread, output to a file.

A worker must not outlive its parent, must not answer Ctrl-C, must not write on the terminal, and must
hit a wall before the machine does. Each function here does one of these for the calling process.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_MEMORY_SHARE = 0.9
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


def leave_the_terminal() -> None:
    """An own process group, so that Ctrl-C reaches the parent alone and a kill reaches our children."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def die_with_parent() -> None:
    """Linux kills this process and what it forks when their parent dies, even in native code.

    Elsewhere, and for children started by exec, the end of the pipe does it (see worker.py).
    """
    if sys.platform == "linux":
        _set_parent_death_signal()
        os.register_at_fork(after_in_child=_set_parent_death_signal)


def _set_parent_death_signal() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def redirect_output(log: Path) -> None:
    """Standard output and error, also of native code, to the end of `log`; no standard input."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((descriptor, 1), (descriptor, 2), (nothing, 0)):
        os.dup2(source, target)
    os.close(descriptor)
    os.close(nothing)
    # The streams of a forked process may be those of a server that has none.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1, errors="backslashreplace")  # noqa: SIM115
    faulthandler.enable(sys.stderr)


def limit_memory(extra_bytes: int) -> None:
    """Allocations beyond what is held now plus `extra_bytes` fail with an ordinary MemoryError.

    The limit is on private writable memory (RLIMIT_DATA), so that mapped data sets and shared
    libraries do not count. Linux only: others keep no such account.
    """
    if sys.platform == "linux":
        held = memory_status("self", "VmData")
        wall = held + extra_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (wall, resource.RLIM_INFINITY))


@contextmanager
def without_memory_limit() -> Iterator[None]:
    """For native code that waits for ever where an allocation fails, as OpenBLAS does; the parent still looks on."""
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def memory_status(process: int | str, key: str) -> int:
    """A line of /proc/PROCESS/status in bytes; 0 where the process or /proc is gone."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return 0


def usable_memory() -> int:
    """Bytes of main memory that this process may use: of the machine, or of its control group."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return machine
    return machine if limit == "max" else min(machine, int(limit))


def default_memory(slots: int) -> int:
    """The limit of a trial unless told otherwise: nine tenths of the machine, shared by its slots."""
    return int(usable_memory() * _MEMORY_SHARE / max(1, slots))


def one_thread() -> None:
    """One compute thread: two workers with two threads each are slower than two with one."""
    os.environ.update(ONE_THREAD)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
