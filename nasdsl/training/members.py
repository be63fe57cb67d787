"""The arrays of an npz file one by one: those larger than a block are mapped, so that files may be larger than memory.

What np.savez wrote lies in the file as it is in memory, and is mapped there; what np.savez_compressed wrote is unpacked
once into a nameless file of the folder for temporary files (TMPDIR), and is gone with the process.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nasdsl.training import blocks

_LOCAL_HEADER = struct.Struct(
    "<26xHH"
)  # of a member of a zip file: at its end, the lengths of name and extra field


class Members(Mapping[str, NDArray[Any] | None]):
    """Arrays by name; None for an array of objects, which is only an error if it is asked for.

    Raises OSError, ValueError, EOFError, BadZipFile or zlib.error for a member that is damaged.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._path, self._names = path, list(names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names  # without reading it

    def __getitem__(self, name: str) -> NDArray[Any] | None:
        if name not in self._names:
            raise KeyError(name)
        with zipfile.ZipFile(self._path) as archive:
            member = archive.getinfo(name if name in archive.namelist() else f"{name}.npy")
            if member.file_size <= blocks.BLOCK_BYTES:
                return _read(archive, member)
            if member.compress_type != zipfile.ZIP_STORED:
                with tempfile.TemporaryFile() as file, archive.open(member) as packed:
                    shutil.copyfileobj(packed, file, 1 << 16)
                    return _mapped(file, 0)
        with self._path.open("rb") as file:
            file.seek(member.header_offset)
            lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            return _mapped(file, member.header_offset + _LOCAL_HEADER.size + sum(lengths))


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any] | None:
    with archive.open(member) as file:
        if _header(file)[2].hasobject:
            return None
    with archive.open(member) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
        return array


def _mapped(file: IO[bytes], start: int) -> NDArray[Any] | None:
    """The array in npy form that begins there. The mapping outlives the open file."""
    file.seek(start)
    shape, by_columns, dtype = _header(file)
    if dtype.hasobject:
        return None
    order = "F" if by_columns else "C"
    return np.memmap(file, dtype, "r", file.tell(), shape, order)  # type: ignore[call-overload,no-any-return]


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it lies column by column, and type. Raises ValueError for no array in npy form."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    found: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(file)
    return found
