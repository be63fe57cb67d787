"""Numbers for whole trees of decisions: how many points, the least or the most of a cost.

Configurations that compare equal have equal futures, so each is worked out once: the work grows
with the number of different situations, not with the number of points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from nasdsl.language.configuration import Ask, Configuration, Dead, LimitError
from nasdsl.language.decisions import Answer, Domain, Integers, Reals, listed, middle, size
from nasdsl.language.machine import Machine, OutOfSteps
from nasdsl.language.quantities import Cost
from nasdsl.language.reals import part, places
from nasdsl.language.rules import Rules
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.watch import State

MAX_SITUATIONS = 100_000  # a few seconds, and some 100 MB
MAX_BITS = 10**9  # of all numbers kept: 125 MB
_TRIES = 20  # answers told apart for each situation, on average, by one or two comparisons
_MOST_STEPS = 600_000  # of the machine, over all situations: a few seconds
_STEPS = 10  # the same per situation, where fewer are gone through
MAX_STRUCTURAL = 100_000  # values of one range that can change the network
_BEYOND = 1 << 100  # no cost comes near
# Ranges up to this size are tried value by value for costs; longer ones at their ends, where what they mean for the
# network only rises or only falls from one to the other.
_DENSE = 64

# A place in the tree: where the machine stands, and what the answers so far mean for `require`.
Node: TypeAlias = tuple[Configuration, State]
# An edge of the tree: how many answers take it, its cost, and where it ends.
Edge = tuple[int, int, Node]


def answers(domain: Domain) -> Iterable[Answer]:
    """All answers, in order; a real range gives its middle."""
    return (middle(domain),) if isinstance(domain, Reals) else listed(domain)


class Fold:
    """A value for each place in the tree, from the values of those that its answers lead to.

    `combine` gets (how many answers, cost on the way, value at the end) per edge, dead ends left
    out; `end` is the value of a finished walk; None stands for "no point at all". With `rules` only
    what holds them is a point. `is_rough`: of some real range it is not known which answers fit, so that its
    bound is none. `is_blurred` says whether some answers that they depend on were not
    told apart, so that a few of the points counted may break a rule; `leaves_out`, whether only the ends of
    some range were tried.
    """

    def __init__(
        self,
        machine: Machine,
        end: int,
        combine: Callable[[list[tuple[int, int, int]]], int | None],
        cost: Cost | None = None,
        situations: int = MAX_SITUATIONS,
        rules: Rules | None = None,
        like: Fold | None = None,
        extreme: int | None = None,
    ) -> None:
        """`like`: a fold of the same machine and cost, from which it takes what it knows of the ways. `extreme`: what
        no sum of costs passes."""
        self._situations = situations
        self._steps = min(_MOST_STEPS, _STEPS * situations)
        self.tries_left = _TRIES * situations  # of answers that rules tell apart
        self._bits = 0  # of all values together
        self.rules = rules
        self.is_blurred = False
        self.leaves_out = False
        self.is_rough = False
        self.machine = machine
        self._end = end
        self._combine = combine
        self._extreme = extreme
        self.cost = cost
        self._values: dict[Node, int | None] = {}
        self._arrivals: dict[Configuration, tuple[int, Configuration] | None]
        self._arrivals = {} if like is None else like._arrivals
        self._asks: dict[Configuration, Ask | None] = {} if like is None else like._asks

    @property
    def n_places(self) -> int:
        """How many places have a value."""
        return len(self._values)

    def after(self, configuration: Configuration, state: State = ()) -> tuple[int, int | None]:
        """The cost from here to the next decision, and the value there; None: no point."""
        arrival = self._arrive(configuration)
        if arrival is None:
            return 0, None
        cost, at = arrival
        node = (at, state)
        if node not in self._values:
            self._solve(node)
        return cost, self._values[node]

    def begin(self) -> tuple[int, int | None]:
        """The same at the beginning of all walks."""
        return self.after(self.machine.start(), self.rules.start if self.rules else ())

    def _arrive(self, configuration: Configuration) -> tuple[int, Configuration] | None:
        """Run on to the next decision or the end. None where that fails."""
        if configuration in self._arrivals:
            return self._arrivals[configuration]
        spent = 0

        def note(signature: Signature, arguments: object, source: Shape, target: Shape) -> None:
            nonlocal spent
            assert self.cost is not None
            spent += self.cost(signature, arguments, source, target)  # type: ignore[arg-type]

        before, begun = self.machine.on_layer, self.machine.steps_left
        self.machine.on_layer = note if self.cost is not None else None
        given = self.machine.steps_left = min(begun, self._steps + 1)
        try:
            node, ask = self.machine.run(configuration)
            result: tuple[int, Configuration] | None = (spent, node)
            self._asks[node] = ask
        except Dead:
            result = None
        except OutOfSteps:
            if given == begun:
                raise  # of those that the caller has
            result = None  # of those for all situations: refused below
        finally:
            self.machine.on_layer = before
            used = given - self.machine.steps_left
            self._steps, self.machine.steps_left = self._steps - used, begun - used
        self._arrivals[configuration] = result
        if len(self._arrivals) > self._situations or self._steps < 0:
            raise self._beyond()
        return result

    def _solve(self, root: Node) -> None:
        waiting = [root]
        edges: dict[Node, list[Edge]] = {}
        every: set[Node] = set()
        while waiting:
            node = waiting[-1]
            if node in self._values:
                waiting.pop()
                continue
            if len(self._values) > self._situations:
                raise self._beyond()
            ask = self._ask_at(node[0])
            if ask is None:
                self._values[node] = self._end_of(node)
                waiting.pop()
                continue
            if node not in edges:
                edges[node] = self._edges(ask, node[1])
                open_ends = [end for _, _, end in edges[node] if end not in self._values]
                if open_ends:
                    waiting += open_ends
                    continue
            found = edges.pop(node)
            if self._hides_answers(ask, found) and node not in every:
                # An end of the range leads nowhere: what lies between may lead on.
                every.add(node)
                edges[node] = self._edges(ask, node[1], every=True)
                waiting += [end for _, _, end in edges[node] if end not in self._values]
                continue
            self._values[node] = self._stored(self._combined(node, found))
            if self.rules is None:  # else another state may come to the same decision
                self._asks.pop(node[0], None)
            waiting.pop()

    def _ask_at(self, configuration: Configuration) -> Ask | None:
        """What is asked at a place that has been reached."""
        if configuration not in self._asks:
            self._asks[configuration] = self.machine.run(configuration)[1]
        return self._asks[configuration]

    def _end_of(self, node: Node) -> int | None:
        return self._end if self.rules is None or self.rules.accept(*node) else None

    def _stored(self, value: int | None) -> int | None:
        """A value that stays, as long as there is room for all of them."""
        self._bits += value.bit_length() if value else 0
        if self._bits > MAX_BITS:
            raise LimitError(
                "the numbers of ways of all parts of the space have more than "
                f"{MAX_BITS * 3 // 10:,} digits together, the limit of exact counting"
            )
        return value

    def _beyond(self) -> LimitError:
        if self._steps < 0:
            what = "takes more steps to go through than the limit of exact counting"
        else:
            what = f"has more than {self._situations:,} different situations, the limit of exact counting"
        return LimitError(f"the space {what}")

    def _combined(self, node: Node, edges: list[Edge]) -> int | None:
        alive = []
        for many, cost, end in edges:
            value = self._values[end]
            if value is not None:
                alive.append((many, cost, value))
        if not alive:
            return None
        if self._extreme is not None and len(alive) < len(edges) and self._asks_a_real(node):
            self.is_rough = True
            return self._extreme
        return self._combine(alive)

    def _asks_a_real(self, node: Node) -> bool:
        """Then where answers cease to fit is not known, if that is seen only after further decisions."""
        ask = self._ask_at(node[0])
        return ask is not None and isinstance(ask.domain, Reals)

    def _edges(self, ask: Ask, state: State, every: bool = False) -> list[Edge]:
        edges = []
        for answer, many, after in self._tried(ask, state, every):
            arrival = self._arrive(ask.resume(answer))
            if arrival is not None:
                edges.append((many, arrival[0], (arrival[1], after)))
        return edges

    def _hides_answers(self, ask: Ask, edges: list[Edge]) -> bool:
        """Whether only the ends of a range were tried, and one of them leads nowhere."""
        if self.cost is None or not isinstance(ask.domain, Integers) or size(ask.domain) <= _DENSE:
            return False
        return len(edges) < 2 or any(self._values[end] is None for _, _, end in edges)

    def _tried(self, ask: Ask, state: State, every: bool) -> list[tuple[Answer, int, State]]:
        """Answers to follow, each standing for how many, and what they make of the state."""
        if self.rules is None:
            return [(answer, many, state) for answer, many in self._answers(ask, ask.domain, every)]
        domain = self.rules.offered(ask)
        if domain is None:
            return []
        if not self.rules.observes(ask):
            self.is_blurred = self.is_blurred or self.rules.is_blurred(ask)
            return [(answer, many, state) for answer, many in self._answers(ask, domain, every)]
        self.tries_left -= size(domain) * self.rules.effort
        if self.tries_left < 0:
            raise self._beyond()
        told = [(answer, self.rules.after(state, ask, answer)) for answer in answers(domain)]
        return [(answer, 1, after) for answer, after in told if after is not None]

    def fitting(self, ask: Ask, domain: Reals) -> Reals | None:
        """The part of a real range whose answers lead to another decision, or to the end."""
        return part(domain, lambda answer: self._arrive(ask.resume(answer)) is not None)

    def _answers(self, ask: Ask, domain: Domain, every: bool) -> list[tuple[Answer, int]]:
        if not ask.structural and self.cost is None:
            return [(next(iter(answers(domain))), size(domain))]
        if isinstance(domain, Reals):
            within = self.fitting(ask, domain)
            if within is None:
                return []
            return [(place, 1) for place in (places(within) if self.cost else (middle(within),))]
        if isinstance(domain, Integers):
            count = size(domain)
            if self.cost is not None and count > _DENSE and not every and not ask.bends:
                self.leaves_out = True
                return [(domain.low, 1), (domain.low + (count - 1) * domain.step, 1)]
            if count > MAX_STRUCTURAL:
                raise LimitError(
                    f"`{ask.key}` ranges over {count:,} values that change the network; "
                    f"the limit of exact counting is {MAX_STRUCTURAL:,}"
                )
        return [(answer, 1) for answer in answers(domain)]


def counting(machine: Machine, situations: int = MAX_SITUATIONS, rules: Rules | None = None) -> Fold:
    """How many points follow; real ranges count as one."""
    return Fold(machine, 1, total, None, situations, rules)


def least(
    machine: Machine,
    cost: Cost,
    situations: int = MAX_SITUATIONS,
    rules: Rules | None = None,
    like: Fold | None = None,
) -> Fold:
    """The least that a cost can still add up to."""
    return Fold(machine, 0, _least, cost, situations, rules, like, extreme=0)


def most(
    machine: Machine,
    cost: Cost,
    situations: int = MAX_SITUATIONS,
    rules: Rules | None = None,
    like: Fold | None = None,
) -> Fold:
    """The most that a cost can still add up to."""
    return Fold(machine, 0, _most, cost, situations, rules, like, extreme=_BEYOND)


def total(edges: list[tuple[int, int, int]]) -> int:
    return sum(many * value for many, _, value in edges)


def _least(edges: list[tuple[int, int, int]]) -> int:
    return min(spent + value for _, spent, value in edges)


def _most(edges: list[tuple[int, int, int]]) -> int:
    return max(spent + value for _, spent, value in edges)
