"""From runs to what people read: one table of regrets, one plot of mean regret over evaluations."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.search import results
from benchmarks.search.harness import Summary, Trace, summarise
from benchmarks.search.problems import PROBLEMS, TABLES, expected_random_regret

MARKS = (50, 100, 200, 500, 1000)
_HEADER = (
    f"{'problem':16} {'searcher':14} {'workers':>7} {'seeds':>5} {'evals':>5}"
    f" {'mean':>8} {'s.e.':>7} {'q25':>8} {'q50':>8} {'q90':>8} {'hit':>5} {'cost ms':>8}"
)


def regrets(problem: str, runs: Mapping[int, Trace], mark: int) -> list[float]:
    """Regret after `mark` evaluations of every run, by seed; a search that ended early keeps its last."""
    best = PROBLEMS[problem](0).best
    best = 0.0 if math.isnan(best) else best
    return [best - run.incumbent[min(mark, len(run.incumbent)) - 1] for _, run in sorted(runs.items())]


def table(folder: Path) -> str:
    """Every comparison of the folder, with the exact expectation of random search above each problem."""
    lines = [_HEADER]
    problem_before = ""
    for problem, searcher, budget, workers, runs in results.all_of(folder):
        if problem != problem_before and (TABLES / f"{problem}.npz").exists():
            exact = " ".join(f"{n}: {expected_random_regret(problem, n):.4f}" for n in MARKS[:3])
            lines.append(f"# {problem}: exact expectation of random search {exact}")
        problem_before = problem
        cost = 1000 * statistics.median(second for run in runs.values() for second in run.seconds)
        for mark in (mark for mark in MARKS if mark <= budget):
            summary = summarise(regrets(problem, runs, mark))
            name = f"{problem:16} {searcher:14} {workers:7} {len(runs):5} {mark:5}"
            lines.append(f"{name} {_numbers(summary)} {cost:8.2f}")
    return "\n".join(lines)


def _numbers(summary: Summary) -> str:
    q25, q50, q90 = summary.quantiles
    return f"{summary.mean:8.4f} {summary.error:7.4f} {q25:8.4f} {q50:8.4f} {q90:8.4f} {summary.hits:5.2f}"


# ---------------------------------------------------------------------------------------------
# the plot: one panel per problem, drawn as SVG by hand, since nothing else here needs a plotting library

_WIDTH, _HEIGHT, _MARGIN = 360, 260, 46
_COLOURS = (
    "#1b6ca8",
    "#d1495b",
    "#3c8d40",
    "#8d5a97",
    "#e08e0b",
    "#5f6b73",
    "#00868b",
    "#a0522d",
    "#7a7a00",
    "#c71585",
)


def plotted(folder: Path) -> str:
    """Mean regret against evaluations, both axes logarithmic on tables; sequential runs only."""
    panels: dict[str, dict[str, list[float]]] = {}
    for problem, searcher, budget, workers, runs in results.all_of(folder):
        if workers == 1 and runs:
            curve = [statistics.fmean(regrets(problem, runs, n)) for n in range(1, budget + 1)]
            panels.setdefault(problem, {})[searcher] = curve
    names = sorted({searcher for curves in panels.values() for searcher in curves})
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
    width = _WIDTH * max(1, len(panels)) + 20
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT + 40}">']
    parts.append("<style>text { font: 11px sans-serif }</style>")
    for i, (problem, curves) in enumerate(panels.items()):
        parts.append(
            f'<g transform="translate({i * _WIDTH} 0)">{"".join(_panel(problem, curves, colours))}</g>'
        )
    for i, name in enumerate(names):
        x = 10 + i * width / len(names)
        parts.append(f'<text x="{x:.0f}" y="{_HEIGHT + 30}" fill="{colours[name]}">{name}</text>')
    return "\n".join([*parts, "</svg>"])


def _panel(problem: str, curves: Mapping[str, list[float]], colours: Mapping[str, str]) -> Iterator[str]:
    lowest = min(value for curve in curves.values() for value in curve)
    floor = max(1e-4, lowest)
    scale = (lambda v: math.log10(max(v, floor))) if lowest >= 0 else (lambda v: v)
    # The first ten evaluations are random in every method; what counts begins there.
    values = [scale(value) for curve in curves.values() for value in curve[9:]]
    low, high = min(values), max(values)
    longest = max(map(len, curves.values()))

    def at(n: int, value: float) -> str:
        x = _MARGIN + (_WIDTH - _MARGIN - 10) * math.log(n / 10) / math.log(max(longest, 11) / 10)
        y = 20 + (_HEIGHT - 50) * (high - scale(value)) / ((high - low) or 1.0)
        return f"{x:.1f},{y:.1f}"

    what = "mean regret" if lowest >= 0 else "minus the mean true score"
    yield f'<text x="{_MARGIN}" y="14">{problem}: {what}</text>'
    ends = [10**low, 10**high] if lowest >= 0 else [low, high]
    for value, y in zip(ends, (_HEIGHT - 30, 20), strict=True):
        yield f'<text x="2" y="{y}">{value:.3g}</text>'
    for n in (10, *(mark for mark in MARKS if mark <= longest)):
        yield f'<text x="{at(n, ends[0]).partition(",")[0]}" y="{_HEIGHT - 12}">{n}</text>'
    for name, curve in curves.items():
        path = " ".join(at(n, curve[n - 1]) for n in range(10, len(curve) + 1))
        yield f'<polyline fill="none" stroke="{colours[name]}" stroke-width="1.5" points="{path}"/>'
