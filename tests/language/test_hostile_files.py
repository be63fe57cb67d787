"""Whatever a file says, reading it ends soon, with a space or with a SpaceError."""

import random
from pathlib import Path

import pytest

from nasdsl.language.errors import NasdslError, SpaceError
from nasdsl.language.reading import parse

ROOT = Path(__file__).parents[2]
SPACES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "spaces").rglob("*.space"))]
BROKEN = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests/golden/errors").glob("*.space"))]
HEAD = "task classification on digits\n"
TAIL = "\n flatten\n linear(outputs)\n}\n"
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
    "#",
    '"',
    "\\",
    "\n",
    "let",
    "if",
    "else",
    "repeat",
    "permute",
    "pick",
    "of",
    "in",
    "tied",
    "shared",
    "except",
    "log",
    "step",
    "online",
    "network",
    "train",
    "block",
    "start",
    "require",
    "maximize",
    "task",
    "on",
    "digits",
    "relu",
    "conv2d",
    "residual",
    "linear",
    "outputs",
    "width",
    "0",
    "1",
    "3",
    "-1",
    "1e9",
    "1e-9",
    "500k",
    "20%",
    "10^9",
    "999999999999",
    "and",
    "or",
    "not",
    "flatten",
    "dropout(0.5)?",
    "sgd",
    "adam",
    "mixup",
]


def network(body: str, before: str = "") -> str:
    return f"{HEAD}{before}\nnetwork {{\n {body}{TAIL}"


def read(text: str, count: bool = True) -> str:
    """Read a text and use the space a little; the code of the first problem, or ""."""
    try:
        space = parse(text)
    except SpaceError as error:
        assert error.diagnostics
        return error.diagnostics[0].code
    try:
        space.start()
        space.sample(0)
        if count:
            space.count()
    except NasdslError as error:
        return type(error).__name__
    return ""


def mutated(text: str, rng: random.Random) -> str:
    """A text after a few random edits: words in, out, doubled, swapped, or noise."""
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice((1, 1, 3, 10, 60)))
        match rng.randrange(5):
            case 0:
                text = text[:at] + f" {rng.choice(WORDS)} " + text[at:]
            case 1:
                text = text[:at] + text[end:]
            case 2:
                text = text[:at] + text[at:end] * 2 + text[end:]
            case 3:
                other = rng.randrange(len(text) + 1)
                text = text[:at] + text[other : other + 20] + text[end:]
            case _:
                text = text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) + text[end:]
    return text


def fuzz(seed: int, rounds: int) -> None:
    rng = random.Random(seed)
    for _ in range(rounds):
        text = mutated(rng.choice(rng.choice((SPACES, BROKEN))), rng)
        try:
            read(text)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n--- in ---\n{text}") from error


@pytest.mark.parametrize("seed", range(4))
def test_random_edits(seed: int) -> None:
    fuzz(seed, 40)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_edits(seed: int) -> None:
    fuzz(seed, 2000)


def test_noise() -> None:
    rng = random.Random(0)
    for size in (1, 10, 100, 1000):
        for _ in range(20):
            read("".join(chr(rng.randrange(1, 0x500)) for _ in range(size)))
            read(" ".join(rng.choice(WORDS) for _ in range(size)))
            read(rng.randbytes(size).decode("latin-1"))


DEEP = 30_000

