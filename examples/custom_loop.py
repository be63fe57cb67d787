"""A search inside a program of your own: three lines of nasdsl, the rest is yours.

python examples/custom_loop.py
"""

import nasdsl
from searchers import Evolution, Outcome

SPACE = nasdsl.parse("let model = svm(C = 0.1..10.0 log) | forest(trees = 10..500)")


def train_and_measure(point: nasdsl.Point) -> float:
    """Stands for your own training: here a made-up judgement of the answers."""
    if point["model"] == "forest":
        return 0.9 - abs(float(point["model/trees"]) - 200) / 1000
    return 0.8 - abs(float(point["model/C"]) - 1) / 20


best = (0.0, None)
searcher = Evolution(SPACE, seed=0)
for trial in range(60):
    point = searcher.ask(trial)
    score = train_and_measure(point)
    searcher.tell(trial, point, Outcome(score=score))
    best = max(best, (score, trial))
print(f"best {best[0]:.3f} in trial {best[1]}")
