"""Every row of `train { }` as a decision: with ranges for its numbers, in alternatives, after `?`; and in a fused training."""

import math
from itertools import product

import pytest
import torch
from training_toys import arrays, rows

import nasdsl
from compiler.build import build
from compiler.plan import plan_of
from nasdsl.language.network import Spec, Task
from nasdsl.language.signatures.table import STOPS, TRAINING
from nasdsl.training import UserData, open_data, train
from nasdsl.training.fused.forms import Unfusable
from nasdsl.training.fused.train import Candidate, train_group

SETTING_OF = {
    "optimizer": "optimizer",
    "schedule": "schedule",
    "loss": "loss",
    "stop": "until",
    "selection": "data",
    "policy": "tune",
    "scale": "scale",
}
NUMBERS = ("mse", "mae", "huber")
MUST = {"count": "2..3", "value": "1.0..2.0", "additive": "1e-8..1e-6 log"}  # arguments without a default
PLAIN = """residual { conv2d(4); relu }; flatten; linear(8); relu; linear(outputs)"""
LOW_RANK = """residual { conv2d(4, weight = low_rank(2)); relu }; flatten; linear(8); relu; linear(outputs)"""
CALLS = [
    row
    for row in (*TRAINING.values(), *STOPS.values())
    if not row.later and row.group in (*SETTING_OF, "regularizer", "augment") and row.name != "augment"
]
SETTINGS = {
    "batch_size": "8 | 16",
    "epochs": "1..2",
    "weight_decay": "0.01..0.1 log",
    "clip": "0.5..2.0 log",
    "precision": "fp32 | bf16",
    "average": "0.2..0.5",
    "prepare": "standardize | quantile",
    "lr": "step_law * (0.5..2.0) | 0.01..0.1",
    "init": "default | kaiming | critical | orthogonal",
}


def argument(one):
    """What stands for an argument: a range around its default, or all that it can be."""
    kind = one.kind
    match kind.type:
        case "name":
            return " | ".join(kind.options)
        case "bool":
            return "yes | no"
        case "int":
            return (
                MUST.get(one.name)
                or f"{max(one.default, kind.low or 0)}..{max(one.default, kind.low or 0) + 1}"
            )
        case _:
            if one.default is None:
                return MUST[one.name]
            if one.default < 0:
                return f"{1.5 * one.default}..{one.default}"
            high = 1.0 if kind.high is None else kind.high
            return (
                f"{one.default / 2}..{min(max(1.5 * one.default, one.default + 0.1), max(high, one.default))}"
            )


def call(row):
    return (
        f"{row.name}({', '.join(f'{a.name} = {argument(a)}' for a in row.arguments)})"
        if row.arguments
        else row.name
    )


def statement(row):
    if row.group == "augment":
        return f"augment {{ {call(row)}? }}"
    if row.group == "regularizer":
        return f"{call(row)}?"
    other = {
        "loss": "mse" if row.name in NUMBERS else "cross_entropy",
        "optimizer": "adamw",
        "schedule": "constant",
    }
    return (
        f"{SETTING_OF[row.group]} = {call(row)} | {other[row.group]}"
        if row.group in other
        else f"{SETTING_OF[row.group]} = {call(row)}?"
    )


def space_of(statement, kind="classification", network=PLAIN, shape="2, 6, 6"):
    classes = ", classes = 2" if kind == "classification" else ""
    network = network if shape != "2" else "linear(8); relu; linear(outputs)"
    text = f"task {kind} on shape({shape}{classes})\nnetwork {{ {network} }}\ntrain {{\n{statement}\n}}"
    return nasdsl.parse(text)


