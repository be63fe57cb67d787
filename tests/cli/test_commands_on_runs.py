"""search, best, show, report, ask and tell, with an evaluation in place of training."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def evaluations(folder, monkeypatch) -> str:
    """The module beside the spaces, as a user's own would be."""
    (folder / "cli_evaluations.py").write_text((HERE / "cli_evaluations.py").read_text())
    monkeypatch.setattr(sys, "path", [*sys.path])
    return "cli_evaluations"


def without_times(text: str) -> str:
    """What depends on the clock and on which trial ends first left out."""
    return re.sub(r"\d+\.\d s\b|\b\d+\.\d(?=  )", "T", text)


@pytest.fixture
def searched(nasdsl, evaluations):
    result = nasdsl(
        *("search", "plain.space", "--evaluate", f"{evaluations}:score", "--budget", "6"),
        *("--searcher", "random", "--workers", "1", "--run", "run"),
    )
    assert result.status == 0, result.err
    return result


def test_search_prints_the_best_and_where_things_are(searched, golden) -> None:
    out = re.sub(r"  [\dms]+ left", "", without_times(searched.out))
    golden("cli/search.txt", out)
    assert Path("run/report.html").is_file()


def test_best_and_show_read_the_run(searched, nasdsl, golden) -> None:
    golden("cli/best.txt", without_times(nasdsl("best", "run", "-k", "2").out))
    records = json.loads(nasdsl("best", "run", "--json").out)
    assert [record["score"] for record in records] == sorted((r["score"] for r in records), reverse=True)
    assert {"trial", "point", "score", "error", "seconds", "seed", "params", "measures"} <= set(records[0])
    assert f"trial {records[0]['trial']}: score" in nasdsl("show", "run").out
    failed = nasdsl("show", "run", "--trial", "2")
    assert "no luck" in failed.out
    assert "no finished trial 99" in nasdsl("show", "run", "--trial", "99").err


def test_the_report_stands_alone_and_escapes_what_trials_say(searched, nasdsl) -> None:
    Path("run/report.html").unlink()
    assert nasdsl("report", "run").out == "run/report.html\n"
    text = Path("run/report.html").read_text()
    assert "&lt;b&gt;no luck&lt;/b&gt; in trial 2" in text
    assert "<b>no luck" not in text
    assert not re.search(r"(src|href)=|@import|url\(|<script", text), "nothing is loaded from elsewhere"
    for heading in ("score over trials", "Best trials", "Failures", "How it was made", "Next"):
        assert f"<h2>{heading}</h2>" in text


def test_a_full_folder_is_refused_and_a_finished_run_prints_its_result(searched, nasdsl, evaluations) -> None:
    arguments = ("search", "plain.space", "--evaluate", f"{evaluations}:score", "--run", "run")
    refused = nasdsl(*arguments)
    assert refused.status == 2
    assert "--resume" in refused.err
    again = nasdsl(*arguments, "--resume", "--quiet")
    assert again.status == 0
    assert again.out == searched.out[searched.out.index("\nbest networks") :]


def test_json_is_one_object_per_trial_and_one_at_the_end(nasdsl, evaluations) -> None:
    result = nasdsl(
        *("search", "plain.space", "--evaluate", f"{evaluations}:score", "--budget", "3"),
        *("--searcher", "random", "--workers", "1", "--json"),
    )
    *trials, end = map(json.loads, result.out.splitlines())
    assert [trial["trial"] for trial in trials] == [0, 1, 2]
    assert trials[2]["score"] is None
    assert "no luck" in trials[2]["error"]
    assert end["done"] is True
    assert end["run"] == os.path.join("runs", "plain-1")
    assert end["best"] in trials


def test_a_run_without_success_is_1(nasdsl, evaluations) -> None:
    result = nasdsl(
        "search", "plain.space", "--evaluate", f"{evaluations}:fail", "--budget", "2", "--run", "run"
    )
    assert result.status == 1
    assert "no trial succeeded (2 tried)" in result.out
    assert "never works" in Path("run/report.html").read_text()
    assert nasdsl("best", "run").out.startswith("no trial of run has succeeded")


def test_an_exhausted_space_is_0_and_says_so(nasdsl, folder, evaluations) -> None:
    (folder / "three.space").write_text("let a = 1 | 2 | 3\nlet rate = 1\n")
    result = nasdsl(
        "search",
        "three.space",
        "--evaluate",
        f"{evaluations}:slow",
        "--budget",
        "9",
        "--run",
        "run",
        "--workers",
        "1",
    )
    assert result.status == 0, result.err
    assert "exhausted" in result.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--set", "epoch=3"), "did you mean `epochs`?"),
        (("--set", "epochs=many"), "takes a whole number of at least 1"),
        (("--set", "network/hidden=8.5"), "network/hidden"),
        (("--set", "epochs"), "no PATH=VALUE"),
        (("--time", "soon"), "write for example 90s, 10m or 1.5h"),
        (("--time", "-3m"), ""),
        (("--budget", "0"), "at least 1"),
        (("--searcher", "luck"), "invalid choice"),
        (("--target", "y"), "--data"),
        (("--start", "gone.json"), "cannot read gone.json"),
        (("--resume",), "--run"),
        (("--json", "--quiet"), "not allowed with"),
    ],
)
def test_bad_arguments_of_search_are_2_and_leave_no_run(arguments, told, nasdsl, folder) -> None:
    result = nasdsl("search", "tiny.space", *arguments)
    assert result.status == 2
    assert told in result.err
    assert not any(path.is_file() for path in folder.glob("runs/**/*"))


def test_ask_and_tell_from_a_shell(nasdsl) -> None:
    assert nasdsl("ask", "run").status == 2
    first = json.loads(nasdsl("ask", "run", "--space", "plain.space").out)
    second = json.loads(nasdsl("ask", "run").out)
    assert (first["trial"], second["trial"]) == (0, 1)
    assert nasdsl("tell", "run", "1", "--score", "0.5").status == 0
    assert nasdsl("tell", "run", "0", "--error", "out of memory").status == 0
    twice = nasdsl("tell", "run", "0", "--score", "1")
    assert twice.status == 2
    assert "has an outcome already" in twice.err
    assert nasdsl("tell", "run", "7", "--score", "1").status == 2
    assert nasdsl("tell", "run", "1").status == 2
    records = json.loads(nasdsl("best", "run", "--json").out)
    assert [(r["trial"], r["score"], r["point"]) for r in records] == [(1, 0.5, second["point"])]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_130_and_says_how_to_resume(folder, evaluations, number) -> None:
    command = [
        *(sys.executable, "-m", "nasdsl", "search", "plain.space", "--evaluate", "cli_evaluations:slow"),
        *("--workers", "1", "--searcher", "random", "--run", "run"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    deadline = time.monotonic() + 120
    while not Path("started-1").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "--resume" in out and "Traceback" not in out
    assert Path("run/report.html").is_file()
