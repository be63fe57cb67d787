"""The hooks that modules offer to a training, and the groups that an optimizer gets."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from compiler.hooks import Hooks, parameter_groups, rate_factors


class Noting(nn.Module):
    """Writes down what it is told."""

    def __init__(self, told: list[object]) -> None:
        super().__init__()
        self.told = told
        self.scale = nn.Parameter(torch.ones(2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.scale

    def auxiliary_loss(self) -> Tensor:
        return 0.5 * self.scale.sum()

    def set_progress(self, step: int, total: int) -> None:
        self.told.append(("progress", step, total))

    def after_step(self) -> None:
        self.told.append("step")

    @staticmethod
    def after_backward(members: list[Noting], forward) -> None:
        members[0].told.append(("backward", len(members), forward()))


class Doubled(nn.Module):
    def __init__(self, decay_on: str) -> None:
        super().__init__()
        self.decay_on = decay_on
        self.matrix = nn.Parameter(torch.ones(3, 3))

    def forward(self, weight: Tensor) -> Tensor:
        return weight * 2


def test_every_hook_of_every_module_is_called() -> None:
    told: list[object] = []
    hooks = Hooks(nn.Sequential(Noting(told), nn.ReLU(), Noting(told)))
    assert hooks
    hooks.set_progress(3, 10)
    hooks.after_backward(lambda: "outputs")
    hooks.after_step()
    assert told == [("progress", 3, 10)] * 2 + [("backward", 2, "outputs")] + ["step"] * 2
    assert hooks.auxiliary_loss().item() == 4.0


def test_a_plain_network_has_no_hooks() -> None:
    hooks = Hooks(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))
    assert not hooks
    assert hooks.auxiliary_loss() is None


def test_biases_and_frozen_tensors_do_not_decay() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1))
    module[0].weight.requires_grad_(False)
    decayed, rest = parameter_groups(module, 0.1)
    assert decayed == {"params": [module[2].weight], "weight_decay": 0.1}
    assert [t.shape for t in rest["params"]] == [(3,), (3,), (3,), (1,)]
    assert rest["weight_decay"] == 0.0


def test_a_parametrization_says_what_decays() -> None:
    module = nn.Linear(3, 3, bias=False)
    parametrize.register_parametrization(module, "weight", Doubled("original"))
    (decayed,) = parameter_groups(module, 0.1)
    assert len(decayed["params"]) == 2
    parametrize.register_parametrization(module, "weight", Doubled("none"))
    decayed, rest = parameter_groups(module, 0.1)
    first, second = module.parametrizations.weight
    assert [id(t) for t in decayed["params"]] == [id(first.matrix)]
    assert {id(t) for t in rest["params"]} == {id(module.parametrizations.weight.original), id(second.matrix)}


def test_effective_decay_is_handed_to_the_parametrization() -> None:
    module = nn.Linear(3, 3, bias=False)
    parametrize.register_parametrization(module, "weight", Doubled("effective"))
    (rest,) = parameter_groups(module, 0.25)
    assert rest["weight_decay"] == 0.0
    assert module.parametrizations.weight[0].effective_decay == 0.25


def test_a_shared_tensor_comes_once() -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    decayed, _ = parameter_groups(nn.Sequential(first, second), 0.1)
    assert len(decayed["params"]) == 1


def test_a_module_asks_for_a_share_of_the_rate_for_what_is_its_own() -> None:
    module = nn.Sequential(Noting([]), nn.Linear(2, 2))
    assert rate_factors(module) == {}
    module[0].rate_factor = 0.1
    assert rate_factors(module) == {id(module[0].scale): 0.1}
