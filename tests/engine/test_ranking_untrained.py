"""Untrained points in order, and how far that order is the one of trained scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nasdsl
from benchmarks.proxies import told
from nasdsl.cli import main
from nasdsl.engine.ranking_untrained import Measured, agreements, by_rank, drawn, of_run
from nasdsl.language.errors import NasdslError
from nasdsl.language.point import Point

TEXT = """task classification on digits
network { flatten; linear(4 | 8 | 16 | 32); relu; linear(outputs) }
train { epochs = 1 }
"""


def row(number: int, score: float, **values: float) -> Measured:
    return Measured(number, Point({"n": number}), {"params": 1.0, "macs": number, **values}, {}, score)


def test_agreement_by_hand() -> None:
    # By ntk_cond less is better: its order 1, 3, 2 has one pair of three the other way round.
    rows = [row(1, 0.9, ntk_cond=1.0), row(2, 0.5, ntk_cond=3.0), row(3, 0.4, ntk_cond=2.0)]
    params, macs, cond = agreements(rows, ["ntk_cond"])
    assert (params.kendall, params.spearman) == (None, None)  # all alike
    assert macs.kendall == pytest.approx(-1) and macs.spearman == pytest.approx(-1)
    assert cond.kendall == pytest.approx(1 / 3) and cond.spearman == pytest.approx(0.5) and cond.n == 3


def test_ranks_are_means_over_proxies_that_say_something_of_all() -> None:
    rows = [row(1, 0, synflow=3.0, ntk_cond=2.0, zen=1.0), row(2, 0, synflow=4.0, ntk_cond=1.0)]
    assert [(rank, one.number) for rank, one in by_rank(rows, ["synflow", "ntk_cond", "zen"])] == [
        (1, 2),
        (2, 1),
    ]
    assert [rank for rank, _ in by_rank(rows, [])] == [None, None]


def test_drawn_points_are_different_and_as_many_as_there_are() -> None:
    rows = drawn(nasdsl.parse(TEXT), 9, 0, ["synflow"])
    assert len({one.point for one in rows}) == len(rows) == 4
    by_flow, by_size = (sorted(rows, key=lambda one: one.values[name]) for name in ("synflow", "params"))
    assert by_flow == by_size


def test_a_space_without_a_network_has_nothing_to_measure() -> None:
    with pytest.raises(NasdslError, match="no `network"):
        drawn(nasdsl.parse("let a = 1 | 2"), 2, 0)


def test_a_run_tells_how_far_proxies_agree_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "widths.space"
    file.write_text(TEXT)
    run = nasdsl.search(nasdsl.load(str(file)), searcher="random", budget=4, workers=1, run=tmp_path / "run")
    rows = of_run(run, ["synflow"])
    assert {one.number: one.score for one in rows} == {one.trial: one.score for one in run.records}
    command = ["measure", str(file), "--proxies", "--run", str(run.folder)]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["measure"] for one in told["agreement"]][:3] == ["params", "macs", "naswot"]
    flow = next(one for one in told["agreement"] if one["measure"] == "synflow")
    assert flow["n"] == 4 and flow["kendall"] == told["agreement"][0]["kendall"]  # both grow with width
    assert main(command) == 0
    page = capsys.readouterr().out
    assert "order as by accuracy" in page and "Spearman" in page
    other = tmp_path / "other.space"
    other.write_text(TEXT.replace("linear(4", "linear(5").replace("| 8 | 16 | 32", "| 6"))
    assert main(["measure", str(other), "--run", str(run.folder)]) == 2
    assert "no finished trial that is a point of" in capsys.readouterr().err


def test_the_benchmark_of_proxies_tells_what_is_above_size() -> None:
    rows = [row(-i, i / 8, params=i ^ 1, naswot=i, ntk_cond=i) for i in range(8)]
    found = {name: (tau, gain) for name, _, tau, _, gain, _ in told(rows)}
    base = 1 - 2 * 4 / 28  # four of the 28 pairs are the other way round
    assert found["params"] == (pytest.approx(base), 0)
    assert found["macs"][0] == pytest.approx(-1)
    assert found["naswot"] == (pytest.approx(1), pytest.approx(1 - base))
    assert found["ntk_cond"][0] == pytest.approx(-1)  # less is better
