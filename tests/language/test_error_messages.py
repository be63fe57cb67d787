"""Golden diagnostics: malformed files and the messages they get, as a person reads them.

`pytest tests/language/test_error_messages.py --update-golden` writes the expected files anew;
read the difference before it is kept.
"""

import ast
import re
from pathlib import Path

import pytest

from nasdsl.language.errors import Diagnostic, SpaceError
from nasdsl.language.kinds import suits
from nasdsl.language.lexer import MAX_FILE
from nasdsl.language.reading import load, parse
from nasdsl.language.remedies import _CALLS, for_example
from nasdsl.language.signatures.table import SIGNATURES, find

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "errors"
CASES = sorted(GOLDEN.glob("*.space"))


def problems(path: Path) -> tuple[Diagnostic, ...]:
    """What is said about a file: its errors, those of its start, or its warnings."""
    try:
        space = parse(path.read_text(encoding="utf-8"), path.name)
        space.start()
    except SpaceError as error:
        return error.diagnostics
    return (*space.warnings, *(one for one in space.findings() if one.severity == "warning"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_message(path: Path, pytestconfig: pytest.Config) -> None:
    found = problems(path)
    text = "\n\n".join(one.render() for one in found) + "\n"
    expected = path.with_suffix(".error.txt")
    if pytestconfig.getoption("--update-golden"):
        expected.write_text(text, encoding="utf-8")
    assert found, "nothing is wrong with this file"
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_message_says_what_to_write(path: Path) -> None:
    assert [one.render() for one in problems(path) if not one.help] == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_problems_are_in_order_and_inside_the_file(path: Path) -> None:
    found = problems(path)
    lines = path.read_text(encoding="utf-8").split("\n")
    starts = [one.span.start for one in found]
    assert starts == sorted(starts)
    for one in found:
        assert 1 <= one.span.line <= len(lines)
        assert 1 <= one.span.column <= len(lines[one.span.line - 1]) + 1
        assert one.as_json()["code"] == one.code


def test_examples_in_help_lines_are_values_that_suit() -> None:
    for row in SIGNATURES.values():
        for argument in row.arguments:
            kind, example = (
                argument.kind,
                for_example("x", argument.kind).split(" = ", 1)[1].removesuffix("`"),
            )
            match kind.type:
                case "call":
                    assert not kind.groups or find(example.partition("(")[0], kind.groups), (
                        row.name,
                        example,
                    )
                case "name":
                    assert example in kind.options
                case "bool" | "string":
                    assert example in ("yes", '"…"')
                case _:
                    number = float(example)
                    value = int(number) if kind.type != "real" else number
                    assert suits(value, kind), (row.name, argument.name, example)


@pytest.mark.parametrize("group", sorted(_CALLS))
def test_calls_that_remedies_name_are_those_of_the_table(group: str) -> None:
    call = ast.parse(_CALLS[group], mode="eval").body
    name = call.func if isinstance(call, ast.Call) else call
    assert isinstance(name, ast.Name)
    row = find(name.id, (group,))
    assert row is not None and not row.later
    if isinstance(call, ast.Call):
        assert len(call.args) <= row.positional
        assert {given.arg for given in call.keywords} <= row.by_name.keys()


# What help lines call that is no row: functions of values, and a word that stands for a way to join wires.
NO_ROWS = {"round", "max", "join"}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_help_lines_call_what_exists(path: Path) -> None:
    own = path.read_text(encoding="utf-8")
    for one in problems(path):
        for quoted in re.findall(r"`([^`]*)`", " ".join(one.help)):
            for name in re.findall(r"(?<![\w.])([a-z_]\w*)\(", quoted):
                row = SIGNATURES.get(name)
                known = name in NO_ROWS or (row is not None and not row.later)
                assert known or re.search(rf"\b{name}\b", own), quoted


# What depends on files beside the space: the texts of all of them, the first of them checked.
WITH_FILES: dict[str, dict[str, bytes]] = {
    "missing": {},
    "no_utf_8": {"a.space": b"space a\nlet \xff = 3\n"},
    "too_long": {"a.space": b"#\n" * MAX_FILE},
    "imports": {
        "a.space": b'import "none.space"\nimport "../b.space"\nimport "c.space"\n',
        "c.space": b'import "d.space"\n',
        "d.space": b'import "a.space"\n',
    },
    "own_operations": {"a.space": b'use "broken.py"\n', "broken.py": b"import torhc\n"},
    "data": {
        "a.space": b"""task classification on csv("none.csv", target = "kind")
network {
    pretrained("none.safetensors") { linear(4) }
    linear(outputs)
}
"""
    },
}


@pytest.mark.parametrize("name", WITH_FILES)
def test_message_about_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.chdir(tmp_path)
    for file, content in WITH_FILES[name].items():
        Path(file).write_bytes(content)
    try:
        found = load("a.space", trust=name == "own_operations").warnings
    except SpaceError as error:
        found = error.diagnostics
    assert all(one.help for one in found)
    text = "\n\n".join(one.render() for one in found) + "\n"
    expected = GOLDEN / "files" / f"{name}.error.txt"
    if pytestconfig.getoption("--update-golden"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


# Functions and methods that report, and which of their arguments is the code.
FUNCTIONS = {"Diagnostic": 0, "Refused": 0, "problem": 1, "_problem": 1, "_unreadable": 1}
METHODS = {"error": 0, "warn": 0, "unknown": 0, "_report": 2}


def codes_of_the_checker() -> set[str]:
    """Every code that is written in the code of the language where something is reported."""
    found = set()
    for path in (ROOT / "nasdsl" / "language").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=args) if name in FUNCTIONS:
                    found |= set(_texts(args[FUNCTIONS[name]]))
                case ast.Call(func=ast.Attribute(attr=name), args=args) if name in METHODS:
                    found |= set(_texts(args[METHODS[name]]))
                case ast.Assign(targets=[ast.Name(id="code")], value=value):
                    found |= set(_texts(value))
    return found


def _texts(node: ast.expr) -> list[str]:
    """The text that an expression is, or the two that it chooses from."""
    match node:
        case ast.IfExp(body=body, orelse=other):
            return [*_texts(body), *_texts(other)]
        case ast.Constant(value=str(text)):
            return [text]
    return []


def test_every_code_has_an_example() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in GOLDEN.rglob("*.error.txt"))
    shown = set(re.findall(r": (?:error|warning)\[([a-z0-9-]+)\]: ", texts))
    codes = codes_of_the_checker()
    assert len(codes) > 60
    assert codes - shown == set(), "codes without an example"
    assert shown - codes == set(), "examples of codes that are not found in the code"
