"""What can go wrong on the way out of the compiler.

NasdslError
  CompileError
    ExportError     a network cannot be written in this format here
"""

from __future__ import annotations

from nasdsl.language.errors import NasdslError


class CompileError(NasdslError):
    """A network could not be built or written."""


class ExportError(CompileError):
    """A network cannot be written in this format here; the message says what to do."""
