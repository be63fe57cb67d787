"""`nasdsl.op`, `use` and trust: a user's own modules as operations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import nasdsl
from compiler import own
from compiler.build import build
from compiler.builders import table as builders
from compiler.errors import ExportError
from compiler.export import export_python, export_torch
from compiler.plan import plan
from nasdsl.cli import main
from nasdsl.language import trusting
from nasdsl.language.errors import SpaceError
from nasdsl.language.reading import load, parse
from nasdsl.language.signatures import table


class GatedConv(nn.Module):
    """A convolution times a gate."""

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.a = nn.Conv2d(in_channels, width, 3, stride, 1)
        self.b = nn.Conv2d(in_channels, width, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gated: torch.Tensor = self.a(x) * self.b(x).sigmoid()
        return gated


class Wrong(nn.Module):
    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [x]


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What is registered or trusted in a test is forgotten after it."""
    kept = [(one, dict(one)) for one in (table._layers, table._all, builders._recipes, own._OWN)]
    monkeypatch.setattr(trusting._Trust, "everything", False)
    monkeypatch.setattr(trusting._Trust, "brought", {})
    monkeypatch.setattr(trusting._Trust, "folders", {})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield
    for one, before in kept:
        one.clear()
        one.update(before)


NETWORK = "network {{ {}; global_avg_pool; linear(outputs) }}\n"
TEXT = "task classification on digits\n" + NETWORK.format("gated_conv(4 | 8, stride = 1 | 2)")


