"""Experts to which the data send each sample: `widen(…, route = enforced)` on `csv(…, route = "…")`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import nasdsl
from nasdsl.training import Dataset
from nasdsl.training.opening import open_data
from nasdsl.training.resident import resident

SHOPS = ("north", "south")


def rows(n: int = 240) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, the shop of each, and classes by a rule that is the opposite in the other shop."""
    rng = np.random.default_rng(0)
    x, shop = rng.normal(size=(n, 2)).astype(np.float32), rng.integers(2, size=n)
    return x, shop, ((x[:, 0] > 0) ^ (shop == 1)).astype(np.int64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    x, shop, y = rows()
    lines = [f"{a},{b},{SHOPS[s]},{c}" for (a, b), s, c in zip(x.tolist(), shop, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,shop,y", *lines]))
    np.savez(tmp_path / "t.npz", X=x, y=y, shop=shop)
    return tmp_path


def space(
    folder: Path,
    body: str = "widen(experts = 2, route = enforced) { mlp(8) }",
    on: str = "",
    train: str = "",
    epochs: int = 2,
) -> nasdsl.Space:
    on = on or 'csv("t.csv", target = "y", route = "shop")'
    (folder / "s.space").write_text(
        f"task classification on {on}\nnetwork {{ {body}; linear(outputs) }}\n"
        f"train {{ optimizer = adam(lr = 0.03); epochs = {epochs}; {train} }}\nmaximize accuracy\n"
    )
    return nasdsl.load(folder / "s.space")


def test_a_rule_that_differs_by_domain_is_learned_by_its_experts_alone(folder: Path) -> None:
    def reached(body: str) -> float:
        run = nasdsl.search(
            space(folder, body, epochs=15),
            searcher="random",
            budget=1,
            workers=1,
            run=folder / f"run{len(body)}",
        )
        assert run.records[0].error is None
        return run.records[0].measures["accuracy"]

    assert reached("widen(experts = 2, route = enforced) { mlp(8) }") > 0.9
    assert reached("mlp(8)") < 0.7, "the shop is no input"


@pytest.mark.parametrize("on", ['csv("t.csv", target = "y", route = "shop")', 'npz("t.npz", route = "shop")'])
def test_the_routes_of_a_file_go_with_their_rows(folder: Path, on: str) -> None:
    x, shop, _ = rows()
    data = open_data(space(folder, "flatten; linear(4)", on).task, folder)
    assert data.inputs["input"].shape == x.shape and "shop" not in data.features
    assert data.routes is not None and (data.routes == shop).all()
    data.save(folder / "saved")
    again = Dataset.open(folder / "saved")
    assert (again.routes == data.routes).all() and again.route_names == data.route_names
    batch = resident(again, 0, torch.device("cpu")).batch(torch.tensor([7, 3, 90]))
    assert batch.route is not None and batch.route.tolist() == shop[[7, 3, 90]].tolist()


@pytest.mark.parametrize(
    "more", ["mixup(0.2)", "label_smoothing(0.1)", "ps_kd(0.8)", "augment { noise(0.1) }", "batch_size = 16"]
)
def test_routes_survive_what_changes_a_batch(folder: Path, more: str) -> None:
    run = nasdsl.search(
        space(folder, train=f"{more}"), searcher="random", budget=1, workers=1, run=folder / "run"
    )
    assert run.records[0].error is None


def test_data_without_routes_and_with_too_many_are_refused(folder: Path) -> None:
    for found, said in (
        (
            space(folder, on='csv("t.csv", target = "y")'),
            "do not say which expert of `widen`",
        ),
        (
            space(folder, "widen(experts = 1, route = enforced) { mlp(8) }"),
            "has 1 experts, and the data have the routes north, south",
        ),
    ):
        with pytest.warns(UserWarning, match="no trial succeeded"):
            run = nasdsl.search(found, searcher="random", budget=1, workers=1, run=folder / f"run{len(said)}")
        assert said in (run.records[0].error or "")


def test_proxies_and_latency_need_no_routes(folder: Path) -> None:
    found = space(folder)
    text = (
        folder / "s.space"
    ).read_text() + "minimize latency_ms\nmaximize synflow\nmaximize jacob_cov\nmaximize grad_norm\n"
    (folder / "s.space").write_text(text)
    found = nasdsl.load(folder / "s.space")
    run = nasdsl.search(found, searcher="random", budget=1, workers=1, run=folder / "run")
    assert run.records[0].error is None
    assert run.meta["test"]["measures"]["accuracy"] >= 0
