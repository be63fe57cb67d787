"""Imports go one way; see ARCHITECTURE.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# What a package may import of ours beside itself.
ALLOWED = {
    "nasdsl.language": (),
    "searchers": ("nasdsl.language",),
    "nasdsl.editor": ("nasdsl.language",),
    "compiler": ("nasdsl.language",),
    "nasdsl.training": ("nasdsl.language", "compiler"),
    "nasdsl.engine": ("nasdsl.language", "compiler", "searchers", "nasdsl.training"),
    "nasdsl.cli": (
        "nasdsl.language",
        "nasdsl.editor",
        "compiler",
        "searchers",
        "nasdsl.training",
        "nasdsl.engine",
    ),
}
# Roots of other people's packages that must not be needed where they are named.
FORBIDDEN = {
    "nasdsl.language": ("torch", "numpy", "scipy", "sklearn", "rich", "networkx"),
    "searchers": ("torch", "rich"),
    "nasdsl.editor": ("torch", "numpy", "scipy", "sklearn", "rich", "networkx"),
}
# `search` takes the path of a space too, and so reads it by the front door.
THROUGH_THE_DOOR = {("nasdsl.engine", "nasdsl")}


def imports_of(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            # `from nasdsl.engine import html` names a module as well.
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    files = list((ROOT / package.replace(".", "/")).rglob("*.py"))
    assert files
    for path in files:
        for module in imports_of(path):
            if module.split(".")[0] not in ("nasdsl", "searchers", "compiler"):
                continue
            allowed = any(is_inside(module, other) for other in (package, *ALLOWED[package]))
            parent = any(is_inside(other, module) for other in (package, *ALLOWED[package]))
            assert allowed or (parent and module != "nasdsl") or (package, module) in THROUGH_THE_DOOR, (
                f"{path.relative_to(ROOT)} imports {module}"
            )


@pytest.mark.parametrize("package", FORBIDDEN)
def test_light_packages_stay_light(package: str) -> None:
    for path in (ROOT / package.replace(".", "/")).rglob("*.py"):
        heavy = {module.split(".")[0] for module in imports_of(path)} & set(FORBIDDEN[package])
        assert not heavy, f"{path.relative_to(ROOT)} imports {heavy}"


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("import nasdsl", ("torch", "numpy", "rich", "lark", "nasdsl.language.parser")),
        ("import nasdsl; nasdsl.load('spaces/mnist1d.space').sample(0)", ("torch", "numpy", "rich")),
        ("from nasdsl.cli import main; main(['check', 'spaces/mnist1d.space'])", ("torch", "numpy", "rich")),
        ("from nasdsl.cli import main; main(['count', 'spaces/mnist1d.space'])", ("torch", "numpy", "rich")),
        ("from nasdsl.cli import main; main(['show', 'spaces/mnist1d.space'])", ("torch",)),
        ("import searchers", ("torch", "sklearn")),
    ],
)
def test_what_need_not_be_loaded_is_not(program: str, absent: tuple[str, ...]) -> None:
    program += f"; import sys; loaded = [name for name in {absent!r} if name in sys.modules]; assert not loaded, loaded"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, timeout=120)
