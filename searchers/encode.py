"""Point -> feature vector for surrogates, aware of the tree: what is inactive is absent.

Two families of columns, both learned from the points that were told:

- *local*: per path. An option is one-hot, an ordered answer its place on the scale of its site; both
  carry an activity column, so that active and inactive are a constant apart (cf. the arc kernel of
  Swersky et al. 2014, arXiv 1409.4011). Columns of homologous paths share a site, hence a weight.
- *bags*: what the tree lacks, structure shared across places: how often each option occurs among
  decisions with equal options, which options follow each other in neighbouring copies of a repeat,
  which stand in its first, middle and last third, and the mean place of numbers over copies.

Answers that no told point has given are orthogonal to all told rows; they fall into one spare column per
site. Columns are therefore a function of the history alone, whatever candidates were looked at.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.decisions import Answer, Decision, Domain, Options
from nasdsl.language.moves import is_ordered

Matrix = NDArray[np.float64]
BAG, SQUARE = -1, -2
_ACTIVE = math.sqrt(0.5)  # two different options, or active and inactive: squared distance 1


@functools.lru_cache(maxsize=100_000)
def place_of(path: str) -> tuple[str, str, int]:
    """(site, outermost repeat without its number, number of the copy or -1)."""
    copy = re.search(r"\[(\d+)\]", path)
    site = re.sub(r"\[\d+\]", "[]", path)
    return (site, path[: copy.start()], int(copy[1])) if copy else (site, "", -1)


@functools.lru_cache(maxsize=100_000)
def next_copy(path: str) -> str:
    """The homologous path in the next copy of the outermost repeat."""
    return re.sub(r"\[(\d+)\]", lambda found: f"[{int(found[1]) + 1}]", path, count=1)


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


@dataclass(frozen=True, slots=True)
class Row:
    """A sparse feature vector; a column may come several times and adds up."""

    columns: list[int]
    values: list[float]


class Encoder:
    """Learns columns from told points (`learn`), then encodes any point (`encode`)."""

    def __init__(self) -> None:
        self._columns: dict[Key, int] = {}
        self._site_of_column: list[int] = []  # or BAG, SQUARE
        self._sites: dict[str, int] = {}
        self._scales: dict[str, _Scale] = {}
        self._bag_of_site: dict[str, tuple[Answer, ...]] = {}
        self._cache: dict[tuple[str, Answer], tuple[list[int], list[float]]] = {}

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites known, by number; each has one weight in the kernel."""
        return tuple(self._sites)

    def site_of_columns(self) -> NDArray[np.int64]:
        """(d,) the site of each column, or BAG, or SQUARE (a local column for linear models only)."""
        return np.array(self._site_of_column, dtype=np.int64)

    def learn(self, decisions: Sequence[Decision], answers: Mapping[str, Answer]) -> None:
        """Admit the columns of one told point."""
        self._cache.clear()
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
            else:
                assert isinstance(decision.domain, Options)
                self._bag_of_site.setdefault(site, decision.domain.values)
                self._column(("option", decision.path, answers[decision.path]), index)
                self._column(("bag", self._bag_of_site[site], answers[decision.path]), BAG)
        for key, _ in self._copies(answers):
            self._column(key, BAG)

    def _column(self, key: Key, site: int) -> None:
        if key not in self._columns:
            self._columns[key] = len(self._columns)
            self._site_of_column.append(site)

    def encode(self, answers: Mapping[str, Answer]) -> Row:
        """The features of one point; see the module text for the columns."""
        columns: list[int] = []
        values: list[float] = []
        for pair in answers.items():
            known = self._cache.get(pair)
            if known is None:
                found = self._alone(*pair)
                known = self._cache[pair] = [column for column, _ in found], [value for _, value in found]
            columns += known[0]
            values += known[1]
        for key, value in self._copies(answers):
            index = self._columns.get(key)
            if index is not None:
                columns.append(index)
                values.append(value)
        return Row(columns, values)

    def _alone(self, path: str, answer: Answer) -> list[tuple[int, float]]:
        """What one answer contributes, whatever the others are."""
        site = place_of(path)[0]
        spare = self._columns.get(("spare", site))
        if spare is None:
            return []
        found = []
        options = self._bag_of_site.get(site)
        if options is not None and (bag := self._columns.get(("bag", options, answer))) is not None:
            found.append((bag, 1.0))
        active = self._columns.get(("active", path))
        if active is None:
            return [*found, (spare, 1.0)]
        if site in self._scales and not isinstance(answer, str):
            place = self._scales[site].place(answer)
            linear, square = self._columns["place", path], self._columns["square", path]
            return [*found, (active, 1.0), (linear, place), (square, place * place)]
        option = self._columns.get(("option", path, answer), spare)
        return [*found, (active, _ACTIVE), (option, _ACTIVE)]

    def _copies(self, answers: Mapping[str, Answer]) -> Iterable[tuple[Key, float]]:
        """(key, value) of the features that relate the copies of a repeat."""
        inside = [(p, a, *place) for p, a in answers.items() if (place := place_of(p))[2] >= 0]
        copies: dict[str, int] = {}
        for _, _, _, repeat, copy in inside:
            if copy >= copies.get(repeat, 0):
                copies[repeat] = copy + 1
        for path, answer, site, repeat, copy in inside:
            n = copies[repeat]
            if site in self._bag_of_site:
                yield ("third", site, 3 * copy // n, answer), 1.0
                following = answers.get(next_copy(path))
                if following is not None:
                    yield ("pair", site, answer, following), 1.0
            elif (scale := self._scales.get(site)) is not None:
                yield ("mean", site), scale.place(answer) / n

    def dense(self, rows: Sequence[Row]) -> Matrix:
        """(n, d) matrix of rows; values of a repeated column add up."""
        matrix = np.zeros((len(rows), len(self._columns)))
        lengths = [len(row.columns) for row in rows]
        at = np.repeat(np.arange(len(rows)), lengths)
        columns = np.fromiter(itertools.chain.from_iterable(row.columns for row in rows), np.int64)
        values = np.fromiter(itertools.chain.from_iterable(row.values for row in rows), np.float64)
        np.add.at(matrix, (at, columns), values)
        return matrix
