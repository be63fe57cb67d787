"""Files torn about: characters, tokens, lines, pieces of two files, and plain noise; the other half changed as an
author changes them (meaningful.py), so that what lies behind the parser is met as well."""

from __future__ import annotations

import random
import re
from pathlib import Path

from benchmarks.fuzz.meaningful import changed

ROOT = Path(__file__).parents[2]
_TOKEN = re.compile(r'\s+|##?[^\n]*|"[^"\n]*"|\w+|\.\.|[<>=!]=|//|.', re.S)
WORDS = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "|",
    "?",
    "..",
    "@",
    ":",
    "=",
    ",",
    ";",
    ".",
    "+",
    "-",
    "*",
    "/",
    "//",
    "^",
    "<",
    "<=",
    "==",
    "!=",
    "#",
    "##",
    '"',
    "\\",
    "\n",
    "space",
    "import",
    "use",
    "let",
    "block",
    "network",
    "train",
    "task",
    "require",
    "maximize",
    "minimize",
    "start",
    "if",
    "else",
    "repeat",
    "permute",
    "pick",
    "and",
    "or",
    "not",
    "log",
    "step",
    "in",
    "of",
    "on",
    "from",
    "input",
    "output",
    "tied",
    "shared",
    "except",
    "online",
    "unused",
    "merge",
    "nodes",
    "inputs",
    "edges",
    "concat",
    "any",
    "earlier",
    "residual",
    "parallel",
    "dag",
    "cell",
    "with",
    "frozen",
    "pretrained",
    "widen",
    "gate",
    "adapter",
    "outputs",
    "width",
    "relu",
    "conv2d",
    "linear",
    "flatten",
    "max_pool",
    "dropout(0.5)?",
    "sgd",
    "adamw",
    "mixup",
    "digits",
    "csv",
    "shape",
    "params",
    "macs",
    "depth",
    "accuracy",
    "all",
    "max",
    "min",
    "sum",
    "0",
    "1",
    "3",
    "-1",
    "7",
    "1e9",
    "1e-9",
    "500k",
    "20%",
    "10^9",
    "2^60",
    "999999999999",
    "0.5",
    "plain",
    "low_rank(4)",
    "yes",
    "no",
]


def corpus() -> list[tuple[str, str]]:
    """Name and text of every `.space` file of the repository, valid or not, and of each example in the documents."""
    found = []
    for folder in ("spaces", "examples", "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.space")):
            found.append((str(path), path.read_text("utf-8")))
    for page in sorted((ROOT / "docs").rglob("*.md")):
        blocks = re.findall(r"^```space[^\n]*\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)
        found += [(str(page.with_suffix(f".{number}.space")), text) for number, text in enumerate(blocks)]
    return found


def mutated(rng: random.Random, texts: list[tuple[str, str]]) -> tuple[str, bytes]:
    """The name of a file and what has become of it; one in twenty is noise without any file."""
    if rng.random() < 0.05:
        return "noise.space", noise(rng)
    name, text = rng.choice(texts)
    if rng.random() < 0.6:
        name, text = rng.choice([one for one in texts if "/tests/" not in one[0]])  # most of them are valid
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            text = changed(rng, text)
        return name, text.encode("utf-8", "surrogatepass")
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        text = rng.choice(_WAYS)(rng, text, texts)
    raw = text.encode("utf-8", "surrogatepass")
    return name, _bytes(rng, raw) if rng.random() < 0.05 else raw


def noise(rng: random.Random) -> bytes:
    """Bytes, characters or words that mean nothing."""
    size = rng.choice((1, 10, 100, 1000, 10_000))
    match rng.randrange(3):
        case 0:
            return rng.randbytes(size)
        case 1:
            return "".join(chr(rng.randrange(1, 0x800)) for _ in range(size)).encode()
        case _:
            return " ".join(rng.choice(WORDS) for _ in range(size)).encode()


def _bytes(rng: random.Random, raw: bytes) -> bytes:
    """A few bytes changed, so that what was UTF-8 may be none."""
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + rng.randbytes(rng.choice((1, 1, 4))) + raw[at + rng.choice((0, 1, 4)) :]


def _characters(rng: random.Random, text: str, texts: list[tuple[str, str]]) -> str:
    at = rng.randrange(len(text) + 1)
    end = min(len(text), at + rng.choice((1, 1, 3, 10, 60)))
    match rng.randrange(4):
        case 0:
            return text[:at] + text[end:]
        case 1:
            return text[:at] + text[at:end] * rng.choice((2, 2, 30)) + text[end:]
        case 2:
            other = rng.randrange(len(text) + 1)
            return text[:at] + text[other : other + 20] + text[end:]
        case _:
            return text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) + text[end:]


def _tokens(rng: random.Random, text: str, texts: list[tuple[str, str]]) -> str:
    pieces = _TOKEN.findall(text) or [""]
    at, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    match rng.randrange(5):
        case 0:
            pieces[at] = ""
        case 1:
            pieces[at] *= 2
        case 2:
            pieces[at], pieces[other] = pieces[other], pieces[at]
        case 3:
            pieces[at] = f" {rng.choice(WORDS)} "
        case _:
            pieces[at] += f" {rng.choice(WORDS)} "
    return "".join(pieces)


def _numbers(rng: random.Random, text: str, texts: list[tuple[str, str]]) -> str:
    """A number becomes another, which is what most often still means something."""
    places = list(re.finditer(r"\b\d+(?:\.\d+)?\b", text))
    if not places:
        return text
    place = rng.choice(places)
    other = rng.choice(
        ("0", "1", "2", "3", "7", "64", "100", "1000", "10^9", "1e-3", "0.5", "2^60", "10^2400")
    )
    return text[: place.start()] + other + text[place.end() :]


def _lines(rng: random.Random, text: str, texts: list[tuple[str, str]]) -> str:
    lines = text.split("\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case _:
            lines[at:at] = lines[at : at + rng.randrange(1, 9)]
    return "\n".join(lines)


def _splice(rng: random.Random, text: str, texts: list[tuple[str, str]]) -> str:
    """Some lines of another file."""
    lines, others = text.split("\n"), rng.choice(texts)[1].split("\n")
    at, first = rng.randrange(len(lines) + 1), rng.randrange(len(others))
    lines[at : at + rng.randrange(4)] = others[first : first + rng.randrange(1, 9)]
    return "\n".join(lines)


_WAYS = (_characters, _tokens, _tokens, _numbers, _lines, _splice)
