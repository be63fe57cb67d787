"""How many completions there are within a budget, for every place in the tree and every budget at once.

What a completion costs beyond the least is counted in steps. A profile without a budget counts all completions;
`exact.py` keeps every cost apart, `grid.py` rounds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from nasdsl.language.configuration import Ask, LimitError
from nasdsl.language.decisions import Answer, Domain, Integers, Reals, size
from nasdsl.language.errors import Infeasible
from nasdsl.language.fold import MAX_STRUCTURAL, Edge, Fold, Node, answers
from nasdsl.language.reals import places
from nasdsl.language.rules import path_of
from nasdsl.language.walk import CostBound
from nasdsl.language.watch import State


class Branch(NamedTuple):
    """Answers that lead to the same place at the same cost: a domain, or a list."""

    answers: Domain | tuple[Answer, ...]
    many: int
    cost: int
    end: Node


@dataclass(frozen=True)
class Budget:
    """A limit as what may be spent above the least cost (or below the most, for a lower limit), in steps."""

    bound: CostBound
    slack: int
    step: int = 1

    @property
    def steps(self) -> int:
        """How many steps the limit allows."""
        return self.slack // self.step

    @property
    def sign(self) -> int:
        return 1 if self.bound.limit.upper else -1


def budget_of(bound: CostBound, opposite: int) -> Budget:
    """`opposite` is the greatest cost of all (or the least). Raises Infeasible where no point is within the limit."""
    cost, further = bound.fold.begin()
    if further is None or not bound.limit.allows(cost + further):
        raise Infeasible(f"no point holds `{bound.limit}`")
    slack = int(abs(bound.limit.limit - (cost + further)))
    return Budget(bound, min(slack, abs(opposite - (cost + further))))


class Profile(Fold):
    """Completions within every budget. Without a budget, all of them: then a value is a plain number."""

    def __init__(self, like: Fold, budget: Budget | None = None, up: bool = False) -> None:
        """`like` is a fold of the same machine and rules. `up`: costs are rounded up, so that only what is
        certainly within the limit is counted."""
        cost = None if budget is None else budget.bound.fold.cost
        known = like if like.cost is cost else None
        super().__init__(like.machine, 1, sum, cost, rules=like.rules, like=known)  # type: ignore[arg-type]
        self.budget = budget
        self._up = up
        self.has_shaping_reals = False

    @property
    def steps(self) -> int:
        """The budget at the beginning."""
        return 0 if self.budget is None else self.budget.steps

    @property
    def is_exact(self) -> bool:
        """Whether no cost is rounded."""
        return self.budget is None or self.budget.step == 1

    def total(self) -> int:
        """How many points there are within the limit."""
        value = self.begin()[1]
        return 0 if value is None else self.within(value, self.steps)

    def within(self, value: int, steps: int) -> int:
        """How many of the completions that `value` stands for take at most so many steps."""
        return value

    def value_at(self, node: Node) -> int | None:
        """The completions from a place."""
        return self.after(*node)[1]

    def steps_of(self, node: Node, branch: Branch) -> int | None:
        """What a branch costs beyond the least from its place, in steps; None where it leads nowhere."""
        if self.budget is None:
            return 0
        extreme = self.budget.bound
        here, there = extreme.after(*node)[1], extreme.after(*branch.end)[1]
        if here is None or there is None:
            return None
        excess = self.budget.sign * (branch.cost + there - here)
        return -(-excess // self.budget.step) if self._up else excess // self.budget.step

    def _combined(self, node: Node, edges: list[Edge]) -> int | None:
        ends = [(many, self._values[end]) for many, _, end in edges]
        return sum(many * value for many, value in ends if value is not None) or None

    def _ways(self, node: Node, edges: list[Edge]) -> Iterator[tuple[int, int, int]]:
        """Of each way that is within the budget: how many answers take it, its steps, the value at its end."""
        for many, cost, end in edges:
            value = self._values[end]
            steps = self.steps_of(node, Branch((), many, cost, end)) if value is not None else None
            if value is not None and steps is not None and steps <= self.steps:
                yield many, steps, value

    def _edges(self, ask: Ask, state: State, every: bool = False) -> list[Edge]:
        return [(branch.many, branch.cost, branch.end) for branch in self.branches(ask, state)]

    def branches(self, ask: Ask, state: State) -> list[Branch]:
        """All answers, those together that make no difference to what follows."""
        rules = self.rules
        domain = ask.domain if rules is None else rules.offered(ask)
        if domain is None:
            return []
        if rules is not None and rules.observes(ask):
            told = ((answer, rules.after(state, ask, answer)) for answer in answers(domain))
            return self._grouped(ask, ((a, after) for a, after in told if after is not None))
        if rules is not None:
            self.is_blurred = self.is_blurred or rules.is_blurred(ask)
        if isinstance(domain, Reals) and ask.structural:
            return self._of_reals(ask, domain, state)
        if isinstance(domain, Reals) or self._is_indifferent(ask):
            arrival = self._arrive(ask.resume(next(iter(answers(domain)))))
            return [Branch(domain, size(domain), arrival[0], (arrival[1], state))] if arrival else []
        if isinstance(domain, Integers) and size(domain) > MAX_STRUCTURAL:
            raise LimitError(f"`{ask.key}` ranges over {size(domain):,} values that change the network")
        return self._grouped(ask, ((answer, state) for answer in answers(domain)))

    def _of_reals(self, ask: Ask, domain: Reals, state: State) -> list[Branch]:
        """A range that shapes the network, which counts as one: by that of its answers which costs the least (or the
        most, for a lower limit). Other answers may break the limit."""
        self.has_shaping_reals = True
        fitting = self.fitting(ask, domain)
        if fitting is None:
            return []
        found = []
        for place in places(fitting):
            arrival = self._arrive(ask.resume(place))
            assert arrival is not None
            end = (arrival[1], state)
            if self.budget is None:
                return [Branch(fitting, 1, arrival[0], end)]
            there = self.budget.bound.after(*end)[1]
            if there is not None:
                found.append((self.budget.sign * (arrival[0] + there), Branch(fitting, 1, arrival[0], end)))
        return [min(found, key=lambda one: one[0])[1]] if found else []

    def _is_indifferent(self, ask: Ask) -> bool:
        """Whether no answer changes what follows, or what it costs."""
        return not ask.structural and (self.cost is None or path_of(ask).startswith("train/"))

    def _grouped(self, ask: Ask, told: Iterable[tuple[Answer, State]]) -> list[Branch]:
        groups: dict[tuple[int, Node], list[Answer]] = {}
        for answer, after in told:
            arrival = self._arrive(ask.resume(answer))
            if arrival is not None:
                groups.setdefault((arrival[0], (arrival[1], after)), []).append(answer)
        return [Branch(tuple(found), len(found), *key) for key, found in groups.items()]
