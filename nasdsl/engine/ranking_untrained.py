"""Points ranked without training: proxies beside what a network costs, and how far either agrees with a run."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nasdsl.engine.data import home
from nasdsl.engine.probing import proxies
from nasdsl.engine.run import DATA_FOLDER, Run
from nasdsl.language.errors import NasdslError
from nasdsl.language.point import Point
from nasdsl.language.signatures.measures import MEASURES, PROXIES

if TYPE_CHECKING:
    from nasdsl.language.space import Space
    from nasdsl.training import Dataset

COSTS = ("params", "macs")  # the baseline that a proxy must beat


@dataclass(frozen=True)
class Measured:
    """One untrained point. number: the seed it was drawn with, or the trial of a run. values: by measure, those
    that say something of this network; silent: of the others, why not. score: what the trial reached."""

    number: int
    point: Point
    values: Mapping[str, float]
    silent: Mapping[str, str] = field(default_factory=dict)
    score: float | None = None


@dataclass(frozen=True)
class Agreement:
    """How far the order by a measure is that of the trained scores; n points had both. A measure of which less is
    better is negated, so that 1 is always full agreement. None where all values are equal."""

    measure: str
    n: int
    kendall: float | None
    spearman: float | None


def drawn(space: Space, n: int, seed: int, names: Sequence[str] = PROXIES) -> list[Measured]:
    """n different points (as many as are found), measured on the data of the space, or on noise where it has none."""
    dataset = data_of(space)
    if dataset is not None:
        space = space.with_task(dataset.shapes, dataset.outputs)
    points: dict[Point, int] = {}
    for one in range(seed, seed + 20 * n):
        points.setdefault(space.sample(one), one)
        if len(points) == n:
            break
    return [_measured(space, point, number, number, names, dataset) for point, number in points.items()]


def of_run(run: Run, names: Sequence[str] = PROXIES) -> list[Measured]:
    """The trained points of a run, each measured as it was before its training."""
    from nasdsl.training import Dataset

    kept = run.folder / DATA_FOLDER
    dataset = Dataset.open(kept) if kept.is_dir() else None
    found = []
    for record in run.records:
        if record.reason == "complete":
            found.append(
                _measured(run.space, record.point, record.trial, record.seed, names, dataset, record.score)
            )
    return found


def data_of(space: Space) -> Dataset | None:
    """The data that the space names; None where it names shapes alone."""
    from nasdsl.training import open_data

    if not space.has_network or space.task is None:
        raise NasdslError("proxies are measured on networks, and this space has no `network { }`")
    if space.task.data is None or space.task.data.name in ("shape", "shapes"):
        return None
    return open_data(space.task, home(space))


def by_rank(rows: Iterable[Measured], names: Sequence[str]) -> list[tuple[float | None, Measured]]:
    """Rows with their mean rank over the proxies that say something of all of them, best first; ranks from 1.
    None where no proxy does."""
    rows = list(rows)
    told = [
        name for name in names if MEASURES[name].larger is not None and all(name in r.values for r in rows)
    ]
    ranks = [_ranks([signed(row, name) for row in rows]) for name in told]
    means = [math.fsum(each) / len(told) for each in zip(*ranks, strict=True)] if told else [None] * len(rows)
    return sorted(zip(means, rows, strict=True), key=lambda pair: (pair[0] or 0.0, pair[1].number))


def agreements(rows: Sequence[Measured], names: Sequence[str]) -> list[Agreement]:
    """For each measure and each cost, the rank correlations with the scores."""
    return [_agreement(rows, name) for name in (*COSTS, *names)]


def _measured(
    space: Space,
    point: Point,
    number: int,
    seed: int,
    names: Sequence[str],
    dataset: Dataset | None,
    score: float | None = None,
) -> Measured:
    quantities = space.quantities(point)
    values, silent = {name: quantities[name] for name in COSTS}, {}
    for name in names:
        try:
            values |= proxies(space, point, seed, [name], dataset)
        except NasdslError as error:
            silent[name] = str(error)
    return Measured(number, point, values, silent, score)


def signed(row: Measured, name: str) -> float:
    """So that more is better; costs by size: the larger network is taken for the better one."""
    value = row.values[name]
    if name == "chi":
        return -abs(math.log(value))
    return value if name in COSTS or MEASURES[name].larger else -value


def _ranks(values: Sequence[float]) -> list[float]:
    """1 for the greatest; equal values share the mean of their places."""
    from scipy.stats import rankdata

    return [float(rank) for rank in rankdata([-value for value in values])]


def _agreement(rows: Sequence[Measured], name: str) -> Agreement:
    from scipy.stats import kendalltau, spearmanr

    pairs = [(signed(row, name), row.score) for row in rows if name in row.values and row.score is not None]
    if len(pairs) < 2:
        return Agreement(name, len(pairs), None, None)
    ours, scores = zip(*pairs, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of constant input, which is None here
        tau, rho = kendalltau(ours, scores).statistic, spearmanr(ours, scores).statistic
    return Agreement(name, len(pairs), *(None if math.isnan(one) else float(one) for one in (tau, rho)))
