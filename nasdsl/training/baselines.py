"""What scikit-learn's standard models reach on the same split of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from nasdsl.training.dataset import INPUT, OUTPUT, Dataset, Part
from nasdsl.training.measures import EXTRAS, Extra

_SEED = 0
MOST_BYTES = 1 << 30

Score: TypeAlias = Callable[[Any, NDArray[Any], NDArray[Any]], float]
"""(fitted model, inputs, targets) -> measure."""


def fit_baselines(data: Dataset, goals: Sequence[str] = ()) -> dict[str, float]:
    """`linear/accuracy`, `boosting/accuracy` or `…/r2` on the test part, `…/valid_accuracy` beside it.

    A linear model (logistic or ridge regression) and histogram gradient boosting, with scikit-learn's own
    settings, trained on the training part. They are scored by the first of `goals` that looks at answers alone, as the
    networks beside them are; without goals by the usual measure of the task. Empty where no goal is of that kind, for
    anything but tables of one target, and for tables over `MOST_BYTES`, which they would copy several times. Without a
    test part only the validation figures are given.
    """
    if not data.is_table or len(data.targets) > 1 or (data.kind == "regression" and data.outputs > 1):
        return {}
    scores = _scores(data)
    measure = next((name for name in goals or scores if name in scores), None)
    if measure is None:
        return {}
    x, y = data.inputs[INPUT], data.targets[OUTPUT]
    if x.nbytes > MOST_BYTES:
        return {}
    y = y if data.kind == "classification" else y[:, 0]
    parts: list[tuple[Part, str]] = [("valid", f"valid_{measure}"), ("test", measure)]
    measures = {}
    for name, model in _models(data).items():
        model.fit(x[data.rows("train")], y[data.rows("train")])
        for part, label in parts:
            rows = data.rows(part)
            if len(rows):
                measures[f"{name}/{label}"] = scores[measure](model, x[rows], y[rows])
    return measures


def _scores(data: Dataset) -> Mapping[str, Score]:
    """The measures that can be taken of scikit-learn's models, the usual one of the task first."""
    if data.kind == "regression":
        return {"r2": _own, "mae": _mean_error}
    return {
        "accuracy": _own,
        **{name: partial(_of_classes, take, data.outputs) for name, take in EXTRAS.items()},
    }


def _own(model: Any, x: NDArray[Any], y: NDArray[Any]) -> float:
    """Accuracy of a classifier, r2 of a regressor."""
    return float(model.score(x, y))


def _mean_error(model: Any, x: NDArray[Any], y: NDArray[Any]) -> float:
    return float(np.abs(model.predict(x) - y).mean())


def _of_classes(take: Extra, n_classes: int, model: Any, x: NDArray[Any], y: NDArray[Any]) -> float:
    """A measure of logits, taken of the logarithms of what the model says, to which softmax gives its probabilities back."""
    told = np.zeros((len(x), n_classes))  # a class that the training part lacks has none
    told[:, model.classes_] = model.predict_proba(x)
    logits = np.log(np.maximum(told, np.finfo(np.float64).tiny))
    return take(torch.from_numpy(logits), torch.from_numpy(y.astype(np.int64)))


def _models(data: Dataset) -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if data.kind == "classification":
        linear: Any = LogisticRegression(max_iter=2000)
        boosting: Any = HistGradientBoostingClassifier(random_state=_SEED)
    else:
        linear = RidgeCV(alphas=np.logspace(-3, 3, 13))
        boosting = HistGradientBoostingRegressor(random_state=_SEED)
    return {"linear": make_pipeline(StandardScaler(), linear), "boosting": boosting}
