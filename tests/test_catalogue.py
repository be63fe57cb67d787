"""The catalogue is what the tables say, and says where everything is tested."""

from pathlib import Path

from nasdsl.engine.catalogue import _EFFECTS, catalogue
from nasdsl.language.signatures.table import LAYERS, TRAINING


def test_the_page_is_current() -> None:
    said = "run `python -m nasdsl.engine.catalogue > docs/catalogue.md`"
    assert Path("docs/catalogue.md").read_text("utf-8") == catalogue(), said


def test_effects_are_of_methods_that_work_and_stand_in_the_measured_tables() -> None:
    tables = Path("examples/methods/README.md").read_text("utf-8")
    for name in _EFFECTS.keys() - {"weight_decay"}:  # called by its strength there
        assert not {**LAYERS, **TRAINING}[name].later
        assert (
            f"| {name} |" in tables
            or f"`{name}`" in tables
            or f"`{name}(" in tables
            or f"{name}_layers" in tables
        )


def test_places_of_tests_exist() -> None:
    for path in (
        "tests/compiler",
        "tests/training",
        "tests/training/test_schedules.py",
        "tests/training/test_more_data.py",
    ):
        assert Path(path).exists()
