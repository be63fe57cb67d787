"""check, fmt, count, sample, show and ops: what they print, and their exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nasdsl import Point, load
from nasdsl.cli.arguments import COMMANDS

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(command, nasdsl, golden) -> None:
    result = nasdsl(*([command] if command else []), "--help")
    assert result.status == 0
    golden(f"cli/help{'-' if command else ''}{command}.txt", result.out)


@pytest.mark.parametrize(
    "arguments", [(), ("frobnicate",), ("count",), ("count", "a", "b"), ("sample", "a", "-n", "0")]
)
def test_bad_usage_is_2(arguments, nasdsl) -> None:
    result = nasdsl(*arguments)
    assert result.status == 2
    assert "usage: nasdsl" in result.err
    assert not result.out


def test_check_tells_every_problem_of_every_file(nasdsl, folder, golden) -> None:
    (folder / "bad.space").write_text(
        "task classification on digits\nnetwork { convd2(8); linear(outputs, bias = 3) }\n"
    )
    result = nasdsl("check", "plain.space", "bad.space", "missing.space")
    assert result.status == 2
    golden("cli/check.txt", result.out + "---\n" + result.err)
    problems = json.loads(nasdsl("check", "--json", "plain.space", "bad.space", "missing.space").out)
    errors = [problem for problem in problems if problem["severity"] == "error"]
    assert {problem["file"] for problem in errors} == {"bad.space", "missing.space"}
    assert all(problem["line"] and problem["help"] for problem in errors)


def test_check_of_good_files_is_0_and_warnings_are_told(nasdsl, folder) -> None:
    (folder / "warned.space").write_text("let a = relu | relu\n")
    result = nasdsl("check", "plain.space", "warned.space")
    assert result.status == 0
    assert result.out == "plain.space: no problems\nwarned.space: 1 warning\n"
    assert "warning[" in result.err


def test_check_says_when_each_require_is_settled(nasdsl, folder, golden) -> None:
    body = "network { let a = 1..8; linear(a); linear(outputs) }\n"
    lines = "require params <= 1M and a >= 2\nrequire params <= 9 * macs\nrequire latency_ms(device = cpu) <= 50\n"
    (folder / "lines.space").write_text(f"task classification on wine\n{body}{lines}")
    (folder / "later.space").write_text(
        f'task classification on csv("a.csv", target = "b")\n{body}{lines}require a <= 4\n'
    )
    golden("cli/check-require.txt", nasdsl("check", "lines.space", "later.space").out)
    notes = json.loads(nasdsl("check", "--json", "lines.space").out)
    assert [(n["severity"], n["code"], n["line"], n["proof"]) for n in notes] == [
        ("note", "shapes", 2, "all"),
        ("note", "require", 3, "proved"),
        ("note", "require", 4, "finished"),
        ("note", "require", 5, "measured"),
    ]
    assert 0 <= notes[2]["held"] <= notes[2]["drawn"] == 20


def test_fmt_rewrites_in_place_and_only_once(nasdsl, folder) -> None:
    path = folder / "plain.space"
    path.write_text("space   plain\nlet a=1|2 # kept\n")
    path.chmod(0o640)
    assert nasdsl("fmt", "--check", "plain.space").status == 1
    diff = nasdsl("fmt", "--diff", "plain.space")
    assert diff.status == 0
    assert "+let a = 1 | 2  # kept" in diff.out
    assert path.read_text() == "space   plain\nlet a=1|2 # kept\n", "neither writes"
    assert nasdsl("fmt", "plain.space").out == "plain.space: formatted\n"
    assert "let a = 1 | 2  # kept" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(folder).count("plain.space") == len([n for n in os.listdir(folder) if "plain" in n])
    assert nasdsl("fmt", "--check", "plain.space").status == 0
    assert nasdsl("fmt", "plain.space").out == ""


def test_fmt_leaves_a_bad_file_and_formats_the_others(nasdsl, folder) -> None:
    (folder / "bad.space").write_text("let = 3\n")
    (folder / "plain.space").write_text("let a=1|2\n")
    result = nasdsl("fmt", "bad.space", "plain.space")
    assert result.status == 2
    assert "bad.space:1:" in result.err
    assert (folder / "bad.space").read_text() == "let = 3\n"
    assert (folder / "plain.space").read_text() == "let a = 1 | 2\n"


def test_count_is_one_unbroken_line_of_any_length(nasdsl, folder) -> None:
    digits = "|".join("0123456789")
    (folder / "many.space").write_text("\n".join(f"let a{i} = {digits}" for i in range(2000)))
    assert nasdsl("count", "many.space").out == "1" + "0" * 2000 + "\n"
    assert nasdsl("count", "plain.space").out == "3\n"
    assert json.loads(nasdsl("count", "--json", "plain.space").out) == {"tree": "3", "valid": "3"}
    bounds = json.loads(nasdsl("count", "--json", "tiny.space").out)
    assert bounds == {"tree": "6", "valid": "6"}


def test_sample_prints_the_points_of_the_python_interface(nasdsl, folder) -> None:
    result = nasdsl("sample", "tiny.space", "-n", "3", "--seed", "7", "--json")
    space = load("tiny.space")
    points = [Point.from_json(line) for line in result.out.splitlines()]
    assert points == [space.sample(seed) for seed in (7, 8, 9)]
    uniform = nasdsl("sample", "tiny.space", "--uniform", "points", "--json")
    assert Point.from_json(uniform.out) == space.sample(0, "points")


def test_sample_for_people(nasdsl, golden) -> None:
    golden("cli/sample.txt", nasdsl("sample", "tiny.space", "-n", "2").out)


def test_show_prints_layers_costs_and_training(nasdsl, golden) -> None:
    result = nasdsl("show", "tiny.space", "--svg", "net.svg")
    golden("cli/show.txt", result.out)
    assert Path("net.svg").read_text().startswith("<svg")
    golden("cli/show-plain.txt", nasdsl("show", "plain.space").out)


def test_show_of_the_space_as_a_tree(nasdsl, golden, folder) -> None:
    result = nasdsl("show", "tiny.space", "--tree", "--svg", "tree.svg")
    golden("cli/show-tree.txt", result.out)
    assert (folder / "tree.svg").read_text().startswith("<svg")
    assert nasdsl("show", "tiny.space", "--tree", "--seed", "1").status == 2


def test_show_of_a_point_in_a_file(nasdsl, folder) -> None:
    point = nasdsl("sample", "tiny.space", "--seed", "3", "--json").out
    (folder / "point.json").write_text(point)
    assert (
        nasdsl("show", "tiny.space", "--point", "point.json").out
        == nasdsl("show", "tiny.space", "--seed", "3").out
    )
    (folder / "point.json").write_text('{"network/repeat": 9}')
    result = nasdsl("show", "tiny.space", "--point", "point.json")
    assert result.status == 2
    assert "no point of `tiny`" in result.err
    (folder / "point.json").write_text("[]")
    assert "holds no point" in nasdsl("show", "tiny.space", "--point", "point.json").err
    assert "cannot read gone.json" in nasdsl("show", "tiny.space", "--point", "gone.json").err


def test_show_says_what_it_cannot_do(nasdsl) -> None:
    assert "no network to draw" in nasdsl("show", "plain.space", "--svg", "x.svg").err
    assert "needs a run folder" in nasdsl("show", "plain.space", "--trial", "0").err
    assert "is not a run folder" in nasdsl("show", ".").err


def test_ops_lists_and_describes(nasdsl, golden) -> None:
    listing = nasdsl("ops").out
    for name in ("conv2d", "adamw", "cosine", "digits", "csv", "relu"):
        assert f"  {name} " in listing
    golden("cli/ops-dropout.txt", nasdsl("ops", "dropout").out)
    unknown = nasdsl("ops", "convd2")
    assert unknown.status == 2
    assert "did you mean `conv" in unknown.err


def test_a_reader_who_leaves_early_sees_no_complaint(folder) -> None:
    command = f"{sys.executable} -m nasdsl sample plain.space -n 20000 | head -1"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment, timeout=120)
    assert result.stdout == "# seed 0\n"
    assert result.stderr == ""


def test_measure_ranks_untrained_points_beside_what_they_cost(nasdsl, golden) -> None:
    """Digits differ from machine to machine in the last place, so the page is held to its words."""
    page = nasdsl("measure", "tiny.space", "--proxies", "--points", "3").out
    golden("cli/measure.txt", re.sub(r"-?\d[\d.]*(e[+-]\d+)?", "#", re.sub(" +", " ", page)))
    golden("cli/measure-costs.txt", nasdsl("measure", "tiny.space", "--points", "3").out)


def test_measure_as_json_is_the_same_for_the_same_seed(nasdsl) -> None:
    first, again = (nasdsl("measure", "tiny.space", "--proxies", "--points", "3", "--json").out for _ in "ab")
    assert first == again
    points = json.loads(first)["points"]
    assert len({json.dumps(one["point"]) for one in points}) == 3
    assert all({"params", "macs", "synflow", "naswot"} <= one["measures"].keys() for one in points)
    assert [one["rank"] for one in points] == sorted(one["rank"] for one in points)
