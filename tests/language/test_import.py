"""`import`: blocks and lets of other files, and what is said where that goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasdsl.language.errors import SpaceError
from nasdsl.language.parser import parse as parse_text
from nasdsl.language.printer import print_file
from nasdsl.language.reading import load, parse

HEAD = "task classification on digits\n"
BLOCKS = "## Units.\nlet k = 1 | 3  # kernels\nlet spare = 1 | 2\nblock unit(width) {\n    conv2d(width, kernel = k)\n    relu\n}\n"
MAIN = f'space main\nimport "blocks/unit.space"\n{HEAD}network {{ unit(8 | 16); global_avg_pool; linear(outputs) }}\n'


def write(folder: Path, **files: str) -> Path:
    """Files by name, `__` for `/`; the path of the one called main."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.space"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "main.space"


def problems(path: Path) -> list[tuple[str, str, int]]:
    with pytest.raises(SpaceError) as caught:
        load(path)
    return [(d.code, Path(d.source.name).name, d.span.line) for d in caught.value.diagnostics]


def test_blocks_and_lets_come_in_and_the_text_stands_alone(tmp_path: Path) -> None:
    space = load(write(tmp_path, main=MAIN, blocks__unit=BLOCKS))
    assert space.count() == 4
    assert space.warnings == ()  # what an imported file has to spare is no business of this one
    alone = parse(space.text)
    assert "import" not in space.text
    assert (alone.hash, alone.text) == (space.hash, space.text)
    assert list(alone.enumerate()) == list(space.enumerate())


def test_fmt_keeps_the_line(tmp_path: Path) -> None:
    assert print_file(parse_text(MAIN)) == MAIN


def test_a_file_met_twice_comes_in_once(tmp_path: Path) -> None:
    inner = 'import "unit.space"\nblock two(width) { unit(width); unit(width) }\n'
    text = 'import "blocks/two.space"\n' + MAIN.replace("unit(8", "two(8")
    space = load(write(tmp_path, main=text, blocks__unit=BLOCKS, blocks__two=inner))
    assert space.count() == 4  # one let, whoever uses it


def test_only_blocks_and_lets_come_in(tmp_path: Path) -> None:
    whole = BLOCKS + "task regression on diabetes\nnetwork { linear(outputs) }\nmaximize r2\n"
    assert load(write(tmp_path, main=MAIN, blocks__unit=whole)).count() == 4


def test_problems_stand_in_the_file_they_are_in(tmp_path: Path) -> None:
    bad = BLOCKS.replace("relu", "rleu")
    assert problems(write(tmp_path, main=MAIN, blocks__unit=bad)) == [("unknown-op", "unit.space", 6)]
    syntax = BLOCKS + "block {\n"
    assert problems(write(tmp_path, main=MAIN, blocks__unit=syntax))[0][1] == "unit.space"
    never = BLOCKS.replace("kernel = k", "kernel = 99, padding = valid")
    assert problems(write(tmp_path, main=MAIN, blocks__unit=never)) == [("shape-mismatch", "unit.space", 5)]


def test_names_may_not_clash(tmp_path: Path) -> None:
    again = MAIN + "block unit(width) { relu }\nlet k = 3 | 5\n"
    path = write(tmp_path, main=again, blocks__unit=BLOCKS)
    assert problems(path) == [("duplicate-name", "main.space", 5), ("duplicate-name", "main.space", 6)]
    with pytest.raises(SpaceError, match=r"is already defined, on line 4 of .*unit\.space"):
        load(path)


def test_files_that_import_one_another(tmp_path: Path) -> None:
    ring = 'import "../main.space"\n' + BLOCKS
    path = write(tmp_path, main=MAIN, blocks__unit=ring)
    assert problems(path) == [("cyclic-import", "unit.space", 1)]
    with pytest.raises(SpaceError, match=r"`main\.space` imports `blocks/unit\.space` imports `main\.space`"):
        load(path)
    assert problems(write(tmp_path, main='import "main.space"\n')) == [("cyclic-import", "main.space", 1)]


def test_a_path_stays_below_the_folder_of_the_space(tmp_path: Path) -> None:
    write(tmp_path, unit=BLOCKS)
    inside = tmp_path / "inside"
    path = write(inside, main=MAIN.replace("blocks/", "../"))
    assert problems(path) == [("file-outside", "main.space", 2)]
    (inside / "blocks").mkdir()
    (inside / "blocks" / "unit.space").symlink_to(tmp_path / "unit.space")
    assert problems(write(inside, main=MAIN)) == [("file-outside", "main.space", 2)]
    assert load(write(inside, main=MAIN.replace("blocks/", "blocks/../blocks/")), trust=True).count() == 4


@pytest.mark.parametrize("imported", ["none.space", "", ".", "/dev/zero", "a\0b"])
def test_what_is_no_file(tmp_path: Path, imported: str) -> None:
    path = write(tmp_path, main=f'import "{imported}"\n{HEAD}', blocks__unit=BLOCKS)
    assert next(code for code, _, _ in problems(path)) in ("missing-import", "file-outside")


def test_a_text_without_a_file_imports_nothing() -> None:
    with pytest.raises(SpaceError, match="missing-import"):
        parse(MAIN)


def test_there_are_limits(tmp_path: Path) -> None:
    files = {f"f{n}": f'import "f{n + 1}.space"\n' for n in range(150)}
    path = write(tmp_path, main='import "f0.space"\nlet x = 1 | 2\n', **files)
    assert problems(path) == [("limit", "f99.space", 1)]
