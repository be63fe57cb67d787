"""The grammar for editors speaks of the same words as the language."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nasdsl.language.errors import Source
from nasdsl.language.forms import FORMS
from nasdsl.language.lexer import HARD, SOFT, tokenize

ROOT = Path(__file__).parents[2]
VSCODE = ROOT / "editors" / "vscode"
SPACES = sorted((ROOT / "spaces").rglob("*.space"))


def loaded(name: str) -> Any:
    return json.loads((VSCODE / name).read_text(encoding="utf-8"))


GRAMMAR = loaded("syntaxes/nasdsl.tmLanguage.json")


def rules(patterns: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The patterns in the order in which an editor tries them."""
    for pattern in patterns:
        if "include" in pattern:
            yield from rules(GRAMMAR["repository"][pattern["include"].removeprefix("#")]["patterns"])
        else:
            yield pattern


def scopes(line: str) -> Iterator[tuple[str, str]]:
    """What an editor makes of a line: the earliest match, and of those the first pattern."""
    compiled = [(re.compile(r.get("match") or r["begin"]), r) for r in rules(GRAMMAR["patterns"])]
    at = 0
    while found := [(match.start(), i) for i, (p, _) in enumerate(compiled) if (match := p.search(line, at))]:
        pattern, rule = compiled[min(found)[1]]
        match = pattern.search(line, at)
        assert match is not None
        end = match.end()
        if "end" in rule:
            close = re.compile(r'(?<!\\)(?:\\\\)*"|$').search(line, end)
            assert close is not None
            end = close.end()
        if "captures" in rule:
            yield from ((rule["captures"][n]["name"], match.group(int(n))) for n in rule["captures"])
        else:
            yield rule["name"], line[match.start() : end]
        at = max(end, at + 1)


def words_of(scope: str) -> set[str]:
    rule = next(r for r in rules(GRAMMAR["patterns"]) if r.get("name", "").startswith(scope))
    found = re.search(r"\(([a-z|]+)\)\\b$", rule["match"])
    assert found is not None
    return set(found.group(1).split("|"))


def test_the_extension_names_files_that_are_there() -> None:
    contributes = loaded("package.json")["contributes"]
    (language,), (grammar,) = contributes["languages"], contributes["grammars"]
    assert language["extensions"] == [".space"]
    assert (VSCODE / language["configuration"]).is_file()
    assert (VSCODE / grammar["path"]).is_file()
    assert grammar["language"] == language["id"]
    assert grammar["scopeName"] == GRAMMAR["scopeName"]
    assert loaded("language-configuration.json")["comments"] == {"lineComment": "#"}


FAKES = """
const asked = [];
const LanguageClient = class {
    constructor(...all) { asked.push(all); }
    start() { asked.push("started"); }
    stop() { asked.push("stopped"); }
};
const fakes = {
    vscode: { workspace: { getConfiguration: () => ({ get: () => ["nasdsl", "lsp"] }) } },
    "vscode-languageclient/node": { LanguageClient, TransportKind: { stdio: 0 } },
};
const Module = require("module");
const real = Module._load;
Module._load = (name, ...rest) => fakes[name] || real(name, ...rest);
const extension = require(process.argv[1]);
extension.activate().then(() => { extension.deactivate(); console.log(JSON.stringify(asked)); });
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_extension_starts_the_server() -> None:
    package = loaded("package.json")
    default = package["contributes"]["configuration"]["properties"]["nasdsl.server"]["default"]
    main = str(VSCODE / package["main"])
    done = subprocess.run(["node", "-e", FAKES, main], capture_output=True, text=True, timeout=60, check=True)
    (_, _, server, files), *rest = json.loads(done.stdout)
    assert [server["command"], *server["args"]] == default == ["nasdsl", "lsp"]
    assert files["documentSelector"] == [{"language": package["contributes"]["languages"][0]["id"]}]
    assert rest == ["started", "stopped"]


def test_each_word_of_the_grammar_is_explained() -> None:
    assert set(FORMS) == HARD | SOFT


def test_the_words_are_those_of_the_lexer() -> None:
    assert words_of("keyword.control") | words_of("keyword.operator.logical") == HARD
    assert words_of("keyword.other") == SOFT


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_soft_keywords_are_those_of_the_language(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    soft = {word.upper() for word in SOFT}
    parsed = [token.text for token in tokenize(Source("", text))[0] if token.kind in soft]
    shown = [w for line in text.split("\n") for name, w in scopes(line) if name.startswith("keyword.other")]
    assert shown == parsed


@pytest.mark.parametrize(
    ("line", "word", "scope"),
    [
        ("let width = 16 | 32", "width", "variable"),
        ("    conv2d(width, kernel = 1 | 3)", "conv2d", "entity.name.function"),
        ("    conv2d(width, kernel = 1 | 3)", "kernel", "variable.parameter"),
        ("    act: relu | gelu", "act", "entity.name.tag"),
        ("    act: relu | gelu", "|", "keyword.operator.choice"),
        ("block conv(width) {", "conv", "entity.name.type"),
        ("lr = 1e-3..1 log", "1e-3", "constant.numeric"),
        ("lr = 1e-3..1 log", "..", "keyword.operator.range"),
        ("lr = 1e-3..1 log", "log", "keyword.other"),
        ("linear(log)", "log", "variable"),
        ("require params <= 500k", "500k", "constant.numeric"),
        ('csv("wine # red.csv")', '"wine # red.csv"', "string"),
        ("relu # why", "# why", "comment.line.number-sign"),
        ("## what", "## what", "comment.line.documentation"),
        ("network/conv#2/kernel = 3", "#2", "entity.name.tag"),
        ("network/choice = block#2", "#2", "entity.name.tag"),
        ("not a", "not", "keyword.operator.logical"),
        ("linear(repeat = 2)", "repeat", "variable.parameter"),
    ],
)
def test_a_word_has_the_scope_of_its_place(line: str, word: str, scope: str) -> None:
    assert next(name for name, shown in scopes(line) if shown == word).startswith(scope)
