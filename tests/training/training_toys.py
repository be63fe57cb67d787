"""Small data and networks that the tests of training share."""

import numpy as np
import torch
from torch import nn

from compiler.plan import Plan
from nasdsl.language.network import Spec, Task
from nasdsl.training import UserData, open_data, train


def plan_for(data):
    inputs = {name: shape.sizes() for name, shape in data.shapes.items()}
    return Plan((), inputs, dict.fromkeys(data.targets, "last"), 0, 0, 0, 0, 0, 0, "")


def arrays(kind, x, y):
    return open_data(Task(kind, None, {}, 1), None, UserData.from_arrays((x, y)))


def rows(n=200, seed=0):
    """Two features; the class is the sign of their sum."""
    x = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)
    return x, (x.sum(1) > 0).astype(int)


def mlp(outputs=2, dropout=0.0, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, outputs))


def cnn(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # No bias before a norm: its gradient is rounding, which Adam would blow up.
        body = (
            nn.Conv2d(2, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
        )
        return nn.Sequential(*body, nn.Flatten(), nn.Linear(8, 2))


FAST = {"optimizer": Spec("adamw", {"lr": 0.01}), "epochs": 8, "batch_size": 16}


def run(module, data, settings, seed=0, **options):
    return train(module, plan_for(data), settings, data, seed, **options)


def same(a, b):
    return all(torch.equal(a.state_dict[name], b.state_dict[name]) for name in a.state_dict)
