"""Any two methods of training together: they train to finite numbers, or the check of the space says why they do not."""

import math
from itertools import combinations

import pytest
import torch

import nasdsl
from compiler.build import build
from compiler.plan import plan_of
from nasdsl.language.network import Task
from nasdsl.training import UserData, open_data, train

# By the setting that they are values of, "" where they stand alone.
METHODS = {
    "": [
        "mixup",
        "adamixup",
        "cutmix",
        "label_smoothing",
        "drop_path",
        "dropout(0.2, from = 0%)",
        "elr",
        "ps_kd",
        "pela",
        *(f"anchor({kind})" for kind in ("l2", "ewc", "distill")),
        *(f"augment {{ {name} }}" for name in ("flip", "crop", "noise", "erase", "jitter")),
    ],
    "optimizer = ": ["sgd(lr = 0.01, momentum = 0.9)", "adam", "adamw", "rmsprop", "lion", "muon"],
    "schedule = ": [
        "cosine(warmup = 20%)",
        "wsd",
        "power",
        "plateau(patience = 1)",
        *(f"hypergradient({kind})" for kind in ("sgd", "adam")),
    ],
    "loss = ": ["cross_entropy(weights = balanced)", "focal"],
    "until = ": [
        "steps(5)",
        "tokens(40)",
        "patience(1)",
        "loss(0.1)",
        "interpolation",
        "seconds(20)",
        "epochs(1)",
    ],
    "data = ": [f"subset(by = {by}, after = 1)" for by in ("el2n", "grand", "random")],
    "tune = ": ["half(2)", "head"],
    "scale = ": ["mup(base = 4)"],
    "precision = ": ["bf16"],
    "prepare = ": ["quantile"],
    "init = ": ["kaiming", "critical", "orthogonal"],
    "average = ": ["50%"],
    "clip = ": ["0.5"],
    "weight_decay = ": ["0.1"],
    "lr = ": ["step_law"],
}
LINES = [(setting, f"{setting}{value}") for setting, values in METHODS.items() for value in values]
PAIRS = [(a, b) for (s, a), (t, b) in combinations(LINES, 2) if s != t or not s]


def space_of(lines):
    text = (
        "task classification on shape(2, 6, 6, classes = 3)\nnetwork { residual { conv2d(4, weight = low_rank(2)); "
        "batch_norm; relu }; flatten; linear(8); relu; linear(outputs) }\ntrain {\nbatch_size = 8; epochs = 2\n"
    )
    return nasdsl.parse(text + "\n".join(lines) + "\n}")


@pytest.fixture(scope="module")
def maps():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 2, 6, 6, generator=generator).numpy()
    y = (x.mean((1, 2, 3)) * 12).round().clip(-1, 1).astype(int)
    return open_data(Task("classification", None, {}, 1), None, UserData.from_arrays((x, y)))


def said(lines):
    """What is wrong with them, or None where nothing is."""
    try:
        return space_of(lines)
    except nasdsl.SpaceError as error:
        assert "help:" in str(error)
        return None


def trained(space, data):
    decided = space.decided(space.sample(seed=0))
    plan = plan_of(decided)
    return train(build(plan, seed=0), plan, decided.settings, data, 0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("pair", PAIRS[::23], ids=" + ".join)
def test_a_pair_trains_or_is_refused(pair, maps):
    _hold(pair, maps)


# Pairs that once failed in a training, or ought to be known of before it.
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("pair", "refused"),
    [
        (("adamixup", "average = 50%"), False),
        (("anchor(l2)", "tune = half(2)"), False),
        (("anchor(ewc)", "tune = half(2)"), False),
        (("pela", "init = kaiming"), True),
        (("pela", "init = default | kaiming"), True),
        (("optimizer = sgd | adam", "schedule = hypergradient(adam | sgd)"), True),
        (("elr", "label_smoothing"), True),
    ],
)
def test_pairs_that_failed_before(pair, refused, maps):
    assert (said(pair) is None) is refused
    _hold(pair, maps)


TASKS = {
    "regression": ("shape(2, 6, 6)", "flatten; linear(outputs)"),
    "multilabel": ("shape(2, 6, 6, classes = 3)", "flatten; linear(outputs)"),
    "segmentation": ("shape(2, 6, 6, classes = 3)", "conv2d(outputs)"),
    "next_token": ("shape(8, classes = 256)", "token_embedding(8); linear(outputs)"),
}


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        (
            "regression multilabel segmentation next_token",
            "elr; ps_kd; adamixup; anchor(ewc); data = subset(by = el2n)",
        ),
        ("regression multilabel segmentation next_token", "data = subset(by = random | grand)"),
        ("regression multilabel", "until = interpolation; label_smoothing; loss = focal"),
        ("regression multilabel next_token", "loss = cross_entropy(weights = none | balanced)"),
        ("segmentation next_token", "mixup; cutmix"),
        ("next_token", "augment { noise }; augment { jitter }; augment { flip }"),
    ],
)
def test_what_does_not_fit_a_task_is_known_before_training(kind, lines):
    for one, line in ((one, line) for one in kind.split() for line in lines.split("; ")):
        data, network = TASKS[one]
        with pytest.raises(nasdsl.SpaceError, match=r"error\[misfit\](?s:.*)help: "):
            nasdsl.parse(f"task {one} on {data}\nnetwork {{ {network} }}\ntrain {{ {line} }}")


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_every_pair_trains_or_is_refused(maps):
    for pair in PAIRS:
        _hold(pair, maps)


def _hold(pair, maps):
    space = said(pair)
    if space is not None:
        found = trained(space, maps)
        assert all(math.isfinite(value) for value in found.measures.values()), pair
