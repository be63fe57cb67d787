"""MNIST-1D, generated as its authors do: ten templates, padded, stretched, shifted, sheared, in noise.

Greydanus & Kobak 2024, "Scaling Down Deep Learning with MNIST-1D", arXiv 2011.14439. The same numbers
as their package with its default arguments (float64, up to the order of summation of a filter).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

N_EXAMPLES = 5000
N_TRAIN = 4000  # the authors' training part; the rest is their test part
LENGTH = 40

_SEED = 42
_TEMPLATE_LENGTH = 12
_PADDING = (36, 60)
_STRETCHED = _TEMPLATE_LENGTH + _PADDING[1]
_MAX_TRANSLATION = 48
_SCALE = 0.4
_CORRELATED_NOISE = 0.25
_NOISE = 2e-2
_SHEAR = 0.75
_NOISE_WIDTH = 2.0  # standard deviation of the filter that makes noise correlated, in positions

_DIGITS = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)


def generate(shuffled: bool = False) -> tuple[Floats, NDArray[np.int64]]:
    """All examples (5000, 40), mean 0 and deviation 1 over everything, and their digits (5000,).

    The first 4,000 are the authors' training part. `shuffled` permutes the positions, the same way in
    every example.
    """
    rng = np.random.RandomState(_SEED)  # the generator behind the authors' numbers
    per_digit = N_EXAMPLES // len(_DIGITS)
    x = np.stack([_example(template, rng) for template in _templates() for _ in range(per_digit)])
    order = rng.permutation(N_EXAMPLES)
    x, y = x[order], np.repeat(np.arange(len(_DIGITS)), per_digit)[order]
    if shuffled:
        x = x[:, rng.permutation(LENGTH)]
    return (x - x.mean()) / x.std(), y


def _templates() -> Floats:
    """(10, 12): whitened, beginning and ending at zero."""
    x = np.asarray(_DIGITS, dtype=np.float64)
    x -= x.mean(1, keepdims=True)
    x /= x.std(1, keepdims=True)
    x -= x[:, :1]
    return x / 6.0


def _example(template: Floats, rng: np.random.RandomState) -> Floats:
    low, high = _PADDING
    x = np.concatenate([template + 1e-8, np.zeros(low + int(rng.rand() * (high - low + 1)))])
    x = _resample(x, _STRETCHED)
    x *= 1 + _SCALE * (rng.rand() - 0.5)
    x = np.roll(x, rng.choice(_MAX_TRANSLATION))
    padded = x == 0
    x = np.where(padded, _smooth(_CORRELATED_NOISE * rng.randn(_STRETCHED)), x)
    x = x + _NOISE * rng.randn(_STRETCHED)
    x = x - _SHEAR * (rng.rand() - 0.5) * np.linspace(-0.5, 0.5, _STRETCHED)
    return _resample(x, LENGTH)


def _resample(x: Floats, length: int) -> Floats:
    """Linear interpolation at `length` equal steps."""
    return np.interp(np.linspace(0, 1, length), np.linspace(0, 1, len(x)), x)


def _smooth(x: Floats) -> Floats:
    """A Gaussian filter, cut at four deviations, mirrored at the ends."""
    radius = int(4 * _NOISE_WIDTH + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / _NOISE_WIDTH) ** 2)
    return np.convolve(np.pad(x, radius, mode="symmetric"), kernel / kernel.sum(), mode="valid")
