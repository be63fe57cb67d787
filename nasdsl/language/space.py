"""A Space: a checked file as something to decide, count, sample and edit."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Literal

from nasdsl.language import moves
from nasdsl.language import syntax as s
from nasdsl.language.bare import bare
from nasdsl.language.batches import sampled
from nasdsl.language.check import Program, check, machine_of
from nasdsl.language.conditions import Latency, Probed
from nasdsl.language.configuration import Dead, LimitError
from nasdsl.language.decisions import Answer, Decision, contains, default, draw
from nasdsl.language.errors import AnswerError, Diagnostic
from nasdsl.language.findings import findings
from nasdsl.language.fitting import Fitting, Trying, drawn, fitting, trying
from nasdsl.language.flat import flat_value
from nasdsl.language.fold import MAX_SITUATIONS, Fold, counting
from nasdsl.language.footprint import footprint
from nasdsl.language.machine import Machine
from nasdsl.language.network import Decided, Goal, Task
from nasdsl.language.outline import Line, outline
from nasdsl.language.point import Point
from nasdsl.language.printer import print_file
from nasdsl.language.prospects import Prospects, prospects
from nasdsl.language.quantities import measure
from nasdsl.language.ranking import rank, unrank
from nasdsl.language.recording import decided
from nasdsl.language.requires import Proof, Requirement
from nasdsl.language.shapes import Shape
from nasdsl.language.sites import Sites, sites_of
from nasdsl.language.starting import start_point
from nasdsl.language.tasks import Bound
from nasdsl.language.valid import Bounds, Valid
from nasdsl.language.walk import Feasibility, Walks
from nasdsl.language.weaving import Unwoven, can_weave

_WOVEN = 50_000  # situations gone through to see whether copies can go side by side
_SOON = 20_000  # situations that an outline goes through
_LISTED = 2_000  # points that are gone through one by one to count the valid ones


class Space:
    """A tree of decisions. Built by `nasdsl.parse` and `nasdsl.load`; immutable."""

    def __init__(self, program: Program, fixed: Mapping[str, Answer] | None = None) -> None:
        """`fixed`: answers that every point has wherever their paths open; see fixing.py."""
        self._program = program
        self.fixed: Mapping[str, Answer] = dict(fixed or {})
        self.name: str = program.file.name or "space"
        self.doc: str = program.file.doc
        self.task: Task | None = program.task
        self.goals: tuple[Goal, ...] = program.goals
        self.warnings: tuple[Diagnostic, ...] = program.warnings
        self.has_network: bool = program.has_network
        self.has_requirements: bool = bool(program.requirements)
        self.file: s.File = program.file

    def __repr__(self) -> str:
        return f"<Space {self.name}>"

    @cached_property
    def text(self) -> str:
        """The canonical text: what is stored, and what a worker reads."""
        return print_file(self.file)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text without comments, all in one layout: equal for files that mean the same."""
        from hashlib import sha256  # loads OpenSSL, which a check has no use for

        return sha256(print_file(bare(self.file)).encode()).hexdigest()

    @cached_property
    def sites(self) -> Sites:
        """All decisions, whether or not a point opens them; see carrying.py."""
        return sites_of(self._program.statement)

    def with_task(self, inputs: Mapping[str, Shape], outputs: int) -> Space:
        """The space on the user's own data. Raises SpaceError where its networks do not fit them."""
        bound = Bound(dict(inputs), outputs)
        return Space(check(self.file, bound, self._program.trust), self.fixed)

    def fixed_at(self, answers: Mapping[str, Answer]) -> Space:
        """The space with more answers fixed, unchecked; `nasdsl.language.fixing.fix` checks them."""
        return Space(self._program, {**self.fixed, **answers})

    # --- deciding -----------------------------------------------------------------------------

    @cached_property
    def _machine(self) -> Machine:
        """Works out shapes: what costs and plans need."""
        return self._new_machine(blind=False)

    @cached_property
    def _decider(self) -> Machine:
        """Decides and counts; without shapes where every network fits or the data are not known."""
        blind = not self._program.can_fail or not self._is_concrete
        return self._new_machine(blind=True) if blind else self._machine

    def _new_machine(self, blind: bool = False, deep: bool = False, weaves: bool = False) -> Machine:
        program = self._program
        return machine_of(program.statement, program.frame_size, self.task, blind, deep, weaves)

    def _walker(self, blind: bool, deep: bool, weaves: bool) -> Machine:
        """The machine for walks: with wires that know their depth, with copies side by side, or one that there
        is already."""
        if deep or weaves:
            return self._new_machine(deep=deep, weaves=weaves)
        return self._decider if blind == self._decider.blind else self._machine

    @cached_property
    def _count(self) -> Fold:
        """Counts all points; the copies of tied repeats side by side, where they can be."""
        return self._counting(_WOVEN, MAX_SITUATIONS)

    def _counting(self, woven_within: int, within: int) -> Fold:
        if self._can_weave:
            machine = self._new_machine(self._decider.blind, weaves=True)
            woven = counting(machine, woven_within)
            try:
                woven.begin()
            except (Unwoven, LimitError):
                pass  # the copies differ, or there is too much besides them: one after another
            else:
                return woven
        return counting(self._decider, within)

    @cached_property
    def _can_weave(self) -> bool:
        return can_weave(self._program.statement)

    @cached_property
    def _prospects(self) -> Prospects:
        lines, can_fail = self._program.requirements, self._program.can_fail
        weaves = bool(lines) and self._can_weave
        count = None if self._decider.blind else self._count
        memory = footprint(self._program.statement) if any(line.memory for line in lines) else None
        return prospects(self._walker, lines, can_fail, self._is_concrete, weaves, count, memory=memory)

    @cached_property
    def _walks(self) -> Walks:
        ahead = self._prospects
        accepts = None if ahead.is_proved else self._satisfies
        return Walks(ahead.machine, Feasibility(ahead.exists, ahead.bounds, ahead.rules, accepts, self.fixed))

    @property
    def _is_concrete(self) -> bool:
        """Whether the data are known, so that shapes are numbers."""
        return self.task is None or all(shape.concrete for shape in self.task.inputs.values())

    def holds(self, point: Point) -> bool:
        """Whether a finished point satisfies every `require`, and has the answers that are fixed."""
        return self._has_fixed(point) and self._satisfies(point)

    def _has_fixed(self, point: Point) -> bool:
        return all(point.get(path, answer) == answer for path, answer in self.fixed.items())

    def _satisfies(self, point: Point) -> bool:
        if not self._program.requirements:
            return True
        # Before the data are read, their shapes are not known, nor what they cost.
        quantities = self.quantities(point) if self.has_network and self._is_concrete else {}
        return all(line.holds(point, quantities) for line in self._program.requirements)

    def decide(self, choose: Callable[[Decision], Answer]) -> Point:
        """Put every open decision to `choose`; the one walk that everything here stands on.

        After a dead end `choose` is asked again for the same path, without the answer that led
        there. Raises AnswerError for an answer that is not offered, Infeasible where no point
        holds every `require`.
        """
        return self._walks.decide(choose)

    def decided(self, point: Mapping[str, Answer]) -> Decided:
        """The network and the settings that a point decides. Raises AnswerError for no point."""
        answers = point if isinstance(point, Point) else Point(point)
        found = decided(self._machine, answers, self.task)
        return replace(found, folder=os.path.dirname(os.path.abspath(self.file.source.name)))

    def quantities(self, point: Mapping[str, Answer]) -> Mapping[str, float]:
        """What is known of a point's network before any training: `params`, `macs`, `depth`, …

        Raises AnswerError for no point, Dead where nothing fits.
        """
        return measure(self.decided(point))

    @property
    def required_measures(self) -> tuple[Latency | Probed, ...]:
        """What `require` lines measure on the untrained network."""
        return tuple(one for line in self._program.requirements for one in line.measured)

    def unmet(self, point: Point, measured: Mapping[str, float]) -> str:
        """The first measured `require` line that a point breaks, as it is written; "" where all hold.
        `measured` has what they measure by their keys."""
        known = {**self.quantities(point), **measured}
        lines = (line for line in self._program.requirements if line.measured)
        return next((flat_value(line.condition) for line in lines if not line.holds(point, known)), "")

    def settled(self) -> tuple[tuple[Requirement, Proof], ...]:
        """Each `require` line, and when it is known that a point holds it."""
        return tuple((line, line.settled(self._is_concrete)) for line in self._program.requirements)

    def drawn(self, n: int) -> list[Point]:
        """At most `n` points that fit, whatever the `require` lines say; fewer where points are large."""
        return drawn(self._new_machine(), n)

    def fit(self) -> Fitting | Trying | Literal["open", "all"] | None:
        """What is known of the shapes of all points: "all" fit, by proof, or how many do; "open" until the data are
        read; None where there is no network."""
        if not self.has_network:
            return None
        if not self._is_concrete:
            return "open"
        if not self._program.can_fail:
            return "all"
        blind = self._new_machine(blind=True)
        return fitting(self._machine, blind) or trying(self._machine, blind)

    def findings(self) -> tuple[Diagnostic, ...]:
        """What a check finds out of the whole space: dead answers as warnings, what is proved as notes."""
        return findings(self)

    def contains(self, point: Mapping[str, Answer]) -> bool:
        """Whether the answers make a point of this space, every `require` included."""
        answers = point if isinstance(point, Point) else Point(point)
        try:
            self.decided(answers)
        except (AnswerError, Dead):
            return False
        return self.holds(answers)

    # --- counting -----------------------------------------------------------------------------

    def count(self) -> int:
        """How many points, exactly: after pruning by shapes and before `require`; a real range
        counts as one. Raises LimitError where exact counting is out of reach."""
        return self._count.begin()[1] or 0

    def outline(self) -> tuple[Line, ...]:
        """The parts of the space as they are nested, each with how many ways it has by itself where that is soon known."""
        known = self._soon
        return outline(
            self._decider, known if known.machine is self._decider else counting(self._decider, _SOON)
        )

    @cached_property
    def _soon(self) -> Fold:
        return self._counting(_SOON, _SOON)

    def count_soon(self) -> int | None:
        """As `count`; None where that takes more than a second or so."""
        try:
            return self._soon.begin()[1] or 0
        except LimitError:
            return None

    @cached_property
    def _valid(self) -> Valid:
        return Valid(self._prospects, self.holds, self.count())

    def count_valid(self) -> Bounds:
        """How many points hold every `require`: certified bounds, equal where the number is known.

        Answers that are fixed play no part. Raises LimitError where exact counting is out of reach.
        """
        found = self._valid.bounds()
        if found.at_least < found.at_most and self.count() <= _LISTED:
            n = sum(map(self._satisfies, self.enumerate()))
            return Bounds(n, n)
        return found

    def unrank(self, index: int) -> Point:
        """The point at an index in 0..count() - 1. Raises IndexError beyond."""
        return unrank(self._count.machine, self._count, index, default)

    def rank(self, point: Mapping[str, Answer]) -> int:
        """The index of a point. Raises AnswerError where it is none."""
        return rank(self._count.machine, self._count, point)

    def enumerate(self) -> Iterator[Point]:
        """All points, lazily, in order of rank."""
        return (self.unrank(index) for index in range(self.count()))

    # --- sampling and editing -----------------------------------------------------------------

    def sample(self, seed: int | str = 0, uniform: str = "decisions") -> Point:
        """A point at random: every decision by its prior (`@`), or uniformly over all points."""
        rng = random.Random(f"sample/{seed}")
        if uniform == "decisions":
            return self.decide(lambda decision: draw(decision.domain, rng))
        if uniform != "points":
            raise ValueError(f'uniform is "decisions" or "points", not {uniform!r}')
        return self._sample_points(rng)

    def samples(self, n: int, seed: int | str = 0, uniform: str = "decisions") -> list[Point]:
        """`n` points, each drawn as `sample` draws one; many times faster than one by one."""
        rng = random.Random(f"samples/{seed}")
        if uniform == "decisions":
            return sampled(self._walks, n, rng)
        if uniform != "points":
            raise ValueError(f'uniform is "decisions" or "points", not {uniform!r}')
        return [self._sample_points(rng) for _ in range(n)]

    def _sample_points(self, rng: random.Random) -> Point:
        def real(decision: Decision) -> Answer:
            fixed = self.fixed.get(decision.path)
            if fixed is not None and contains(decision.domain, fixed):
                return fixed
            return draw(decision.domain, rng)

        return self._valid.draw(rng, real, fixed=bool(self.fixed))

    def neighbours(self, point: Point) -> Iterator[Point]:
        """All points one edit away."""
        return moves.neighbours(self, point)

    def mutate(self, point: Point, seed: int | str = 0) -> Point:
        """A point one random edit away; the point itself where the space has no other."""
        return moves.mutate(self, point, random.Random(f"mutate/{seed}"))

    def crossover(self, a: Point, b: Point, seed: int | str = 0) -> Point:
        """A point with parts of both."""
        return moves.crossover(self, a, b, random.Random(f"crossover/{seed}"))

    def start(self) -> Point | None:
        """The point of `start { }`, the rest by default; None where the file has none.

        What is fixed comes before what `start` says. Raises SpaceError for answers not offered.
        """
        if not self._program.start:
            return None
        start = start_point(Space(self._program), self._program.start)
        return moves.follow(self, start, default)

    def default(self) -> Point:
        """First alternatives, lowest counts, middles of ranges."""
        return self.decide(default)

    def settings(self, point: Mapping[str, Answer]) -> Mapping[str, object]:
        """The training settings of a point."""
        return self.decided(point).settings
