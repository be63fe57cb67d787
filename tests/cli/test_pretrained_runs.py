"""Runs that start from trained weights: searched, shown and exported, from a file or from trusted Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

SPACE = """space tuned
task classification on digits
network {
    frozen {
        pretrained("SOURCE", match = order) {
            adapter(rank = 2) { conv2d(6) }
            relu
            with(weight = lora(2) | svfit(2)) { conv2d(6) }
        }
    }
    global_avg_pool
    linear(outputs)
}
train { epochs = 1 }
"""
FUNCTION = """import torch
from torch import nn

def weights():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.Conv2d(6, 6, 3))
"""


def trained() -> nn.Module:
    namespace: dict = {}
    exec(FUNCTION, namespace)
    return namespace["weights"]()


def exported(path: Path) -> nn.Module:
    namespace: dict = {"__file__": str(path), "__name__": "exported"}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), namespace)
    return namespace["load"]()


def test_a_file_is_needed_to_train_and_not_to_export(nasdsl, folder: Path) -> None:
    (folder / "tuned.space").write_text(SPACE.replace("SOURCE", "w.safetensors"))
    save_file(trained().state_dict(), folder / "w.safetensors")
    done = nasdsl("search", "tuned.space", "--budget", "1", "--workers", "1", "--run", "run")
    assert done.status == 0, done.err
    (folder / "w.safetensors").unlink()
    assert nasdsl("export", "run", "--to", "python", "n.py").status == 0
    state = exported(folder / "n.py").state_dict()
    first = next(t for name, t in state.items() if t.shape == (6, 1, 3, 3))
    assert torch.equal(first, trained()[0].weight)  # frozen, through training and export
    second = next(t for name, t in state.items() if t.shape == (6, 6, 3, 3))
    assert not torch.equal(second, trained()[1].weight)  # tuned, and merged


def test_python_asks_for_trust_and_can_be_exported_under_it(
    nasdsl, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "tuned.space").write_text(SPACE.replace("SOURCE", "trained_by_me:weights"))
    (folder / "trained_by_me.py").write_text(FUNCTION)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    search = ("search", "tuned.space", "--budget", "1", "--workers", "1", "--run", "run")
    assert "error[untrusted]" in nasdsl(*search).err
    done = nasdsl(*search, "--trust")
    assert done.status == 0, done.err
    assert nasdsl("export", "run", "--to", "python", "n.py", "--trust").status == 0
    first = next(t for t in exported(folder / "n.py").state_dict().values() if t.shape == (6, 1, 3, 3))
    assert torch.equal(first, trained()[0].weight)