@pytest.fixture(scope="module")
def maps():
    """Inputs (2, 6, 6) by kind of task, few of them."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 2, 6, 6, generator=generator).numpy()
    score = x.mean((1, 2, 3))
    y = {"classification": (score > 0).astype(int), "regression": score}
    return {kind: open_data(Task(kind, None, {}, 1), None, UserData.from_arrays((x, y[kind]))) for kind in y}


def points(space, row):
    """One that has the method, and one that has not where that can be."""
    found = list(dict.fromkeys(space.sample(seed) for seed in range(12)))
    having = [p for p in found if _has(space.decided(p).settings, row)]
    assert having, "no point of twelve has the method"
    others = [p for p in found if p not in having]
    return [having[0], having[-1], *others[:1]]


def _has(settings, row):
    if row.group in ("regularizer", "augment"):
        return row.name in settings
    value = settings.get(SETTING_OF[row.group])
    return getattr(value, "name", value) == row.name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("row", CALLS, ids=lambda row: f"{row.group}-{row.name}")
def test_a_method_is_a_decision_and_trains(row, maps):
    kind = "regression" if row.name in NUMBERS else "classification"
    network = LOW_RANK if row.name == "pela" else PLAIN
    space = space_of(statement(row) + "\nepochs = 2; batch_size = 8", kind, network)
    if row.name == "epochs":
        space = space_of(statement(row) + "\nbatch_size = 8", kind, network)
    assert space.count() >= 2 or row.name == "epochs"
    for point in points(space, row):
        decided = space.decided(point)
        plan = plan_of(decided)
        trained = train(build(plan, seed=0), plan, decided.settings, maps[kind], 0, epochs=2)
        assert all(math.isfinite(value) for value in trained.measures.values()), point


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_a_decision_and_trains(name):
    data = arrays("classification", *rows(60))
    space = space_of(f"{name} = {SETTINGS[name]}", shape="2")
    assert len({space.sample(seed) for seed in range(8)}) >= 2
    for seed in range(3):
        decided = space.decided(space.sample(seed))
        plan = plan_of(decided)
        trained = train(build(plan, seed=0), plan, decided.settings, data, 0, epochs=2)
        assert all(math.isfinite(value) for value in trained.measures.values())


def test_every_setting_is_tried():
    called = set(SETTING_OF.values())
    working = {row.name for row in TRAINING.values() if row.group == "setting" and not row.later}
    assert working - called == set(SETTINGS)


@pytest.mark.parametrize("row", CALLS, ids=lambda row: f"{row.group}-{row.name}")
def test_fused_it_ends_where_it_would_alone_or_says_that_it_does_not_fuse(row, maps):
    kind = "regression" if row.name in NUMBERS else "classification"
    network = LOW_RANK if row.name == "pela" else PLAIN
    space = space_of(statement(row) + "\nbatch_size = 8", kind, network)
    decided = space.decided(points(space, row)[0])
    plan, settings = plan_of(decided), decided.settings
    alone = [train(build(plan, seed=s), plan, settings, maps[kind], s, epochs=2) for s in (0, 1)]
    members = [Candidate(build(plan, seed=s), settings, s) for s in (0, 1)]
    try:
        together = dict(train_group(members, plan, maps[kind], epochs=2))
    except Unfusable as error:
        assert str(error)
        assert row.name not in FUSES
        return
    assert row.name in FUSES
    for place, one in product((0, 1), ("loss",)):
        assert together[place].measures[one] == pytest.approx(alone[place].measures[one], rel=2e-3, abs=2e-3)


def test_fused_each_network_falls_by_its_own_plateaus(maps):
    """Rates too high for one member only: after the first rise its own rate is zero, and the other goes on."""
    space = space_of("batch_size = 8; optimizer = sgd(lr = 0.05 | 5, momentum = 0.9)")
    plan = plan_of(space.decided(space.sample(seed=0)))
    schedule = Spec("plateau", {"factor": 0.0, "patience": 1})
    settings = [
        {"batch_size": 8, "optimizer": Spec("sgd", {"lr": lr, "momentum": 0.9}), "schedule": schedule}
        for lr in (0.001, 0.2)
    ]
    members = [Candidate(build(plan, seed=s), one, s) for s, one in enumerate(settings)]
    together = dict(train_group(members, plan, maps["classification"], epochs=8))
    for seed, one in enumerate(settings):
        alone = train(build(plan, seed=seed), plan, one, maps["classification"], seed, epochs=8)
        curves = [[row["loss"] for row in found.curve] for found in (alone, together[seed])]
        assert curves[1] == pytest.approx(curves[0], rel=5e-3)
    calm, wild = ([row["loss"] for row in together[place].curve] for place in (0, 1))
    fell = next(i for i in range(1, 8) if wild[i] >= wild[i - 1])
    assert len(set(wild[fell + 1 :])) <= 1  # its rate is zero
    assert calm[-1] != calm[-2]


# What acts on a group of networks as on one; all others train alone, and the run says so.
FUSES = frozenset(
    [
        "sgd",
        "adam",
        "adamw",
        "rmsprop",
        "constant",
        "cosine",
        "wsd",
        "power",
        "plateau",
        "cross_entropy",
        "focal",
        "mse",
        "mae",
        "huber",
        "mixup",
        "label_smoothing",
        "all",
    ]
)
