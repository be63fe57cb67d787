"""A text as stretches of symbols, each to be continued by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.data import BYTES
from nasdsl.training.dataset import INPUT, OUTPUT, Dataset, Fold
from nasdsl.training.errors import DataError
from nasdsl.training.files import missing


def read_text(path: Path, context: int, valid: float, test: float) -> Dataset:
    """A file of any bytes. Sample i reads `context` bytes, and its target is each of them one further.

    Stretches do not overlap but for that one byte. The parts lie in the order of the text, so that no
    part knows what another is about to say. Raises DataError.
    """
    text = _bytes(path)
    n_rows = (len(text) - 1) // context
    cuts = np.round(np.array([1 - valid - test, 1 - test]) * n_rows).astype(np.int64)
    train, validation, rest = np.split(np.arange(n_rows), cuts)
    if valid + test >= 1 or min(len(train), len(validation)) < 2 or (test > 0 and len(rest) < 1):
        message = f"{len(text):,} bytes are {n_rows:,} stretches of {context}, too few for these shares"
        raise DataError(message, str(path), "give more text, a smaller `context`, or other shares")
    used = n_rows * context
    return Dataset(
        kind="next_token",
        inputs={INPUT: text[:used].reshape(n_rows, context)},
        targets={OUTPUT: text[1 : used + 1].reshape(n_rows, context)},
        folds=(Fold(train, validation, {}, {}),),
        test=rest,
        shapes={INPUT: Shape((context,), "index")},
        outputs=BYTES,
        statement=(
            f"{path}: {len(text):,} bytes in stretches of {context}: {len(train):,} train /"
            f" {len(validation):,} validation / {len(rest):,} test, in the order of the text"
        ),
    )


def _bytes(path: Path) -> NDArray[np.uint8]:
    try:
        return np.frombuffer(bytearray(path.read_bytes()), dtype=np.uint8)
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", str(path)) from error
