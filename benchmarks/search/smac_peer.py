"""SMAC3 behind ask and tell: a random forest over a conditional ConfigSpace (Lindauer et al. 2022).

A `CodedSpace` is a program and has no list of conditions; they are found from many draws. A question is open
with the answers of its nearest ancestor that were seen beside it.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.search.coded_space import CodedSpace
from nasdsl.language.decisions import Answer, Decision, Domain, Integers, Options, Reals
from nasdsl.language.moves import trace
from nasdsl.language.point import Point
from searchers.encode import above
from searchers.protocol import Outcome

DRAWS = 500
LONGEST = 1_000  # trials that SMAC plans for


class Smac:
    """The hyperparameter optimisation facade with its defaults; a single fidelity, one seed."""

    def __init__(self, space: CodedSpace, seed: int) -> None:
        from smac import HyperparameterOptimizationFacade, Scenario

        self._space = space
        self._folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            config_space(space, seed),
            deterministic=True,
            n_trials=LONGEST,
            seed=seed,
            output_directory=Path(self._folder.name),
        )
        self._smac = HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False
        )
        self._trials: dict[int, Any] = {}

    def ask(self, trial: int) -> Point:
        asked = self._trials[trial] = self._smac.ask()
        config = dict(asked.config)

        def choose(decision: Decision) -> Answer:
            value = config[name_of((decision.path, decision.domain))]
            return decision.domain.values[int(value)] if isinstance(decision.domain, Options) else value

        return self._space.decide(choose)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        from smac.runhistory.dataclasses import TrialValue

        assert outcome.score is not None
        self._smac.tell(self._trials.pop(trial), TrialValue(cost=-outcome.score))


def config_space(space: CodedSpace, seed: int) -> Any:
    """The decisions of a space as hyperparameters with conditions; options by their number."""
    from ConfigSpace import ConfigurationSpace, InCondition

    found = seen(space)
    config = ConfigurationSpace(seed=seed)
    made = {name_of(question): hyperparameter(name_of(question), question[1]) for question in found}
    config.add(list(made.values()))
    alone = Counter(path for path, _ in found)
    for (path, domain), beside in found.items():
        ancestor = next((p for p in above(path) if p in alone), None)
        if ancestor is None:
            continue
        assert alone[ancestor] == 1, "a decision below one of several domains"
        (asked,) = (domain for p, domain in found if p == ancestor)
        everything, answers = found[ancestor, asked][ancestor], beside[ancestor]
        if answers != everything:
            values = sorted(coded(asked, answer) for answer in answers)
            name = name_of((path, domain))
            config.add(InCondition(made[name], made[name_of((ancestor, asked))], values))
    return config


Question = tuple[str, Domain]  # a path may be asked with other answers beside other ancestors


def name_of(question: Question) -> str:
    """One hyperparameter per path and domain."""
    path, domain = question
    return f"{path} {'|'.join(map(str, domain.values))}" if isinstance(domain, Options) else path


def coded(domain: Domain, answer: Answer) -> Any:
    """An answer as its hyperparameter has it."""
    if not isinstance(domain, Options):
        return answer
    code = domain.values.index(answer)
    return code if domain.ordered else str(code)


def seen(space: CodedSpace) -> dict[Question, dict[str, set[Answer]]]:
    """Every question, and which answers of its own path and of its ancestors were seen beside it."""
    found: dict[Question, dict[str, set[Answer]]] = {}
    for draw in range(DRAWS):
        point = space.sample(draw)
        for decision in trace(space, point):
            beside = found.setdefault((decision.path, decision.domain), {})
            for path in (decision.path, *above(decision.path)):
                if path in point:
                    beside.setdefault(path, set()).add(point[path])
    return found


def hyperparameter(path: str, domain: Domain) -> Any:
    """Ordered options are integers, names categories."""
    from ConfigSpace import (
        CategoricalHyperparameter,
        UniformFloatHyperparameter,
        UniformIntegerHyperparameter,
    )

    match domain:
        case Options(values=values, ordered=True):
            return UniformIntegerHyperparameter(path, 0, len(values) - 1)
        case Options(values=values):
            return CategoricalHyperparameter(path, [str(i) for i in range(len(values))])
        case Integers(low=low, high=high, log=log):
            return UniformIntegerHyperparameter(path, low, high, log=log)
        case Reals(low=low, high=high, log=log):
            return UniformFloatHyperparameter(path, low, high, log=log)
