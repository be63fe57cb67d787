"""The catalogue is what the tables say, and says where everything is tested."""

import ast
from pathlib import Path

import pytest

from nasdsl.engine.catalogue import catalogue
from nasdsl.engine.evidence import EFFECTS, TESTS
from nasdsl.language.quantities import QUANTITIES
from nasdsl.language.signatures.measures import MEASURES
from nasdsl.language.signatures.table import LAYERS, TRAINING


def test_the_page_is_current() -> None:
    said = "run `python -m nasdsl.engine.catalogue > docs/catalogue.md`"
    assert Path("docs/catalogue.md").read_text("utf-8") == catalogue(), said


def test_effects_are_of_methods_that_work_and_stand_in_the_measured_tables() -> None:
    pages = ("examples/methods/README.md", "docs/proxies.md")
    tables = "".join(Path(page).read_text("utf-8") for page in pages)
    for key in EFFECTS.keys() - {"weight_decay"}:  # called by its strength there
        name = key.split()[-1]
        assert name in {**MEASURES, **QUANTITIES} or not {**LAYERS, **TRAINING}[name].later
        assert (
            f"| {name} |" in tables
            or f"`{name}`" in tables
            or f"`{name}(" in tables
            or f"{name}_layers" in tables
        )


@pytest.mark.parametrize("place", sorted(set(TESTS.values())))
def test_tests_that_are_named_exist(place: str) -> None:
    file, name = place.split("::")
    tree = ast.parse((Path("tests") / file).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
