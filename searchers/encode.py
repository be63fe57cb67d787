"""Point -> feature vector for surrogates, aware of the tree: what is inactive is absent.

Two families of columns, both learned from the points that were told:

- *local*: per path. An option is one-hot, an ordered answer its place on the scale of its site; both
  carry an activity column, so that active and inactive are a constant apart (cf. the arc kernel of
  Swersky et al. 2014, arXiv 1409.4011). Columns of homologous paths share a site, hence a weight.
- *bags*: what the tree lacks, structure shared across places: how often each option occurs among
  decisions with equal options, which options follow each other in neighbouring copies of a repeat,
  which stand in its first, middle and last third; and the places of numbers and their squares, summed
  over copies, apart for each option that opened them (a kernel of a conv is not one of a pool).

Answers that no told point has given are orthogonal to all told rows; they fall into one spare column per
site. Columns are therefore a function of the history alone, whatever candidates were looked at.
"""

from __future__ import annotations

import functools
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.decisions import Answer, Decision, Domain, Options
from nasdsl.language.moves import is_ordered

Vector = NDArray[np.float64]
BAG, SQUARE = -1, -2
_KEPT = 100_000  # contributions of single answers
_ACTIVE = math.sqrt(0.5)  # two different options, or active and inactive: squared distance 1


@functools.lru_cache(maxsize=100_000)
def place_of(path: str) -> tuple[str, str, int]:
    """(site, outermost repeat without its number, number of the copy or -1)."""
    copy = re.search(r"\[(\d+)\]", path)
    site = re.sub(r"\[\d+\]", "[]", path)
    return (site, path[: copy.start()], int(copy[1])) if copy else (site, "", -1)


@functools.lru_cache(maxsize=100_000)
def next_copy(path: str, by: int = 1) -> str:
    """The homologous path in the next copy of the outermost repeat, or `by` copies on."""
    return re.sub(r"\[(\d+)\]", lambda found: f"[{int(found[1]) + by}]", path, count=1)


@functools.lru_cache(maxsize=100_000)
def above(path: str) -> tuple[str, ...]:
    """The paths that `path` may lie under, the nearest first."""
    return tuple(path[:end] for end in range(len(path) - 1, 0, -1) if path[end] in "/[")


def owner_of(path: str, answers: Mapping[str, Answer]) -> str:
    """The option that opened the decision at `path`, as far as paths tell; empty where none did."""
    for ancestor in above(path):
        if isinstance(answer := answers.get(ancestor), str):
            return answer
    return ""


@dataclass(slots=True)
class _Scale:
    """The common scale of the ordered answers of one site: knots at their places in [0, 1]."""

    log: bool
    knots: list[float] = field(default_factory=list)
    places: list[float] = field(default_factory=list)

    def widen(self, values: Iterable[float]) -> None:
        self.knots = sorted({*self.knots, *map(self._transformed, values)})
        self.places = [i / max(1, len(self.knots) - 1) for i in range(len(self.knots))]

    def _transformed(self, value: float) -> float:
        return math.log(value) if self.log and value > 0 else float(value)

    def place(self, answer: Answer) -> float:
        """In [-0.5, 0.5], linear between knots."""
        assert not isinstance(answer, str)
        value = self._transformed(answer)
        at = bisect_left(self.knots, value)
        if at == 0 or at == len(self.knots):
            return self.places[min(at, len(self.knots) - 1)] - 0.5
        low, high = self.knots[at - 1], self.knots[at]
        share = (value - low) / (high - low)
        return self.places[at - 1] + share * (self.places[at] - self.places[at - 1]) - 0.5


def _ends(domain: Domain) -> tuple[Iterable[float], bool]:
    """The values that span the scale, and whether it is logarithmic."""
    if isinstance(domain, Options):
        return [v for v in domain.values if not isinstance(v, str)], False
    return (domain.low, domain.high), domain.log


Key = tuple[object, ...]
Entries = tuple[list[int], list[float]]  # columns, and what is added there


