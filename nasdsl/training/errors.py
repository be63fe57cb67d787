"""What can go wrong with data and training.

NasdslError
  DataError     data cannot be read or do not fit the task
  Diverged      a training ended in numbers that are not finite
"""

from __future__ import annotations

from nasdsl.language.errors import NasdslError


class DataError(NasdslError):
    """Data cannot be used. `place` says where the fault is, `help` what to do about it."""

    def __init__(self, message: str, place: str = "", help: str = "") -> None:
        self.message, self.place, self.help = message, place, help
        super().__init__(
            "\n".join([f"{place}: {message}" if place else message, *([f"help: {help}"] * bool(help))])
        )

    def __reduce__(self) -> tuple[type[DataError], tuple[str, str, str]]:
        """Crosses between processes whole."""
        return type(self), (self.message, self.place, self.help)


class Diverged(NasdslError):
    """The loss is no longer a finite number."""
