"""What can go wrong around a run that is the user's to mend.

NasdslError
  EngineError       the run cannot go on; the message says what to do
    RunError        a run folder is missing, of another space, unreadable or not writable
      RunLocked     another process writes this run
    PoolError       no worker process can be started
"""

from __future__ import annotations

from nasdsl.language.errors import NasdslError


class EngineError(NasdslError):
    """The run cannot go on; the message says what to do."""


class RunError(EngineError):
    """A run folder is missing, belongs to another space, or cannot be read or written."""


class RunLocked(RunError):
    """Another process is writing this run."""


class PoolError(EngineError):
    """No worker process can be started."""
