"""Numbers for whole trees of decisions: how many points, the least or the most of a cost.

Configurations that compare equal have equal futures, so each is worked out once: the work grows
with the number of different situations, not with the number of points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from nasdsl.language.configuration import Ask, Configuration, Dead, LimitError
from nasdsl.language.decisions import Answer, Domain, Integers, Options, Reals, middle, size
from nasdsl.language.machine import Machine
from nasdsl.language.network import Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Signature

MAX_SITUATIONS = 1_000_000
MAX_STRUCTURAL = 100_000  # values of one range that can change the network
_DENSE = 64  # ranges up to this size are tried value by value for costs, longer ones at their ends

Cost: TypeAlias = Callable[[Signature, dict[str, Value], Shape, Shape], int]
# An edge of the tree: how many answers take it, its cost, and where it ends.
Edge = tuple[int, int, Configuration]


def answers(domain: Domain) -> Iterable[Answer]:
    """All answers, in order; a real range gives its middle."""
    match domain:
        case Options(values=values):
            return values
        case Integers(low=low, high=high, step=step):
            return range(low, high + 1, step)
        case Reals():
            return (middle(domain),)


class Fold:
    """A value for each configuration, from the values of those that its answers lead to.

    `combine` gets (how many answers, cost on the way, value at the end) per edge, dead ends left
    out; `end` is the value of a finished walk; None stands for "no point at all".
    """

    def __init__(
        self,
        machine: Machine,
        end: int,
        combine: Callable[[list[tuple[int, int, int]]], int | None],
        cost: Cost | None = None,
        situations: int = MAX_SITUATIONS,
    ) -> None:
        self._situations = situations
        self._machine = machine
        self._end = end
        self._combine = combine
        self._cost = cost
        self._values: dict[Configuration, int | None] = {}
        self._arrivals: dict[Configuration, tuple[int, Configuration] | None] = {}
        self._asks: dict[Configuration, Ask] = {}

    def after(self, configuration: Configuration) -> tuple[int, int | None]:
        """The cost from here to the next decision, and the value there; None: no point."""
        arrival = self._arrive(configuration)
        if arrival is None:
            return 0, None
        cost, node = arrival
        if node not in self._values:
            self._solve(node)
        return cost, self._values[node]

    def _arrive(self, configuration: Configuration) -> tuple[int, Configuration] | None:
        """Run on to the next decision or the end. None where that fails."""
        if configuration in self._arrivals:
            return self._arrivals[configuration]
        spent = 0

        def note(signature: Signature, arguments: object, source: Shape, target: Shape) -> None:
            nonlocal spent
            assert self._cost is not None
            spent += self._cost(signature, arguments, source, target)  # type: ignore[arg-type]

        before = self._machine.on_layer
        self._machine.on_layer = note if self._cost is not None else None
        try:
            node, ask = self._machine.run(configuration)
            result: tuple[int, Configuration] | None = (spent, node)
            if ask is None:
                self._values[node] = self._end
            else:
                self._asks[node] = ask
        except Dead:
            result = None
        finally:
            self._machine.on_layer = before
        self._arrivals[configuration] = result
        if len(self._arrivals) > self._situations:
            raise LimitError(
                f"the space has more than {self._situations:,} different situations, the limit of exact counting"
            )
        return result

    def _solve(self, root: Configuration) -> None:
        waiting = [root]
        edges: dict[Configuration, list[Edge]] = {}
        while waiting:
            node = waiting[-1]
            if node in self._values:
                waiting.pop()
                continue
            if node not in edges:
                edges[node] = self._edges(self._asks[node])
                open_ends = [end for _, _, end in edges[node] if end not in self._values]
                if open_ends:
                    waiting += open_ends
                    continue
            found = edges.pop(node)
            self._values[node] = self._combined(found)
            del self._asks[node]
            waiting.pop()

    def _combined(self, edges: list[Edge]) -> int | None:
        alive = []
        for many, cost, end in edges:
            value = self._values[end]
            if value is not None:
                alive.append((many, cost, value))
        return self._combine(alive) if alive else None

    def _edges(self, ask: Ask) -> list[Edge]:
        edges = []
        for answer, many in self._tried(ask):
            arrival = self._arrive(ask.resume(answer))
            if arrival is not None:
                edges.append((many, arrival[0], arrival[1]))
        return edges

    def _tried(self, ask: Ask) -> list[tuple[Answer, int]]:
        """Answers to follow, each standing for how many."""
        domain = ask.domain
        if not ask.structural and self._cost is None:
            return [(next(iter(answers(domain))), size(domain))]
        if isinstance(domain, Integers):
            count = size(domain)
            if self._cost is not None and count > _DENSE:
                return [(domain.low, 1), (domain.low + (count - 1) * domain.step, 1)]
            if count > MAX_STRUCTURAL:
                raise LimitError(
                    f"`{ask.key}` ranges over {count:,} values that change the network; "
                    f"the limit of exact counting is {MAX_STRUCTURAL:,}"
                )
        return [(answer, 1) for answer in answers(domain)]


def counting(machine: Machine, situations: int = MAX_SITUATIONS) -> Fold:
    """How many points follow; real ranges count as one."""
    return Fold(machine, 1, lambda edges: sum(many * value for many, _, value in edges), None, situations)


def least(machine: Machine, cost: Cost, situations: int = MAX_SITUATIONS) -> Fold:
    """The least that a cost can still add up to."""
    return Fold(machine, 0, lambda edges: min(spent + value for _, spent, value in edges), cost, situations)


def most(machine: Machine, cost: Cost, situations: int = MAX_SITUATIONS) -> Fold:
    """The most that a cost can still add up to."""
    return Fold(machine, 0, lambda edges: max(spent + value for _, spent, value in edges), cost, situations)
