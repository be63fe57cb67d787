"""Less than full evaluations: asynchronous successive halving in its stopping form, and what it tells.

Li et al. 2020, "A system for massively parallel hyperparameter tuning", section 3: a trial that reaches
a rung (first, first * eta, ...) goes on only if its score is among the best 1/eta of those seen there.
`step` is whatever the trial reports: epochs, or the share of the data; the first step ever reported is the
first rung. Where the scores at the lowest rung say little about the end, that rung stops nobody any more; nor does one in the second half of a full training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from nasdsl.engine.messages import Report
from nasdsl.engine.records import Record
from nasdsl.language.network import Goal
from searchers.protocol import Outcome

# none     every trial runs in full
# asha     trials that fall behind are stopped
# halving  brackets of small budgets, whose best are trained further: see searchers/halving.py
Fidelity: TypeAlias = Literal["none", "asha", "halving"]

ETA = 3  # Li et al. 2020 use 4, Hyperband 3; 3 forgives a slow start more
GUARD_PAIRS = 20  # finished trials before a rung is judged
GUARD_TAU = 0.3  # the least rank correlation with the end
LAST_RUNG = 0.5  # of a full training: what is stopped later saves little, and its end would have told more


class Full:
    """Every trial runs to its end; searchers are told that end alone."""

    def should_stop(self, report: Report) -> bool:
        """Never."""
        return False

    def learn(self, record: Record) -> None:
        """Nothing to learn."""

    def outcomes(self, record: Record) -> tuple[Outcome, ...]:
        """What a searcher is told of a trial."""
        return (record.outcome,)


class Halving:
    """The scores seen at each rung, and the rule. A trial counts once at each rung, by its first report there.

    `score_at` reads the score out of an entry of a curve; see `Record.curve`.
    """

    def __init__(
        self,
        eta: int = ETA,
        first: float | None = None,
        score_at: Callable[[Mapping[str, float]], float | None] = lambda entry: entry.get("score"),
    ) -> None:
        self._eta = eta
        self._first = first
        self._score_at = score_at
        self._rungs: dict[int, dict[int, float]] = {}
        self._reached: dict[int, int] = {}
        self._ends: dict[int, float] = {}
        self._lowest = 0  # rungs below it stop nobody
        self._full = 0.0  # the longest trial that ran to its end, in steps

    def should_stop(self, report: Report) -> bool:
        """Whether the trial of this report falls behind."""
        if self._first is None and report.step > 0:
            self._first = report.step
        stop = False
        for rung in self._new_rungs(report):
            stop = self._falls_behind(rung, report) or stop
        return stop

    def _new_rungs(self, report: Report) -> Iterator[int]:
        rung = self._reached.get(report.trial, 0)
        while self._first is not None and report.step >= self._step(rung):
            self._reached[report.trial] = rung + 1
            yield rung
            rung += 1

    def _step(self, rung: int) -> float:
        assert self._first is not None
        # Shares of the data are no round numbers: 0.1 * 3 is a little more than 0.3.
        return float(self._first * self._eta**rung) * (1 - 1e-9)

    def _falls_behind(self, rung: int, report: Report) -> bool:
        scores = self._rungs.setdefault(rung, {})
        scores[report.trial] = report.score
        n_promoted = len(scores) // self._eta
        # Fewer than eta trials have been here: nothing to compare with, the first go on.
        behind = n_promoted > 0 and report.score < sorted(scores.values(), reverse=True)[n_promoted - 1]
        late = self._full > 0 and self._step(rung) > LAST_RUNG * self._full
        return behind and rung >= self._lowest and not late

    def learn(self, record: Record) -> None:
        """Take a finished trial, also one of before a resume."""
        for step, score in self._curve(record):
            self.should_stop(Report(record.trial, step, score))
        if record.reason == "complete" and record.score is not None:
            self._full = max([self._full, *(step for step, _ in self._curve(record))])
            self._ends[record.trial] = record.score
            self._guard()

    def _guard(self) -> None:
        """Stop using the lowest rung where it does not rank trials as their ends do."""
        early = self._rungs.get(self._lowest, {})
        pairs = [(early[trial], end) for trial, end in self._ends.items() if trial in early]
        if len(pairs) >= GUARD_PAIRS and rank_correlation(pairs) < GUARD_TAU:
            self._lowest += 1

    def _curve(self, record: Record) -> Iterator[tuple[float, float]]:
        for entry in record.curve:
            score = self._score_at(entry)
            if score is not None:
                yield entry["step"], score

    def outcomes(self, record: Record) -> tuple[Outcome, ...]:
        """The score at each rung that was reached, and the end where the trial ran in full."""
        rungs: list[Outcome] = []
        for step, score in self._curve(record):
            while self._first is not None and step >= self._step(len(rungs)):
                rungs.append(
                    Outcome(score, budget=self._first * self._eta ** len(rungs), measures=record.known)
                )
        if record.reason == "stopped" and rungs:
            return tuple(rungs)
        return (*rungs, record.outcome)


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Kendall's tau: concordant less discordant pairs, as a share of all."""
    total = 0
    for i, (a, b) in enumerate(pairs):
        for c, d in pairs[:i]:
            total += ((a > c) - (a < c)) * ((b > d) - (b < d))
    return total / (len(pairs) * (len(pairs) - 1) / 2)


Rule: TypeAlias = Full | Halving


def rule_of(fidelity: Fidelity, goal: Goal | None = None, first: float | None = None) -> Rule:
    """How far trials run. `goal` is the first objective, by whose measure the default training reports; `first` the
    step that was reported first, where that is known."""
    if fidelity != "asha":
        return Full()

    def score_at(entry: Mapping[str, float]) -> float | None:
        if "score" in entry or goal is None:
            return entry.get("score")
        value = entry.get(goal.measure)
        return value if value is None or goal.maximize else -value

    return Halving(first=first, score_at=score_at)