def test_a_module_is_an_operation_with_its_shape_and_costs() -> None:
    assert nasdsl.op(GatedConv, width=int, stride=int) is GatedConv
    space = parse(TEXT + "require params <= 120\n")
    assert space.count() == 4
    for seed in range(8):
        point = space.sample(seed)
        assert point["network/width"] == 4
        planned = plan(space, point)
        node = planned.nodes[1]
        size = 8 // int(point["network/stride"])
        assert node.shape == (4, size, size)
        assert node.params == (9 + 1) * 4 + (1 + 1) * 4
        assert node.macs == (9 + 1) * 4 * size**2
        module = build(planned)
        assert module(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
        assert sum(p.numel() for p in module.parameters()) == planned.params


def test_points_that_it_refuses_are_pruned() -> None:
    nasdsl.op(GatedConv, width=int, stride=int)
    before = "flatten | identity"
    assert parse("task classification on digits\n" + NETWORK.format(before + "; gated_conv(4)")).count() == 1
    with pytest.raises(SpaceError, match="`gated_conv` refuses vector"):
        parse("task classification on digits\n" + NETWORK.format("flatten; gated_conv(4)"))
    nasdsl.op(Wrong)
    with pytest.raises(SpaceError, match="gives no tensor"):
        parse("task classification on digits\n" + NETWORK.format("wrong"))


def test_a_shape_rule_may_be_given() -> None:
    nasdsl.op(
        GatedConv, name="known", shape=lambda size, width, stride: (width, *size[1:]), width=int, stride=int
    )
    assert parse(TEXT.replace("gated_conv", "known").replace("1 | 2", "1")).count() == 2
    with pytest.raises(SpaceError, match="its shape rule says otherwise"):
        parse(TEXT.replace("gated_conv", "known").replace("1 | 2", "2"))


def test_what_cannot_be_an_operation_is_said() -> None:
    for wrong, message in (
        ({"name": "conv2d", "width": int}, "name of the language"),
        ({"name": "a b", "width": int}, "no name"),
        ({"depth": int}, "takes no argument `depth`"),
        ({"width": list}, "int, float, bool"),
    ):
        with pytest.raises(ValueError, match=message):
            nasdsl.op(GatedConv, **wrong)  # type: ignore[arg-type]
    nasdsl.op(GatedConv, width=int)
    nasdsl.op(GatedConv, width=int)  # again, as in a notebook


def test_it_is_exported_but_not_as_python(tmp_path: Path) -> None:
    nasdsl.op(GatedConv, width=int, stride=int)
    space = parse(TEXT)
    planned = plan(space, space.sample(0))
    module = build(planned, seed=0)
    path = export_torch(planned, module, tmp_path / "net.pt2")
    x = torch.randn(3, 1, 8, 8)
    assert torch.allclose(torch.export.load(path).module()(x), module.eval()(x), atol=1e-6)
    with pytest.raises(ExportError, match="Python of your own"):
        export_python(planned, module, tmp_path / "net.py")


def test_workers_have_it(tmp_path: Path) -> None:
    nasdsl.op(GatedConv, width=int, stride=int)
    space = parse(TEXT + "train { epochs = 1 }\n")
    run = nasdsl.search(space, budget=1, workers=1, run=tmp_path / "run", seed=0)
    assert [record.error for record in run.records] == [None]


MODULE = """
import nasdsl
from torch import nn
open("ran", "w").close()
class Doubling(nn.Module):
    def forward(self, x):
        return x + x
nasdsl.op(Doubling)
"""
USING = 'use "own_blocks_{}"\ntask classification on digits\nnetwork {{ doubling; flatten; linear(outputs) }}\ntrain {{ epochs = 1 }}\n'


@pytest.fixture
def using(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A space beside the module that it uses, which has a name of its own in each test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    name = str(abs(hash(request.node.name)))
    (tmp_path / f"own_blocks_{name}.py").write_text(MODULE)
    path = tmp_path / "a.space"
    path.write_text(USING.format(name))
    return path


def test_nothing_of_an_author_runs_without_trust(using: Path) -> None:
    with pytest.raises(SpaceError, match="untrusted") as caught:
        load(using)
    assert [problem.code for problem in caught.value.diagnostics] == ["untrusted"]
    assert not Path("ran").exists()
    assert load(using, trust=True).count() == 1
    assert Path("ran").exists()


def test_trust_is_remembered_until_something_changes(using: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "a.space"]) == 2
    assert main(["trust", "a.space"]) == 0
    assert not Path("ran").exists()  # to trust is not to run
    file = parse_file(using)
    (name,) = [item.module for item in file.items if hasattr(item, "module")]
    assert trusting.is_trusted(file, name)
    using.write_text("# a comment\n" + using.read_text())
    assert trusting.is_trusted(parse_file(using), name)
    using.write_text(using.read_text() + "let more = 1 | 2\n")
    assert not trusting.is_trusted(parse_file(using), name)
    assert main(["trust", "a.space"]) == 0
    assert trusting.is_trusted(parse_file(using), name)
    module = next(using.parent.glob("own_blocks_*.py"))
    module.write_text(module.read_text() + "# changed\n")
    assert not trusting.is_trusted(parse_file(using), name)


def parse_file(path: Path):  # type: ignore[no-untyped-def]
    from nasdsl.language.importing import resolve
    from nasdsl.language.parser import parse as syntax_of

    return resolve(syntax_of(path.read_text(), str(path)))


def test_a_run_is_searched_and_opened_again(using: Path, tmp_path: Path) -> None:
    space = load(using, trust=True)
    nasdsl.search(space, budget=1, workers=1, run="run", seed=0)
    trusting._Trust.brought = {}
    from nasdsl.engine.spaces import parse_space

    parse_space.cache_clear()
    run = nasdsl.open_run("run")
    assert [record.error for record in run.records] == [None]
    with pytest.raises(SpaceError, match="untrusted"):
        _ = run.space
    trusting.remember(parse_file(using))
    assert nasdsl.open_run("run").space.count() == 1


def test_a_module_that_fails_is_a_diagnostic(using: Path) -> None:
    module = next(using.parent.glob("own_blocks_*.py"))
    module.write_text("raise RuntimeError('no luck')\n")
    with pytest.raises(SpaceError, match="RuntimeError: no luck") as caught:
        load(using, trust=True)
    assert [problem.code for problem in caught.value.diagnostics] == ["bad-module"]
    using.write_text(using.read_text().replace("own_blocks", "own_blocks_none"))
    with pytest.raises(SpaceError, match="ModuleNotFoundError"):
        load(using, trust=True)
    with pytest.raises(nasdsl.NasdslError, match="no module"):
        trusting.remember(parse_file(using))
