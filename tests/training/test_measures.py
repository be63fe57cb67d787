"""Measures of features: laws they must obey, by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import nasdsl
from nasdsl.language.network import Spec
from nasdsl.training import open_data
from nasdsl.training.losses import measured_loss
from nasdsl.training.measures import nc1, rankme
from nasdsl.training.measuring import measured
from nasdsl.training.resident import resident

NONE = torch.zeros(0)


@given(st.integers(1, 6), st.integers(6, 30), st.integers(6, 30))
def test_rankme_of_equal_singular_values_is_the_rank(rank: int, n: int, k: int) -> None:
    chance = torch.Generator().manual_seed(rank)
    left = torch.linalg.qr(torch.randn((n, rank), generator=chance, dtype=torch.float64)).Q
    right = torch.linalg.qr(torch.randn((k, rank), generator=chance, dtype=torch.float64)).Q
    assert rankme(left @ right.T, NONE) == pytest.approx(rank, rel=1e-3)
    assert rankme(7 * left @ right.T, NONE) == pytest.approx(rank, rel=1e-3)


def test_rankme_by_hand_and_of_nothing() -> None:
    # Singular values 3 and 1: shares 3/4 and 1/4.
    expected = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert rankme(torch.diag(torch.tensor([3.0, 1.0])), NONE) == pytest.approx(expected, rel=1e-6)
    assert rankme(torch.zeros(4, 3), NONE) == 0


def test_nc1_is_zero_where_classes_have_collapsed() -> None:
    target = torch.tensor([0, 1, 2, 0, 1, 2])
    means = torch.eye(3)[target]
    assert nc1(means, target) == 0
    assert nc1(torch.ones(6, 3), target) == math.inf


@given(st.integers(0, 50), st.floats(0.01, 100))
def test_nc1_equals_traces_of_covariances_and_knows_no_scale(seed: int, scale: float) -> None:
    chance = torch.Generator().manual_seed(seed)
    h, target = torch.randn((20, 4), generator=chance, dtype=torch.float64), torch.arange(20) % 3
    groups = [h[target == c] for c in range(3)]
    within = torch.stack([torch.cov(g.T, correction=0) for g in groups]).mean(0).trace()
    means = torch.stack([g.mean(0) for g in groups])
    between = torch.cov(means.T, correction=0).trace()
    assert nc1(scale * h, target) == pytest.approx(float(within / between), rel=1e-6)


def test_features_are_what_the_last_layer_takes() -> None:
    space = nasdsl.parse(
        "task classification on digits\nnetwork { flatten; linear(5); relu; linear(outputs) }"
    )
    assert space.task is not None
    data = open_data(space.task, Path())
    module = nasdsl.build(space, space.sample(0), seed=0)
    prepared, rows = resident(data, 0, torch.device("cpu")), torch.arange(1200)
    loss = measured_loss({"loss": Spec("cross_entropy", {"weights": "none"})}, "classification")
    found = measured(module, prepared, rows, "classification", loss, ("rankme", "nc1"))
    batch = prepared.batch(rows)
    with torch.no_grad():
        hidden = next(one for one in module.modules() if isinstance(one, torch.nn.Linear))
        features = hidden(batch.inputs["input"].flatten(1)).relu()
    assert found["rankme"] == pytest.approx(rankme(features, NONE), rel=1e-4)
    assert found["nc1"] == pytest.approx(nc1(features, batch.targets["output"]), rel=1e-4)
    assert 0 < found["accuracy"] < 1
