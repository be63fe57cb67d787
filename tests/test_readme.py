"""What README.md says is true: its spaces are the shipped files, its commands and programs run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nasdsl
from nasdsl.cli import main
from nasdsl.cli.arguments import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What a reader waits minutes for is cut here; the rest of each command runs as printed.
SHORTER = {"--budget": "2", "--workers": "1", "--confirm": "1", "--set": "epochs=1"}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the commands read, so that their runs lie elsewhere."""
    for name in ("spaces", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_spaces_shown_are_the_files_that_are_there() -> None:
    first, second = blocks("space")
    assert first == (ROOT / "spaces/mnist1d.space").read_text("utf-8")
    assert second == (ROOT / "examples/iris.space").read_text("utf-8")


def test_the_install_lines_are_the_two_commands() -> None:
    assert (
        "\n    pip install -c constraints.txt . && nasdsl search spaces/mnist1d.space --budget 32\n" in README
    )
    assert "\n    pip install -c constraints.txt -e '.[test]' && pytest\n" in README


def test_the_table_shown_is_the_file_and_its_plan_what_show_prints(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, table, shown = blocks("text")
    assert (checkout / "examples/iris.csv").read_text("utf-8").startswith(table)
    assert main(["show", "examples/iris.space"]) == 0
    assert capsys.readouterr().out.rstrip() == shown.rstrip()


def test_the_printed_result_has_the_form_of_a_result(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers differ between machines; lines and columns do not."""
    printed = blocks("text")[0]
    given = ["search", "spaces/mnist1d.space", "--budget", "1", "--workers", "1"]
    assert main([*given, "--set", "epochs=1", "--set", "network/family=linear_model"]) == 0
    real = capsys.readouterr().out
    result = real[real.index("best networks") :]
    assert _heads(printed) == _heads(result)


def _heads(text: str) -> list[str]:
    """The words that lines begin with, and the whole head of the table."""
    lines = [line for line in text.splitlines() if line and not re.match(r"\s*\d", line)]
    return [line if line.startswith("trial") else line.split("  ")[0] for line in lines[1:]]


def test_the_best_network_shown_holds_what_is_promised() -> None:
    winner = re.search(r"validation accuracy ([\d.]+), test accuracy ([\d.]+)", blocks("text")[0])
    assert winner is not None and float(winner[1]) >= 0.9 and float(winner[2]) >= 0.9


def test_the_commands_run(checkout: Path) -> None:
    commands = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) >= 8
    for program, *arguments in commands:
        assert program == "nasdsl"
        assert main(_shortened(arguments)) == 0, arguments
    subprocess.run([sys.executable, "-c", "import network"], check=True, cwd=checkout)


def _shortened(arguments: list[str]) -> list[str]:
    if arguments[0] != "search":
        return arguments
    kept = list(arguments)
    for name in ("--budget", "--confirm"):
        if name in kept:
            at = kept.index(name)
            del kept[at : at + 2]
    extra = [part for pair in SHORTER.items() for part in pair]
    return [*kept, *extra]


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_the_programs_run(checkout: Path, number: int) -> None:
    program = blocks("python")[number].replace("budget=8", 'budget=2, workers=1, set={"epochs": 1}')
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=checkout, env=environment)


def test_the_example_program_runs(checkout: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "examples/custom_loop.py"]
    printed = subprocess.check_output(command, text=True, cwd=checkout, env=environment)
    assert re.fullmatch(r"best 0\.\d{3} in trial \d+\n", printed)


def test_every_file_named_is_there() -> None:
    for name in re.findall(r"`((?:docs|spaces|examples|tests)/[\w./]*|[A-Z]+\.md)`", README):
        assert (ROOT / name).exists(), name


def _help(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The options that a command knows."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def test_options_named_in_the_text_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    spans = [one for one in re.findall(r"`([^`]*)`", prose) if re.search(r"(?:^| )--[a-z]", one)]
    known = {command: _help(command, capsys) for command in COMMANDS}
    assert spans
    for span in spans:
        command = re.match(r"nasdsl (\w+)", span)
        there = known[command[1]] if command else set().union(*known.values())
        assert set(re.findall(r"(?:^| )(--[a-z-]+)", span)) <= there, span


def test_public_names_in_the_programs_are_there() -> None:
    for name in set(re.findall(r"nasdsl\.(\w+)\(", "".join(blocks("python")))):
        assert callable(getattr(nasdsl, name))


TUTORIAL = (ROOT / "docs/tutorial/language.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^```space\n(.*?)^```", TUTORIAL, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(1, 11))
def test_each_step_of_the_tutorial_is_a_space(number: int) -> None:
    space = nasdsl.parse(STEPS[number - 1], f"step{number}.space")
    assert not space.warnings
    point = space.start() or space.sample(number)
    assert nasdsl.plan(space, point).params > 0


def test_the_counts_of_the_tutorial_are_exact() -> None:
    assert [nasdsl.parse(STEPS[number]).count() for number in (0, 1)] == [1, 3 * 57]
