"""The main job through the command line: a space in, a trained network in a file of its own out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_search_train_report_and_export(nasdsl, folder) -> None:
    result = nasdsl(
        *("search", "tiny.space", "--budget", "2", "--searcher", "random", "--workers", "1"),
        *("--set", "epochs=1", "--confirm", "1", "--run", "run"),
    )
    assert result.status == 0, result.err
    assert re.search(r"winner +trial \d: validation accuracy 0\.\d+, test accuracy 0\.\d+", result.out)
    assert re.search(r"confirmed +trial \d: accuracy 0\.\d+ over 1 seeds?", result.out)
    assert "data        digits: " in result.out
    assert re.search(r"\n  epochs +1\n", nasdsl("show", "run").out)

    report = Path("run/report.html").read_text()
    for heading in ("The network of trial", "Confirmed", "Data"):
        assert f"<h2>{heading}" in report
    assert report.count("<svg") == 2
    assert "test accuracy, measured once" in report

    exported = nasdsl("export", "run", "--to", "python", "out/network.py")
    assert exported.out == "out/network.py\nout/network.pt\n", exported.err
    alone = subprocess.run(
        [sys.executable, "-I", "network.py"], cwd="out", capture_output=True, text=True, timeout=120
    )
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.startswith("tensor(")
    assert "nasdsl" not in re.sub(r'""".*?"""', "", Path("out/network.py").read_text(), flags=re.DOTALL)


def test_a_run_without_networks_exports_nothing(nasdsl) -> None:
    nasdsl("ask", "run", "--space", "plain.space")
    nasdsl("tell", "run", "0", "--score", "1")
    result = nasdsl("export", "run", "--to", "python", "network.py")
    assert result.status == 2
    assert "has no network to export" in result.err


def test_bad_data_is_2_with_place_and_remedy(nasdsl, folder) -> None:
    (folder / "table.csv").write_text("a,b,y\n1,2,x\n3,oops,y\n")
    result = nasdsl("search", "tiny.space", "--data", "table.csv", "--target", "z", "--run", "run")
    assert result.status == 2
    assert "table.csv" in result.err and "`z`" in result.err
    assert "Traceback" not in result.err
    assert not (folder / "run").exists() or not any((folder / "run").iterdir())
