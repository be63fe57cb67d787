"""The share of channels that gates leave on, as a measure of every training and as an objective."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import nasdsl
from compiler.build import build
from compiler.hooks import watching
from compiler.modules import Gate
from nasdsl.engine.report import report_html
from nasdsl.engine.tables import record_line
from nasdsl.training import train
from nasdsl.training.opening import open_data

GATED = """task classification on digits
network {
    conv2d(4)
    gated: (one: gate(0.6) { conv2d(6); relu }) | (plain: { conv2d(6); relu })
    global_avg_pool
    linear(outputs)
}
train { optimizer = sgd(lr = 0.3, momentum = 0.9); batch_size = 64; epochs = 2 }
maximize accuracy
"""


def space(more: str = "") -> nasdsl.Space:
    return nasdsl.parse(GATED + more)


def test_it_is_the_mean_over_samples_channels_and_gates_in_evaluation() -> None:
    module = torch.nn.ModuleList([Gate(4, 6, 0.7, decoupled=True), Gate(4, 2, 0.7, decoupled=True)]).eval()
    with torch.no_grad():
        module[0].predict.weight.zero_()
        module[0].predict.bias.copy_(torch.tensor([1.0, -1, -1, -1, -1, 1]))
    x = torch.randn(5, 4)
    with watching(module) as seen:
        module[0](x, torch.ones(5, 6))
        module[1](x, torch.ones(5, 2))
    assert seen.means() == {"open_channels": pytest.approx((2 + 2) / 8)}
    module[0](x, torch.ones(5, 6))
    assert seen.means() == {"open_channels": pytest.approx(4 / 8)}, "nothing is heard after the end"


def test_every_epoch_of_a_gated_training_says_it() -> None:
    found = space()
    point = nasdsl.Point({"network/gated": "one"})
    plan, data = nasdsl.plan(found, point), open_data(found.task, Path())
    trained = train(build(plan, 0), plan, found.decided(point).settings, data, 0)
    shares = [entry["open_channels"] for entry in trained.curve]
    assert len(shares) == 2 and all(0 < share <= 1 for share in shares)
    assert trained.measures["open_channels"] == shares[-1]


def test_it_stands_in_the_record_and_may_be_an_objective(tmp_path: Path) -> None:
    run = nasdsl.search(
        space("minimize open_channels\n"), searcher="grid", budget=2, workers=1, run=tmp_path / "run"
    )
    shares = {r.point["network/gated"]: r.measures["open_channels"] for r in run.records}
    assert shares["plain"] == 1.0
    assert 0 < shares["one"] < 1.0
    line = record_line(next(r for r in run.records if r.point["network/gated"] == "one"), run.goals)
    assert re.search(r"accuracy 0\.\d+, open_channels 0\.\d+", line)
    assert "open_channels" in report_html(run)
