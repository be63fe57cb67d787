"""Numbers, times and charts as people read them."""

from __future__ import annotations

import argparse
import re

import pytest

from nasdsl.cli.values import at_least, duration, names, setting, size
from nasdsl.engine.chart import chart, ticks
from nasdsl.engine.wording import answer_text, clock, number


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("2d", 172800)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "0", "-1s", "nan", "inf", "1e999", "10 minutes"])
def test_no_durations(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        duration(text)


def test_settings() -> None:
    assert setting("epochs=5") == ("epochs", 5)
    assert setting("train/clip = 0.5") == ("train/clip", 0.5)
    assert setting("network/conv=yes") == ("network/conv", True)
    assert setting("mixup=false") == ("mixup", False), "as points print it"
    assert setting("optimizer=sgd") == ("optimizer", "sgd")
    for text in ("epochs", "=3", "epochs="):
        with pytest.raises(argparse.ArgumentTypeError):
            setting(text)


def test_whole_numbers() -> None:
    assert at_least(2)("2") == 2
    for text in ("1", "x", "2.0"):
        with pytest.raises(argparse.ArgumentTypeError):
            at_least(2)(text)


def test_words() -> None:
    assert [clock(s) for s in (0, 45, 200, 7500)] == ["0s", "45s", "3m20s", "2h05m"]
    assert [number(x) for x in (None, 0, 0.91234, 1e-7, 123456.7)] == [
        "–",
        "0.0000",
        "0.9123",
        "1e-07",
        "1.2346e+05",
    ]
    assert [answer_text(a) for a in (True, 3, 0.1234567, "relu")] == ["yes", "3", "0.123457", "relu"]


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0.0, 1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    for low, high in ((0.1234, 0.1299), (-1e6, 3e7), (5.0, 5.0000001)):
        found = ticks(low, high)
        assert 2 <= len(found) <= 8
        assert all(low - 1e-12 <= tick <= high + 1e-12 for tick in found)


def test_a_chart_marks_every_trial_and_stays_inside() -> None:
    svg = chart([0.5, None, 0.7, -1e300, 0.6, 0.9], maximize=True, title="<score>")
    assert svg.count("<circle") == 5
    assert svg.count("#b3261e") == 1
    assert "<title>&lt;score&gt;</title>" in svg
    heights = [float(y) for y in re.findall(r"cy='([^']+)'", svg)]
    assert all(0 <= y <= 280 for y in heights)
    assert chart([None, None], maximize=True, title="x") == ""
    assert "<circle" in chart([0.0], maximize=False, title="x")


def test_sizes_and_names() -> None:
    assert [size(text) for text in ("500M", "1.5G", "4096")] == [500 * 2**20, 3 * 2**29, 4096]
    assert names("0, 1") == ["0", "1"] and names("GPU-8a") == ["GPU-8a"]
    for text in ("", "G", "-1G", "nan", "0"):
        with pytest.raises(argparse.ArgumentTypeError):
            size(text)
    with pytest.raises(argparse.ArgumentTypeError):
        names("0,,1")
