"""A group trains each member as it would be trained alone: logits agree after 60 steps and more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import nasdsl
from compiler.build import build
from compiler.plan import Plan, plan_of
from nasdsl.language.network import Spec, Task
from nasdsl.training import DataError, Dataset, Diverged, Trained, UserData, open_data, train
from nasdsl.training.fused.forms import Unfusable
from nasdsl.training.fused.train import Candidate, train_group

# A bias before a norm has no gradient but rounding, which Adam would blow up.
DENSE = "flatten; linear(24); layer_norm; relu; dropout(0.3); linear(16, bias = no); batch_norm; silu; linear(outputs)"
MAPS = """conv2d(8, 3, bias = no); batch_norm; relu; dropout(0.2); max_pool(2)
    residual { conv2d(8, 3, bias = no); group_norm(2); gelu; dropout(0.2, per = channel) }
    depthwise_conv2d(kernel = 3); global_avg_pool; linear(outputs)"""
SEQUENCE = (
    "conv1d(6, 5, stride = 2); rms_norm; relu; dropout(0.2); conv1d(8, 3); mish; flatten; linear(outputs)"
)


def data(shape: tuple[int, ...], kind: str = "classification") -> Dataset:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(260, *shape)).astype(np.float32)
    score = x.reshape(len(x), -1)[:, :4].sum(1)
    y = (score > 0).astype(int) if kind == "classification" else (3 * score + 1).astype(np.float32)
    return open_data(Task(kind, None, {}, 1), None, UserData.from_arrays((x, y)))


def planned(dataset: Dataset, network: str) -> Plan:
    shape = ", ".join(map(str, next(iter(dataset.shapes.values())).sizes()))
    more = ", classes = 2" if dataset.kind == "classification" else ""
    text = f"task {dataset.kind} on shape({shape}{more})\nnetwork {{ {network} }}\n"
    space = nasdsl.parse(text)
    space = space.with_task(dataset.shapes, dataset.outputs)
    return plan_of(space.decided(space.sample(0)))


RATES = (1e-3, 3e-3, 5e-4)


def adamw(place: int) -> dict[str, Any]:
    return {"optimizer": Spec("adamw", {"lr": RATES[place], "weight_decay": 0.01 * place})}


def sgd(place: int) -> dict[str, Any]:
    return {
        "optimizer": Spec("sgd", {"lr": 10 * RATES[place], "momentum": 0.3 * place, "nesterov": place == 2})
    }


def rmsprop(place: int) -> dict[str, Any]:
    return {"optimizer": Spec("rmsprop", {"lr": RATES[place] / 3})}


def same_for_all(place: int) -> dict[str, Any]:
    return {"optimizer": Spec("adam", {"lr": 1e-3}), "schedule": Spec("cosine", {"warmup": 0.1})}


def regularized(place: int) -> dict[str, Any]:
    return {
        **adamw(place),
        "schedule": Spec("cosine", {"warmup": 0.1 * place}),
        "label_smoothing": Spec("label_smoothing", {"rate": 0.05 * place}),
        "clip": 0.5 + place,
        **({"mixup": Spec("mixup", {"alpha": 0.2})} if place else {}),
    }


def compare(
    dataset: Dataset,
    network: str,
    settings: Callable[[int], dict[str, Any]],
    order: int | None = None,
    n: int = 3,
) -> None:
    plan = planned(dataset, network)
    asked = [{"epochs": 6, "batch_size": 16, **settings(place)} for place in range(n)]
    alone = [build(plan, seed=place) for place in range(n)]
    expected = [
        train(module, plan, one, dataset, place, order=order)
        for place, (module, one) in enumerate(zip(alone, asked, strict=True))
    ]
    members = [Candidate(build(plan, seed=place), one, place, order) for place, one in enumerate(asked)]
    found = dict(train_group(members, plan, dataset))
    x = torch.randn(64, *next(iter(dataset.shapes.values())).sizes())
    for place, one in enumerate(expected):
        mine = found[place]
        assert isinstance(mine, Trained)
        logits = alone[place].eval()(x), members[place].module.eval()(x)
        assert torch.allclose(*logits, atol=1e-4), (place, (logits[0] - logits[1]).abs().max())
        for a, b in zip(mine.curve, one.curve, strict=True):
            assert a == pytest.approx(b, abs=2e-3)
        assert mine.state_dict.keys() == one.state_dict.keys()
        assert all(tensor.is_contiguous() for tensor in mine.state_dict.values())


@pytest.mark.parametrize("settings", [adamw, sgd, rmsprop, same_for_all, regularized])
@pytest.mark.parametrize("order", [None, 7], ids=["own", "shared"])
def test_dense_networks(settings: Callable[[int], dict[str, Any]], order: int | None) -> None:
    compare(data((12,)), DENSE.removeprefix("flatten; "), settings, order)


@pytest.mark.parametrize("network", [MAPS, DENSE], ids=["maps", "flat"])
@pytest.mark.parametrize("order", [None, 7], ids=["own", "shared"])
def test_images(network: str, order: int | None) -> None:
    compare(data((2, 6, 6)), network, adamw, order)


@pytest.mark.parametrize("order", [None, 7], ids=["own", "shared"])
def test_sequences(order: int | None) -> None:
    compare(data((1, 20)), SEQUENCE, sgd, order)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_numbers(loss: str) -> None:
    compare(
        data((12,), "regression"), DENSE.removeprefix("flatten; "), lambda k: {**adamw(k), "loss": Spec(loss)}
    )


def test_folds_of_one_candidate() -> None:
    dataset = data((12,))
    rows = np.arange(200)
    folds = tuple(
        replace(dataset.folds[0], train=rows[rows % 4 != k], valid=rows[rows % 4 == k]) for k in range(4)
    )
    dataset = replace(dataset, folds=folds)
    compare(dataset, DENSE.removeprefix("flatten; "), adamw, n=2)


def test_a_member_that_is_stopped_leaves_and_the_others_do_not_notice() -> None:
    dataset = data((12,))
    plan = planned(dataset, DENSE.removeprefix("flatten; "))
    settings = {"epochs": 5, "batch_size": 32}

    def members() -> list[Candidate]:
        return [Candidate(build(plan, seed=k), {**settings, **adamw(k)}, k) for k in range(3)]

    alone = [train(m.module, plan, m.settings, dataset, m.seed) for m in members()]
    order: list[int] = []
    group = members()
    found = {}
    for place, one in train_group(
        group, plan, dataset, on_epoch=lambda place, epoch, _: (place, epoch) != (1, 2)
    ):
        order.append(place)
        found[place] = one
    assert order == [1, 0, 2]
    assert len(found[1].curve) == 2 and found[1].measures == pytest.approx(
        {k: v for k, v in alone[1].curve[1].items() if k not in ("step", "train_loss")}, abs=1e-3
    )
    for place in (0, 2):
        for name, tensor in alone[place].state_dict.items():
            assert torch.allclose(found[place].state_dict[name], tensor, atol=1e-4), name


def test_a_member_that_diverges_ends_alone() -> None:
    dataset = data((12,), "regression")
    plan = planned(dataset, "linear(16); relu; linear(outputs)")
    rates = (0.01, 1e20, 0.02)
    members = [
        Candidate(build(plan, seed=k), {"epochs": 3, "optimizer": Spec("sgd", {"lr": rate})}, k)
        for k, rate in enumerate(rates)
    ]
    found = dict(train_group(members, plan, dataset))
    assert isinstance(found[1], Diverged) and isinstance(found[0], Trained) and isinstance(found[2], Trained)


def test_what_cannot_train_together_is_refused_before_the_first_step() -> None:
    dataset = data((1, 20))
    plan = planned(dataset, "gru(8); flatten; linear(outputs)")
    members = [Candidate(build(plan, seed=k), {"epochs": 1}, k) for k in range(2)]
    with pytest.raises(Unfusable, match="Recurrent does not fuse"):
        next(train_group(members, plan, dataset))
    plan = planned(data((12,)), "linear(outputs)")
    members = [Candidate(build(plan), {"epochs": 1, "batch_size": 16 * (k + 1)}, k) for k in range(2)]
    with pytest.raises(Unfusable, match="batch sizes"):
        next(train_group(members, plan, data((12,))))


def test_a_batch_norm_over_one_sample_is_refused_as_alone() -> None:
    dataset = data((12,))
    plan = planned(dataset, "linear(8); batch_norm; linear(outputs)")
    members = [Candidate(build(plan, seed=k), {"epochs": 1, "batch_size": 1}, k) for k in range(2)]
    with pytest.raises(DataError, match="batch of one sample"):
        next(train_group(members, plan, dataset))
