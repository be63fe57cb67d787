"""How many completions there are within a budget, for every place in the tree and every budget at once.

What a completion costs beyond the least is counted in steps. Rounded down, too many completions are counted,
rounded up too few: certified bounds, and where the step is 1, or both agree, the number itself. The completions
within 0, 1, 2, … steps stand side by side in one long integer, `width` bits each. To add what a branch costs
is then one shift, and to join branches one sum, however many budgets there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from nasdsl.language.configuration import Ask, LimitError
from nasdsl.language.decisions import Answer, Domain, Integers, Reals, size
from nasdsl.language.errors import Infeasible
from nasdsl.language.fold import MAX_STRUCTURAL, Edge, Fold, Node, answers
from nasdsl.language.rules import path_of
from nasdsl.language.walk import CostBound
from nasdsl.language.watch import State

_MOST_BITS = 400_000_000  # of all profiles together: 50 MB
_MOST_STEPS = 2_048
_FEWEST_STEPS = 16


class Branch(NamedTuple):
    """Answers that lead to the same place at the same cost: a domain, or a list."""

    answers: Domain | tuple[Answer, ...]
    many: int
    cost: int
    end: Node


@dataclass(frozen=True)
class Budget:
    """A limit in steps above the least cost (or below the most, for a lower limit)."""

    bound: CostBound
    step: int
    steps: int  # how many the limit allows

    @property
    def sign(self) -> int:
        return 1 if self.bound.limit.upper else -1


def budget_of(bound: CostBound, opposite: int, total: int, places: int) -> Budget:
    """The finest budget that the memory allows. `opposite` is the greatest cost of all (or the least), `total`
    the number of points and `places` that of places. Raises Infeasible where no point is within the limit."""
    cost, further = bound.fold.begin()
    if further is None or not bound.limit.allows(cost + further):
        raise Infeasible(f"no point holds `{bound.limit}`")
    slack = int(abs(bound.limit.limit - (cost + further)))
    slack = min(slack, abs(opposite - (cost + further)))
    room = _MOST_BITS // max(1, places * (total.bit_length() + 1))
    most = max(_FEWEST_STEPS, min(_MOST_STEPS, room))
    step = -(-(slack + 1) // most)
    return Budget(bound, step, slack // step)


class Profile(Fold):
    """Completions within every budget. Without a budget, all of them: then a value is a plain number."""

    def __init__(self, like: Fold, budget: Budget | None, total: int, up: bool = False) -> None:
        """`like` is a fold of the same machine and rules. `up`: costs are rounded up, so that only what is
        certainly within the limit is counted."""
        cost = None if budget is None else budget.bound.fold.cost
        known = like if like.cost is cost else None
        super().__init__(like.machine, 1, sum, cost, rules=like.rules, like=known)  # type: ignore[arg-type]
        self._budget = budget
        self._up = up
        self._width = total.bit_length() + 1
        steps = 0 if budget is None else budget.steps
        self._mask = (1 << self._width * (steps + 1)) - 1
        self._one = (1 << self._width) - 1
        self._end = self._mask // self._one  # one completion within each budget

    @property
    def steps(self) -> int:
        """The budget at the beginning."""
        return 0 if self._budget is None else self._budget.steps

    def total(self) -> int:
        """How many points there are within the limit."""
        value = self.begin()[1]
        return 0 if value is None else self.within(value, self.steps)

    def within(self, value: int, steps: int) -> int:
        """How many of the completions that `value` stands for take at most so many steps."""
        return (value >> self._width * steps) & self._one

    def value_at(self, node: Node) -> int | None:
        """The completions from a place."""
        return self.after(*node)[1]

    def steps_of(self, node: Node, branch: Branch) -> int | None:
        """What a branch costs beyond the least from its place, in steps; None where it leads nowhere."""
        if self._budget is None:
            return 0
        extreme = self._budget.bound
        here, there = extreme.after(*node)[1], extreme.after(*branch.end)[1]
        if here is None or there is None:
            return None
        excess = self._budget.sign * (branch.cost + there - here)
        return -(-excess // self._budget.step) if self._up else excess // self._budget.step

    def _combined(self, node: Node, edges: list[Edge]) -> int | None:
        joined = 0
        for many, cost, end in edges:
            value = self._values[end]
            steps = self.steps_of(node, Branch((), many, cost, end)) if value is not None else None
            if value is not None and steps is not None and steps <= self.steps:
                joined += many * ((value << self._width * steps) & self._mask)
        return joined or None

    def _edges(self, ask: Ask, state: State) -> list[Edge]:
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
        if isinstance(domain, Reals) or self._is_indifferent(ask):
            arrival = self._arrive(ask.resume(next(iter(answers(domain)))))
            return [Branch(domain, size(domain), arrival[0], (arrival[1], state))] if arrival else []
        if isinstance(domain, Integers) and size(domain) > MAX_STRUCTURAL:
            raise LimitError(f"`{ask.key}` ranges over {size(domain):,} values that change the network")
        return self._grouped(ask, ((answer, state) for answer in answers(domain)))

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