class Encoder:
    """Learns columns from told points (`learn`), then encodes any point (`encode`).

    A feature vector is a sum of contributions: of each answer alone, of an answer and the number of
    copies around it, and of a pair of answers in neighbouring copies. So an edit of one answer changes
    a few entries (`edited`), and contributions are worked out once.
    """

    def __init__(self) -> None:
        self._columns: dict[Key, int] = {}
        self._site_of_column: list[int] = []  # or BAG, SQUARE
        self._sites: dict[str, int] = {}
        self._scales: dict[str, _Scale] = {}
        self._bag_of_site: dict[str, tuple[Answer, ...]] = {}
        self._owned: dict[tuple[str, Answer, int, str], Entries] = {}
        self.version = 0  # rows of candidates do not fit another version
        self.scaled = 0  # rows of told points grow by zeros until a scale changes

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites known, by number; each has one weight in the kernel."""
        return tuple(self._sites)

    def site_of_columns(self) -> NDArray[np.int64]:
        """(d,) the site of each column, or BAG, or SQUARE (a local column for linear models only)."""
        return np.array(self._site_of_column, dtype=np.int64)

    def learn(self, decisions: Sequence[Decision], answers: Mapping[str, Answer]) -> None:
        """Admit the columns of one told point."""
        known = self._version_of_columns()
        for decision in decisions:
            site = place_of(decision.path)[0]
            index = self._sites.setdefault(site, len(self._sites))
            self._column(("spare", site), index)
            self._column(("active", decision.path), index)
            if is_ordered(decision.domain):
                ends, log = _ends(decision.domain)
                self._scales.setdefault(site, _Scale(log)).widen(ends)
                self._column(("place", decision.path), index)
                self._column(("square", decision.path), SQUARE)
                owner = owner_of(decision.path, answers)
                self._column(("sum", site, owner), BAG)
                self._column(("sum of squares", site, owner), BAG)
            else:
                assert isinstance(decision.domain, Options)
                self._bag_of_site.setdefault(site, decision.domain.values)
                self._column(("option", decision.path, answers[decision.path]), index)
                self._column(("bag", self._bag_of_site[site], answers[decision.path]), BAG)
        copies = copies_of(answers)
        for path, answer in answers.items():
            site, repeat, copy = place_of(path)
            if copy >= 0 and site in self._bag_of_site:
                self._column(("third", site, 3 * copy // copies[repeat], answer), BAG)
                following = answers.get(next_copy(path))
                if following is not None:
                    self._column(("pair", site, answer, following), BAG)
        now = self._version_of_columns()
        if known != now:
            self._owned.clear()
            self.version += 1
            self.scaled += known[1] != now[1]

    def _version_of_columns(self) -> tuple[int, int]:
        return len(self._columns), sum(len(scale.knots) for scale in self._scales.values())

    def _column(self, key: Key, site: int) -> None:
        if key not in self._columns:
            self._columns[key] = len(self._columns)
            self._site_of_column.append(site)

    def encode(self, answers: Mapping[str, Answer]) -> Vector:
        """(d,) the features of one point; see the module text for the columns."""
        columns: list[int] = []
        values: list[float] = []
        copies = copies_of(answers)
        for path, answer in answers.items():
            site, repeat, copy = place_of(path)
            n = copies[repeat] if copy >= 0 else 0
            owner = owner_of(path, answers) if site in self._scales else ""
            own = self._owned.get((path, answer, n, owner)) or self._own(path, answer, n, owner)
            columns += own[0]
            values += own[1]
            if copy + 1 < n and site in self._bag_of_site:
                pair = self._columns.get(("pair", site, answer, answers.get(next_copy(path))))
                if pair is not None:
                    columns.append(pair)
                    values.append(1.0)
        return np.bincount(columns, values, len(self._columns)).astype(float)

    def edited(self, row: Vector, answers: Mapping[str, Answer], path: str, answer: Answer, n: int) -> Vector:
        """The row of `answers` after the answer at `path` was replaced; `row` is that before.

        `n` is the number of copies around the path. Nothing may open or close by the edit.
        """
        changed = row.copy()
        before, after = next_copy(path, -1), next_copy(path)
        site = place_of(path)[0]
        owner = owner_of(path, answers) if site in self._scales else ""
        for value, sign in ((answers[path], -1.0), (answer, 1.0)):
            for column, amount in zip(*self._own(path, value, n, owner), strict=True):
                changed[column] += sign * amount
            if n and site in self._bag_of_site:
                pairs = (
                    self._pair(path, value, answers.get(after)),
                    self._pair(before, answers.get(before), value),
                )
                for pair in pairs:
                    if pair is not None:
                        changed[pair] += sign
        return changed

    def _own(self, path: str, answer: Answer, n: int, owner: str) -> Entries:
        """What one answer contributes in itself, and by its place among `n` copies (0: in none)."""
        key = (path, answer, n, owner)
        known = self._owned.get(key)
        if known is None:
            if len(self._owned) >= _KEPT:
                self._owned.clear()  # reals never come twice
            found = [*self._alone(path, answer), *self._among(path, answer, n, owner)]
            known = [column for column, _ in found], [value for _, value in found]
            self._owned[key] = known
        return known

    def _alone(self, path: str, answer: Answer) -> Iterator[tuple[int, float]]:
        site = place_of(path)[0]
        spare = self._columns.get(("spare", site))
        if spare is None:
            return
        options = self._bag_of_site.get(site)
        if options is not None and (bag := self._columns.get(("bag", options, answer))) is not None:
            yield bag, 1.0
        active = self._columns.get(("active", path))
        if active is None:
            yield spare, 1.0
        elif site in self._scales and not isinstance(answer, str):
            place = self._scales[site].place(answer)
            yield active, 1.0
            yield self._columns["place", path], place
            yield self._columns["square", path], place * place
        else:
            yield active, _ACTIVE
            yield self._columns.get(("option", path, answer), spare), _ACTIVE

    def _among(self, path: str, answer: Answer, n: int, owner: str) -> Iterator[tuple[int, float]]:
        """The third of the repeat that an option stands in; a number's share in the sums of its kind."""
        site, _, copy = place_of(path)
        if site in self._bag_of_site:
            third = self._columns.get(("third", site, 3 * copy // n, answer)) if n else None
            if third is not None:
                yield third, 1.0
        elif site in self._scales and ("sum", site, owner) in self._columns:
            place, scale = self._scales[site].place(answer), 1.0 / math.sqrt(max(1, n))
            yield self._columns["sum", site, owner], place * scale
            yield self._columns["sum of squares", site, owner], place * place * scale

    def _pair(self, path: str, answer: Answer | None, following: Answer | None) -> int | None:
        """The column of two answers in neighbouring copies."""
        if answer is None or following is None:
            return None
        return self._columns.get(("pair", place_of(path)[0], answer, following))


def copies_of(answers: Iterable[str]) -> dict[str, int]:
    """Outermost repeat -> number of its copies, as far as they hold decisions."""
    copies: dict[str, int] = {}
    for path in answers:
        _, repeat, copy = place_of(path)
        if copy >= copies.get(repeat, 0):
            copies[repeat] = copy + 1
    return copies
