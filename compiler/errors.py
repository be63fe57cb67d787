"""What can go wrong on the way out of the compiler.

NasdslError
  CompileError
    PretrainedError weights to start from cannot be read, or do not fit
    ExportError     a network cannot be written in this format here
"""

from __future__ import annotations

from nasdsl.language.errors import NasdslError


class CompileError(NasdslError):
    """A network could not be built or written."""


class PretrainedError(CompileError):
    """Weights to start from are missing or do not fit; the message says which, and where."""


class ExportError(CompileError):
    """A network cannot be written in this format here; the message says what to do."""
