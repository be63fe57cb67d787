"""The limit of a worker's memory, and what it is lifted for."""

from __future__ import annotations

import resource
import sys

import pytest

from nasdsl.engine import isolation

MORE = 200 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="others keep no account of private memory")
def test_a_limit_is_lifted_and_then_there_again() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        isolation.limit_memory(MORE // 4)
        with pytest.raises(MemoryError):
            bytearray(MORE)
        with isolation.without_memory_limit():
            assert len(bytearray(MORE)) == MORE
        with pytest.raises(MemoryError):
            bytearray(MORE)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
