"""Whether there is memory for a text table, which is read whole."""

from __future__ import annotations

import os
from pathlib import Path

from nasdsl.training.errors import DataError

_SMALL = 64 << 20  # bytes of a file that is read without asking
_LOOKED_AT = 1 << 20  # bytes from which the cells are counted
# Fitted to the growth of a process that read tables of long and of short cells: 12 and 20 bytes for each of the file.
_PER_BYTE, _PER_CELL = 5.4, 64
_REMEDY = (
    "write its numbers, a part of the file at a time, as float32 into x.npy by numpy.lib.format.open_memmap, and give "
    'data = (numpy.load("x.npy", mmap_mode = "r"), y) from Python, which is read page by page'
)


def check_room(path: Path) -> None:
    """Raises DataError for a table whose cells would not fit the memory that is free; OSError as `open` does."""
    size = path.stat().st_size
    if size <= _SMALL:
        return
    with path.open("rb") as stream:
        head = stream.read(_LOOKED_AT)
    first = head.split(b"\n", 1)[0]
    delimiter = max(b",;\t|", key=lambda byte: first.count(byte))
    cells = (head.count(delimiter) + head.count(b"\n")) * size / len(head)
    needed, free = _PER_BYTE * size + _PER_CELL * cells, free_memory()
    if needed > free:
        message = f"the table has {_gigabytes(size)}; read whole it takes about {_gigabytes(needed)} of memory, and {_gigabytes(free)} are free"
        raise DataError(message, str(path), _REMEDY)


def free_memory() -> int:
    """Bytes that can be taken without swapping; all of the machine's where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    except OSError:
        return _all_memory()  # not Linux
    return _all_memory()


def _all_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _gigabytes(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.3g} GB"
