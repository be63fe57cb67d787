"""A step without torch's compiler is the step, and does not load that compiler."""

import subprocess
import sys

import pytest
import torch

import nasdsl
from nasdsl.language.network import Spec
from nasdsl.training.optimizers import optimizer
from nasdsl.training.stepping import step

OPTIMIZERS = [
    "sgd(lr = 0.1, momentum = 0.9, nesterov = yes)",
    "adam(lr = 0.01)",
    "adamw(lr = 0.01, weight_decay = 0.1)",
    "rmsprop(lr = 0.01)",
    "lion(lr = 0.01)",
    "muon(lr = 0.01)",
]

_TRAINED = """
import sys
from pathlib import Path
import nasdsl
from compiler.build import build
from compiler.plan import plan_of
from nasdsl.training import open_data, train
space = nasdsl.parse('''task classification on wine
network { linear(8); batch_norm; relu; dropout(0.1); linear(outputs) }
train { epochs = 1; optimizer = {optimizer} }
'''.replace("{optimizer}", sys.argv[1]))
data = open_data(space.task, Path("."), None)
space = space.with_task(data.shapes, data.outputs)
decided = space.decided(space.sample(0))
plan = plan_of(decided)
train(build(plan, seed=0), plan, decided.settings, data, 0)
print("torch._dynamo" in sys.modules)
"""


def _trained(spec: Spec, take) -> list[torch.Tensor]:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    made = optimizer(spec, module)
    for number in range(5):
        made.zero_grad()
        module(torch.linspace(-1, number, 12).reshape(3, 4)).square().mean().backward()
        take(made)
    return [p.detach() for p in module.parameters()]


@pytest.mark.parametrize("written", OPTIMIZERS)
def test_it_is_the_step_of_the_optimizer(written: str) -> None:
    space = nasdsl.parse(
        f"task classification on wine\nnetwork {{ linear(outputs) }}\ntrain {{ optimizer = {written} }}\n"
    )
    spec = space.decided(space.sample(0)).settings["optimizer"]
    for a, b in zip(_trained(spec, step), _trained(spec, lambda made: made.step()), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", ["adamw(lr = 0.01)", "sgd(lr = 0.01, momentum = 0.9)"])
def test_a_training_does_not_load_the_compiler_of_torch(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", _TRAINED, name], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
