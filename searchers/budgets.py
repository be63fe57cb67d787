"""Trials that were not evaluated in full: what they say about the score at the full budget.

Scores are compared at equal cost only: a trial that ended at some budget is set against those that were
measured there and in full. The regression of the full score on the partial one is fair although only
the better trials went on, since it was the partial score that chose them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

from searchers.history import AtBudget, Result, Value, spent, succeeded

ENOUGH_PAIRS = 4  # trials measured both partly and in full, for a regression
_ASSUMED = 0.5  # rank correlation while there are fewer
_MOST_CERTAIN = 0.95


class Estimate(NamedTuple):
    """The score of a trial at the full budget: measured (`doubt` 0) or estimated, with its variance as
    a share of that of all scores. None where the trial failed."""

    result: Result
    score: float | None
    doubt: float = 0.0


def score_of(result: Result) -> float | None:
    """The score of a trial; None where it failed."""
    return result.score if succeeded(result.outcome) else None


def in_full(results: Sequence[Result], at_budget: AtBudget, value: Value = score_of) -> list[Estimate]:
    """An estimate for every result, in the same order. `at_budget` gives what was told of a trial at a
    smaller budget."""
    values = [value(result) for result in results]
    budgets = [spent(result.outcome) for result in results]
    full = max(budgets, default=0.0)
    if all(budget == full for budget in budgets):
        return [Estimate(r, v, r.outcome.doubt) for r, v in zip(results, values, strict=True)]
    bridges = {b: _bridge(b, full, results, values, at_budget, value) for b in set(budgets) if b < full}
    estimates = []
    for result, v, budget in zip(results, values, budgets, strict=True):
        if v is None or budget == full:
            estimates.append(Estimate(result, v))
        else:
            score, doubt = bridges[budget](v)
            estimates.append(Estimate(result, score, doubt + result.outcome.doubt))
    return estimates


def _bridge(
    budget: float,
    full: float,
    results: Sequence[Result],
    values: Sequence[float | None],
    at_budget: AtBudget,
    value: Value,
) -> Callable[[float], tuple[float, float]]:
    """From a score at `budget` to (score in full, doubt)."""
    pairs, here, there = [], [], []
    for result, v in zip(results, values, strict=True):
        partial = at_budget(result.trial, budget)
        early = None if partial is None else value(partial)
        if early is not None:
            here.append(early)
        if v is not None and spent(result.outcome) == full:
            there.append(v)
            if early is not None:
                pairs.append((early, v))
    share = _ASSUMED
    if not there:
        return lambda score: (score, 1.0 - share * share)
    known = np.array(here), np.array(there)
    if pairs:
        early_scores, late_scores = np.array(pairs).T
        known = early_scores, late_scores
    if 0 < len(pairs) < ENOUGH_PAIRS:  # too few for a slope: as far apart in full as they are here
        shift = float(late_scores.mean() - early_scores.mean())
        return lambda score: (score + shift, 1.0 - share * share)
    if pairs:
        ranks = spearmanr(early_scores, late_scores).statistic
        share = min(_MOST_CERTAIN, max(0.0, float(ranks))) if np.isfinite(ranks) else 0.0
    centre, goal = known[0].mean(), known[1].mean()
    slope = share * known[1].std() / max(float(known[0].std()), 1e-12)
    return lambda score: (float(goal + slope * (score - centre)), 1.0 - share * share)
