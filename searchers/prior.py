"""How likely the author holds an answer to be: `3 @ 2 | 5`, `lo..hi @ centre`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.decisions import Answer, Decision, Options, contains, to_unit

if TYPE_CHECKING:
    from searchers.drafts import Draft

_CENTRE_SPREAD = 1 / 6  # of the (log) range, as `decisions.draw` has it


def log_prior(drafts: Sequence[Draft]) -> NDArray[np.float64]:
    """(n,) log of the prior of each draft, relative to that of the likeliest answers: 0 at most.

    Relative, so that a point is not the less likely for answering more decisions.
    """
    found = [
        sum(_of_answer(decision, draft.answers[decision.path]) for decision in draft.opened.preferring)
        for draft in drafts
    ]
    return np.array(found, dtype=float)


def has_prior(decision: Decision) -> bool:
    """Whether the author prefers some answers."""
    domain = decision.domain
    if isinstance(domain, Options):
        return len(set(domain.weights)) > 1
    return domain.centre is not None


def _of_answer(decision: Decision, answer: Answer) -> float:
    domain = decision.domain
    if not contains(domain, answer):
        return 0.0
    if isinstance(domain, Options):
        at = next(i for i, v in enumerate(domain.values) if type(v) is type(answer) and v == answer)
        return math.log(max(domain.weights[at], 1e-9) / max(domain.weights))
    assert domain.centre is not None
    off = (to_unit(domain, answer) - to_unit(domain, domain.centre)) / _CENTRE_SPREAD
    return -0.5 * off * off
