"""What scikit-learn's standard models reach on the same split of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasdsl.training.dataset import INPUT, OUTPUT, Dataset, Part

_SEED = 0
MOST_BYTES = 1 << 30


def fit_baselines(data: Dataset) -> dict[str, float]:
    """`linear/accuracy`, `boosting/accuracy` or `…/r2` on the test part, `…/valid_accuracy` beside it.

    A linear model (logistic or ridge regression) and histogram gradient boosting, with scikit-learn's own
    settings, trained on the training part. Empty for anything but tables of one target, and for tables over
    `MOST_BYTES`, which they would copy several times. Without a test part only the validation figures are given.
    """
    if not data.is_table or len(data.targets) > 1 or (data.kind == "regression" and data.outputs > 1):
        return {}
    measure = "accuracy" if data.kind == "classification" else "r2"
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
                measures[f"{name}/{label}"] = float(model.score(x[rows], y[rows]))
    return measures


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
