"""Whatever a file says, reading it ends soon, with a space or with a SpaceError."""

import random

import pytest

from benchmarks.fuzz.hostile import HEAD, HOSTILE
from benchmarks.fuzz.mutations import corpus, mutated, noise
from benchmarks.fuzz.reading import read
from nasdsl.language.reading import parse

TEXTS = corpus()


def fuzz(first: int, last: int) -> None:
    for number in range(first, last):
        name, raw = mutated(random.Random(f"fuzz/{number}"), TEXTS)
        try:
            read(raw, name)
        except Exception as error:
            raise AssertionError(
                f"{type(error).__name__}: {error}\n--- in {number}, {name} ---\n{raw!r}"
            ) from error


def test_torn_files() -> None:
    fuzz(0, 400)


@pytest.mark.slow
def test_many_torn_files() -> None:
    fuzz(400, 20_000)


def test_noise() -> None:
    for seed in range(100):
        read(noise(random.Random(seed)), "noise.space")


def test_what_stands_around_a_body_is_no_value() -> None:
    text = HEAD + "network {\nlet act = relu | cell\nact\nflatten\nlinear(outputs)\n}\n"
    assert read(text.encode(), "a.space") == "needs-body"


def test_very_many_points_are_counted() -> None:
    assert parse(HOSTILE["10^2400 points"][0]).count() == 10**2400


@pytest.mark.parametrize("body", ["f(4)", "f(2 | 4)", "linear(8..mixup)", "g(1e-3)", "g(0.5 | 1.5)"])
def test_no_value_that_fits(body: str) -> None:
    blocks = "block f(n) { linear(8..n) }\nblock g(n) { linear(n) }\n"
    text = f"task classification on wine\n{blocks}network {{\n{body}\nlinear(outputs)\n}}\n"
    assert read(text.encode(), "a.space") in ("no-network", "out-of-range", "wrong-kind")


# These end at a limit only after a while.
SLOW = {
    name
    for name in HOSTILE
    if name.startswith(("nested", "doubling blocks", "doubling param", "counting down"))
}
SLOW |= {"else if", "many names", "a wide choice", "many requires", "recursion twice over a range"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in HOSTILE])
def test_hostile_file(name: str) -> None:
    text, code = HOSTILE[name]
    found = read(text.encode(), f"{name}.space")
    if code is not None:
        assert found == (code or "counted")
