"""Steps by a graph are the steps; a graph that does something else is not kept. On the CPU a function stands for the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import nasdsl
from compiler.build import build
from compiler.plan import Plan, plan_of
from nasdsl.engine.chosen import sentences
from nasdsl.engine.grouping import Choices
from nasdsl.language.network import Spec, Task
from nasdsl.training import Dataset, UserData, open_data
from nasdsl.training.fused.group import Group
from nasdsl.training.fused.train import Candidate, group_of
from nasdsl.training.graphs import Capture, can_be_captured, is_plain
from nasdsl.training.session import Session, session
from nasdsl.training.trainer import train

DENSE = "linear(24, bias = no); batch_norm; relu; dropout(0.2); linear(outputs)"
PLAIN = "linear(24, bias = no); batch_norm; relu; linear(outputs)"
ADAMW = {"optimizer": Spec("adamw", {"lr": 0.01, "weight_decay": 0.1})}
SGD = {"optimizer": Spec("sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True})}
MORE = {"batch_size": 32, "epochs": 2, "schedule": Spec("cosine", {"warmup": 0.1})}
CPU = torch.device("cpu")


def repeated(work: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
    """What `torch.cuda.graph` does, by doing the work again."""
    losses = work().clone()
    return lambda: losses.copy_(work()), losses


def idle(work: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
    """A graph that repeats nothing."""
    return lambda: None, work().clone()


def impossible(work: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
    raise RuntimeError("operation not permitted when stream is capturing\nand so on")


@pytest.fixture(scope="module")
def data() -> Dataset:
    x = np.random.default_rng(0).normal(size=(420, 6)).astype(np.float32)
    y = (x[:, :3].sum(1) > 0).astype(int)
    return open_data(Task("classification", None, {}, 1), None, UserData.from_arrays((x, y)))


def planned(data: Dataset, network: str) -> Plan:
    space = nasdsl.parse(f"task classification on shape(6, classes = 2)\nnetwork {{ {network} }}\n")
    space = space.with_task(data.shapes, data.outputs)
    return plan_of(space.decided(space.sample(0)))


def opened(
    data: Dataset, settings: dict[str, Any], network: str = DENSE, device: torch.device = CPU
) -> Session:
    plan = planned(data, network)
    torch.manual_seed(5)
    return session(build(plan, seed=0).to(device), plan, {**MORE, **settings}, data, 0, 0, 2, device)


def trained(one: Session) -> dict[str, Tensor]:
    torch.manual_seed(7)
    for _ in range(2):
        one.epoch()
    return dict(one.course.module.state_dict())


def close(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.allclose(a[name], b[name], rtol=1e-4, atol=1e-5) for name in a)


@pytest.mark.parametrize("settings", [ADAMW, SGD], ids=["adamw", "sgd"])
def test_a_training_by_a_graph_is_the_training(data: Dataset, settings: dict[str, Any]) -> None:
    captured = opened(data, settings).captured(repeated)
    assert close(trained(opened(data, settings)), trained(captured))
    assert (
        captured.graph is not None and captured.graph.refused is None and captured.graph._replay is not None
    )


@pytest.mark.parametrize(("capture", "why"), [(idle, "its numbers are not"), (impossible, "not permitted")])
def test_a_graph_that_does_not_do_the_step_is_refused_aloud(
    data: Dataset, capture: Capture, why: str
) -> None:
    captured = opened(data, ADAMW).captured(capture)
    with pytest.warns(RuntimeWarning, match=f"without a CUDA graph: .*{why}"):
        found = trained(captured)
    assert close(trained(opened(data, ADAMW)), found)


@pytest.mark.filterwarnings("ignore:steps run without a CUDA graph")
def test_what_came_of_a_training_says_that_it_had_no_graph(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*arguments: object) -> object:
        return session(*arguments).captured(impossible)  # type: ignore[arg-type]

    monkeypatch.setattr("nasdsl.training.trainer.session", refusing)
    plan = planned(data, PLAIN)
    alone = train(build(plan, seed=0), plan, {**MORE, **ADAMW}, data, 0)
    assert alone.no_graph is not None
    assert "not permitted" in alone.no_graph
    choices = Choices({})
    told = choices.without_graph(alone.no_graph)
    assert told is not None
    assert choices.without_graph(alone.no_graph) is None, "once"
    said = "steps run without a CUDA graph: " + alone.no_graph
    assert list(sentences({"groups": {told.structure: [told.together, told.why, told.what]}})) == [said]


def members(data: Dataset, device: torch.device = CPU) -> Group:
    plan = planned(data, PLAIN)
    candidates = [
        Candidate(
            build(plan, seed=k).to(device),
            {**MORE, "optimizer": Spec("adamw", {"lr": 0.01 / (k + 1), "weight_decay": 0.1})},
            k,
        )
        for k in range(3)
    ]
    return group_of(candidates, plan, data, 2, device)


def ends(group: Group) -> Iterator[Tensor]:
    """Weights after an epoch of three, and one of the two that are left."""
    group.epoch()
    group.keep([0, 2])
    group.epoch()
    for one in group.sessions:
        yield from (p.detach() for p in one.course.module.parameters())


def test_a_group_by_a_graph_is_the_group_also_after_a_member_left(data: Dataset) -> None:
    captured = members(data)
    captured.captured(repeated)
    for a, b in zip(ends(members(data)), ends(captured), strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)
    assert captured._graph is not None and captured._graph.refused is None


def test_what_looks_at_numbers_on_the_way_is_not_captured(data: Dataset) -> None:
    assert is_plain(opened(data, ADAMW))
    assert not is_plain(opened(data, {**ADAMW, "mixup": Spec("mixup", {"alpha": 0.2})}))
    assert not is_plain(opened(data, {**ADAMW, "clip": 1.0}))
    assert not is_plain(opened(data, {"optimizer": Spec("lion", {"lr": 0.001})}))
    assert not can_be_captured(opened(data, ADAMW))  # on the CPU


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("settings", [ADAMW, SGD], ids=["adamw", "sgd"])
def test_a_gpu_repeats_the_step(data: Dataset, settings: dict[str, Any], precision: str) -> None:
    device = torch.device("cuda")
    captured = opened(data, {**settings, "precision": precision}, PLAIN, device)
    assert captured.graph is not None
    found = trained(captured)
    assert captured.graph.refused is None
    if precision == "fp32":
        alone = trained(opened(data, settings, PLAIN))
        assert all(torch.allclose(found[name].cpu(), alone[name], rtol=1e-2, atol=1e-3) for name in alone)


@pytest.mark.gpu
def test_a_gpu_repeats_the_steps_of_a_group(data: Dataset) -> None:
    captured = members(data, torch.device("cuda"))
    assert captured._graph is not None
    for a, b in zip(ends(members(data)), ends(captured), strict=True):
        assert torch.allclose(a, b.cpu(), rtol=1e-2, atol=1e-3)
    assert captured._graph.refused is None