HOSTILE = {
    "parentheses": ("let x = " + "(" * DEEP + "1" + ")" * DEEP, "nesting-limit"),
    "bodies": ("network {" * DEEP, "nesting-limit"),
    "closing": ("}" * DEEP, "unbalanced"),
    "not": ("let x = " + "not " * DEEP + "1", "nesting-limit"),
    "minus": ("let x = " + "-" * DEEP + "1", "nesting-limit"),
    "optional": ("let x = a" + "?" * DEEP, "nesting-limit"),
    "attributes": ("require a" + ".b" * DEEP, "nesting-limit"),
    "powers": ("let x = " + "2^" * DEEP + "2", "nesting-limit"),
    "sums": ("let x = " + "1+" * DEEP + "1", "nesting-limit"),
    "else if": (network("if 1 > 0 { relu }" + " else if 1 > 0 { relu }" * DEEP), "nesting-limit"),
    "a billion copies": (network("repeat 10^9 { relu }"), None),
    "up to a billion copies": (network("repeat 1..10^9 { conv2d(8..64) }"), None),
    "a googol of copies": (network("repeat 1..10^100 { relu }"), None),
    "nested repeats": (network("repeat 99999 { " * 60 + "relu" + " }" * 60), None),
    "nested open repeats": (network("repeat 0..99999 { " * 60 + "relu" + " }" * 60), None),
    "a tied billion": (network("repeat 10^9 tied { dropout(0.1..0.2) }"), None),
    "huge numbers": (network(f"conv2d({'9' * 399})"), None),
    "huge power": (network("conv2d(2^4096^4096)"), "bad-expression"),
    "power of a power": (network("conv2d((2^4096)^4096)"), "bad-expression"),
    "huge product": (network("conv2d(" + "*".join(["10^300"] * 100) + ")"), None),
    "huge range": (network("conv2d(1..10^300)"), None),
    "huge real": (network("dropout(1e308 * 1e308)"), "bad-expression"),
    "many steps": (network("dropout(0..1 step 1e-300)"), "bad-range"),
    "many weights": (network("dropout(0.1 @ 1e308 | 0.2 @ 1e308)"), ""),
    "doubling blocks": (
        network(
            "b59",
            "block b0 { relu }\n" + "\n".join(f"block b{i} {{ b{i - 1}; b{i - 1} }}" for i in range(1, 60)),
        ),
        None,
    ),
    "doubling blocks with decisions": (
        network(
            "b59",
            "block b0 { relu | gelu }\n"
            + "\n".join(f"block b{i} {{ b{i - 1}; b{i - 1} }}" for i in range(1, 60)),
        ),
        None,
    ),
    "doubling parameters": (
        network(
            "b59(3)",
            "block b0(w) { dropout(1 / w) }\n"
            + "\n".join(f"block b{i}(w) {{ b{i - 1}(w + 1); b{i - 1}(w + 2) }}" for i in range(1, 60)),
        ),
        None,
    ),
    "doubling lets": (
        network(
            "conv2d(x59)",
            "let x0 = 1 | 2\n" + "\n".join(f"let x{i} = x{i - 1} + x{i - 1}" for i in range(1, 60)),
        ),
        None,
    ),
    "doubling constants": (
        network(
            "conv2d(x59)", "let x0 = 2\n" + "\n".join(f"let x{i} = x{i - 1} * x{i - 1}" for i in range(1, 60))
        ),
        None,
    ),
    "chain of lets": (
        network(
            "conv2d(x999)", "let x0 = 1 | 2\n" + "\n".join(f"let x{i} = x{i - 1}" for i in range(1, 1000))
        ),
        None,
    ),
    "chain of blocks": (
        network(
            "b1999", "block b0 { relu }\n" + "\n".join(f"block b{i} {{ b{i - 1} }}" for i in range(1, 2000))
        ),
        None,
    ),
    "chain of waiting parameters": (
        network(
            "b250(1 | 2)",
            "block b0(w) { conv2d(w) }\n"
            + "\n".join(f"block b{i}(w) {{ b{i - 1}(w) }}" for i in range(1, 251)),
        ),
        None,
    ),
    "deep residuals": (network("residual { " * 198 + "relu" + " }" * 198), ""),
    "deep choices": (network("(" * 190 + "relu" + " | gelu)" * 190), ""),
    "deep blocks of choices": (network("{ relu | " * 190 + "gelu" + " }" * 190), ""),
    "deep ifs": (network("if 1 > 0 { " * 190 + "relu" + " }" * 190), "nesting-limit"),
    "less deep ifs": (network("if 1 > 0 { " * 90 + "relu" + " }" * 90), ""),
    "deep calls": (network("conv2d(" + "max(1, " * 190 + "1" + ")" * 190 + ")"), None),
    "a wide choice": (network(" | ".join(f"conv2d({i})" for i in range(1, 3000))), ""),
    "many names": (network("relu", "\n".join(f"let x{i} = 1" for i in range(3_000))), ""),
    "many problems": (network("\n".join(f"x{i}" for i in range(2000))), "unknown-op"),
    "a long name": (network("x" * 1_000_000), "unknown-op"),
    "a long text": (f'task classification on csv("{"x" * 1_000_000}", target = "y")\n', None),
    "a long comment": (network("relu  #" + "x" * 1_000_000), ""),
    "many newlines": (network("\n" * 1_000_000 + "relu"), ""),
    "many separators": (network(";" * 100_000 + "relu"), ""),
    "permute of many": (network("permute { " + "; ".join(f"m{i}: relu" for i in range(60)) + " }"), None),
    "pick of many": (network("pick 30 of { " + "; ".join(f"m{i}: relu" for i in range(60)) + " }"), None),
    "counting down": (network("f(10^9)", "block f(n) {\n if n > 0 { f(n - 1) }\n relu\n}"), None),
    "counting down twice": (
        network("f(200)", "block f(n) {\n if n > 0 { f(n - 1); f(n - 1) }\n relu\n}"),
        None,
    ),
    "counting down a range": (network("f(1..10^9)", "block f(n) {\n if n > 0 { f(n - 1) }\n relu\n}"), None),
    "above the file limit": ("#" * 4_000_001, "file-limit"),
}


# These end at a limit only after a while.
SLOW = {
    name
    for name in HOSTILE
    if name.startswith(("nested", "doubling blocks", "doubling param", "counting down"))
}
SLOW |= {"else if", "many names", "a wide choice"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in HOSTILE])
def test_hostile_file(name: str) -> None:
    text, code = HOSTILE[name]
    found = read(text, count=False)  # counting is bounded, but not soon at its bound
    if code is not None:
        assert found == code
