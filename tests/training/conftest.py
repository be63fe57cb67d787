"""Data sets that the tests of training share."""

import numpy as np
import pytest
from training_toys import arrays, rows


@pytest.fixture(scope="module")
def two_classes():
    return arrays("classification", *rows())


@pytest.fixture(scope="module")
def a_line():
    """y = 300 + 50 a - 20 b, with a little noise."""
    x, _ = rows()
    noise = np.random.default_rng(1).normal(size=len(x))
    return arrays("regression", x, 300 + x @ [50, -20] + noise)


@pytest.fixture(scope="module")
def pictures():
    """Two channels of 6x6; the class is the brighter channel."""
    x = np.random.default_rng(0).normal(size=(120, 2, 6, 6)).astype(np.float32)
    return arrays("classification", x, (x[:, 0].mean((1, 2)) > x[:, 1].mean((1, 2))).astype(int))
