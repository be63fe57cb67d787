"""Tuning a scikit-learn pipeline: a plain conditional space, no network, the same searchers.

python examples/hpo_sklearn.py [TRIALS]
"""

from __future__ import annotations

import sys
import warnings

from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

import nasdsl
from searchers import SMBO, Outcome

# What is chosen decides what is asked next: a forest has no C, and an SVM no number of trees.
SPACE = nasdsl.parse("""
    let scale = none | standard | minmax
    let reduce = none | pca(components = 2..10)
    let model = svm(C = 0.01..100.0 log, gamma = 1e-4..1.0 log) | forest(trees = 10..80, depth = 1..12)
              | neighbours(k = 1..30, weights = uniform | distance)
""")


def pipeline(point: nasdsl.Point) -> Pipeline:
    """The pipeline of a point."""
    scaler = {"none": None, "standard": StandardScaler(), "minmax": MinMaxScaler()}[str(point["scale"])]
    reducer = PCA(point["reduce/components"]) if point["reduce"] == "pca" else None
    match point["model"]:
        case "svm":
            model = SVC(C=point["model/C"], gamma=point["model/gamma"])
        case "forest":
            model = RandomForestClassifier(
                point["model/trees"], max_depth=point["model/depth"], random_state=0
            )
        case _:
            model = KNeighborsClassifier(point["model/k"], weights=point["model/weights"])
    return make_pipeline(*(step for step in (scaler, reducer, model) if step is not None))


def main(trials: int = 40) -> float:
    """The best accuracy in five-fold cross-validation that `trials` evaluations find."""
    x, y = load_wine(return_X_y=True)
    searcher = SMBO(SPACE, seed=0)
    best, winner = 0.0, None
    for trial in range(trials):
        point = searcher.ask(trial)
        score = float(cross_val_score(pipeline(point), x, y, cv=5).mean())
        searcher.tell(trial, point, Outcome(score=score))
        if score > best:
            best, winner = score, point
            print(f"trial {trial:3}: {score:.4f}  {dict(point)}")
    print(f"\n{pipeline(winner)}")
    return best


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*map(int, sys.argv[1:]))
