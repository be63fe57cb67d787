"""Every space in the documents is a whole file, and runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nasdsl
from nasdsl.language.parser import parse
from nasdsl.language.printer import print_file

ROOT = Path(__file__).parent.parent
DOCS = sorted(path for path in (ROOT / "docs").rglob("*.md") if "```space" in path.read_text("utf-8"))
BLOCK = re.compile(r"^```space *(\S*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
MODULE = re.compile(r"^```python +(\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COUNT = re.compile(r"Count: ([\d,* ]+)\.")


def examples(path: Path) -> list[tuple[str, str, str]]:
    """The text since the last example, the name of the file if it has one, and its text."""
    text, found, at = path.read_text("utf-8"), [], 0
    for match in BLOCK.finditer(text):
        found.append((text[at : match.start()], match.group(1), match.group(2)))
        at = match.end()
    return found


def needs_trust(text: str) -> bool:
    return 'use "' in text or "on python(" in text


CASES = [(path, i) for path in DOCS for i in range(len(examples(path)))]
OPEN = [(path, i) for path, i in CASES if not needs_trust(examples(path)[i][2])]


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with the files that examples of the same page name, and the data they read."""
    (tmp_path / "iris.csv").write_bytes((ROOT / "examples" / "iris.csv").read_bytes())
    (tmp_path / "pnet.safetensors").write_bytes((ROOT / "examples" / "pnet.safetensors").read_bytes())
    (tmp_path / "corpus.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 40)
    for _, name, text in examples(request.param):
        if name:
            (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "case"),
    [(case[0], case) for case in OPEN],
    indirect=["folder"],
    ids=[f"{path.stem}-{i}" for path, i in OPEN],
)
def test_an_example_is_a_space_without_a_word_against_it(folder: Path, case: tuple[Path, int]) -> None:
    before, name, text = examples(case[0])[case[1]]
    file = folder / (name or "example.space")
    file.write_text(text, "utf-8")
    space = nasdsl.load(file)
    assert [warning.render() for warning in space.warnings] == []
    assert space.contains(space.start() or space.default())
    for seed in range(3):
        point = space.sample(seed)
        assert space.contains(point)
        if space.has_network and all(shape.concrete for shape in space.task.inputs.values()):  # type: ignore[union-attr]
            nasdsl.plan(space, point)
    said = COUNT.findall(before)
    if said:
        factors = [int(factor.replace(",", "")) for factor in said[-1].split("*")]
        product = 1
        for factor in factors:
            product *= factor
        assert space.count() == product


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].stem}-{case[1]}")
def test_an_example_keeps_its_meaning_when_formatted(case: tuple[Path, int]) -> None:
    text = examples(case[0])[case[1]][2]
    assert parse(print_file(parse(text))) == parse(text)


@pytest.mark.parametrize("folder", [ROOT / "docs/language.md"], indirect=True)
def test_python_of_the_author_runs_when_it_is_trusted(folder: Path) -> None:
    """In processes of their own, so that what is registered is forgotten."""
    text = (ROOT / "docs/language.md").read_text("utf-8")
    for name, module in MODULE.findall(text):
        (folder / name).write_text(module, "utf-8")
    trusted = [name for _, name, body in examples(ROOT / "docs/language.md") if needs_trust(body)]
    assert trusted == ["own.space", "own_data.space"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / "config")}

    def nasdsl_says(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "nasdsl", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    for name in trusted:
        code, said = nasdsl_says("check", name)
        assert code == 2 and "error[untrusted]" in said
        assert nasdsl_says("show", name, "--trust")[0] == 0
    assert nasdsl_says("trust", "own.space")[0] == 0
    code, said = nasdsl_says("show", "own.space")
    assert code == 0 and "gated_conv(" in said


def test_the_architecture_names_every_package_and_only_files_that_are_there() -> None:
    said = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    packages = [ROOT / name for name in ("compiler", "searchers", "nasdsl")]
    files = {path.name for top in packages for path in top.rglob("*") if path.is_file()}
    assert set(re.findall(r"`(\w+\.(?:py|json|lark))`", said)) <= files
    for top in packages:
        for marker in top.rglob("__init__.py"):
            assert re.search(rf"\b{marker.parent.name}\b", said), marker.parent
