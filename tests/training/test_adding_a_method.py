"""`docs/training_methods.md`: its example, applied to a copy of the code as it says, is a method that trains."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from textwrap import dedent

from nasdsl.training.protocols import Parts

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^    ```(?:python|line) (\S+)\n(.*?)^    ```", re.DOTALL | re.MULTILINE)

TRAIN = """
import torch
import nasdsl
from nasdsl.language.network import Spec
from compiler.build import build
from compiler.plan import plan_of
from nasdsl.training import open_data, train

space = nasdsl.parse('''task classification on wine
network { linear(8); relu; linear(outputs) }
train { epochs = 3; quiet(weight = 1e-3..0.1 log)? }''')
data = open_data(space.task, None)

def outputs_of(**settings):
    plan = plan_of(space.decided(space.sample(0)))
    module = build(plan, seed=0)
    train(module, plan, {"epochs": 60, **settings}, data, 0)
    with torch.no_grad():
        return module(torch.ones(1, 13))

def quiet(weight):
    return Spec("quiet", {"weight": weight})

assert {"train/quiet"} <= {path for seed in range(8) for path in space.sample(seed)}
assert torch.equal(outputs_of(), outputs_of(quiet=quiet(0.0)))
assert outputs_of(quiet=quiet(10.0)).square().mean() < 0.5 * outputs_of().square().mean()
print("trained")
"""


def test_the_example_is_a_method(tmp_path: Path) -> None:
    blocks = {
        path: dedent(text) for path, text in BLOCK.findall((ROOT / "docs/training_methods.md").read_text())
    }
    assert len(blocks) == 3
    for package in ("nasdsl", "compiler", "searchers"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in blocks.items():
        file = tmp_path / path
        match file.name:
            case "training.py":
                edit(file, "_REGULARIZERS = (\n", "_REGULARIZERS = (\n" + text)
            case "table.py":
                edit(file, "    ps_kd,\n", "    ps_kd,\n    quiet,\n")
                edit(file, '    "ps_kd": ps_kd.make,\n', f'    "ps_kd": ps_kd.make,\n{text}')
            case _:
                file.write_text(text, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", TRAIN],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert found.stdout == "trained\n", found.stderr[-2000:]


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new), "utf-8")


def test_the_page_names_every_joint() -> None:
    page = (ROOT / "docs/training_methods.md").read_text("utf-8")
    assert {one.name for one in fields(Parts) if f"`{one.name}`" not in page} <= {"fuses"}
