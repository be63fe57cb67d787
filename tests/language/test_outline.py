"""The outline of a space: its counts are those of the space, and what it says is read by people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from space_texts import space_text

from nasdsl.engine.outline import count_text, outline_svg, outline_text
from nasdsl.language.errors import SpaceError
from nasdsl.language.outline import Line
from nasdsl.language.reading import load, parse

SPACES = sorted(Path("spaces").glob("*.space"))


def every(lines: tuple[Line, ...]) -> Iterator[Line]:
    for line in lines:
        yield line
        yield from every(line.inner)


def hold_together(lines: tuple[Line, ...]) -> None:
    """The alternatives of a choice add up to it, and nothing inside a part has more ways than it could."""
    for line in every(lines):
        counts = [one.ways for one in line.inner if one.kind == "answer"]
        if counts and None not in counts:
            assert sum(count or 0 for count in counts) == line.ways, line.title


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_the_parts_of_a_shipped_space_multiply_to_its_count(path: Path) -> None:
    space = load(path)
    lines = space.outline()
    product = 1
    for line in lines:
        assert line.kind == "part" and line.ways is not None
        product *= line.ways
    assert product == space.count()
    hold_together(lines)


@pytest.mark.parametrize("seed", range(40))
def test_the_outline_of_a_random_space_counts_what_the_space_counts(seed: int) -> None:
    try:
        space = parse(space_text(seed))
    except SpaceError:
        pytest.skip("nothing fits")
    (network,) = space.outline()
    assert network.ways == space.count()
    hold_together((network,))


def test_a_space_of_lets_has_a_line_for_each() -> None:
    lines = parse("let model = svm(C = 0.1..10.0 log) | forest(trees = 10..500)\nlet fold = 1..5").outline()
    assert [(line.title, line.ways) for line in lines] == [("model = svm | forest", 492), ("fold = 1..5", 5)]
    assert [line.title for line in lines[0].inner] == ["svm(C = 0.1..10 log)", "forest(trees = 10..500)"]


def test_huge_ranges_are_not_gone_through() -> None:
    text = "task classification on wine\nnetwork { repeat 1..200 { linear(1..1000000000); relu? }; linear(outputs) }"
    (network,) = parse(text).outline()
    assert network.inner[0].title == "repeat 1..200"
    assert [line.ways for line in network.inner[0].inner] == [10**9, 2]


@pytest.mark.parametrize("name", ["digits_cnn", "einspace", "darts", "deepconv_trained"])
def test_what_people_read(name: str, golden: Callable[[str, str], None]) -> None:
    space = load(f"spaces/{name}.space")
    golden(f"outline/{name}.txt", outline_text(space.name, space.doc, space.count(), space.outline()))


def test_the_picture_shows_every_part() -> None:
    space = load("spaces/digits_cnn.space")
    root = ElementTree.fromstring(outline_svg(space.name, space.count(), space.outline()))
    shown = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert {line.title for line in every(space.outline())} <= shown
    assert f"{space.count():,}" in shown


def test_counts_have_all_their_digits_while_they_can_be_read() -> None:
    assert count_text(999_999_999_999) == "999,999,999,999"
    assert count_text(21758655492572485851) == "2.17e19"


def test_a_space_too_large_to_count_has_an_outline_with_the_counts_of_small_parts() -> None:
    space = load("examples/spaces/hierarchical_201.space")
    lines = space.outline()
    text = outline_text(space.name, space.doc, space.count_soon(), lines)
    assert space.count_soon() is None and "points not counted" in text
    assert {line.ways for line in every(lines) if line.title == "node"} - {None} == {
        (1 + 1 + 27 + 27 + 1) ** 6
    }
