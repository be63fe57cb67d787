"""Activations by the limit of wide and deep networks: constants by quadrature, classes, and the one that is asked for."""

import math

import pytest
import torch
from torch import nn

import nasdsl
from compiler.modules import Polynomial
from nasdsl.cli import main
from nasdsl.language.wide_and_deep import ACTIVATIONS, coefficients, limit, polynomial, powers

MODULES = {
    "relu": nn.ReLU(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "leaky_relu": nn.LeakyReLU(),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "mish": nn.Mish(),
    "softplus": nn.Softplus(),
    "softsign": nn.Softsign(),
    "relu6": nn.ReLU6(),
    "hard_swish": nn.Hardswish(),
    "hard_sigmoid": nn.Hardsigmoid(),
    "hard_tanh": nn.Hardtanh(),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_functions_are_those_of_torch(name):
    x = torch.linspace(-9, 9, 91, dtype=torch.float64)
    mine = torch.tensor([ACTIVATIONS[name](float(one)) for one in x], dtype=torch.float64)
    torch.testing.assert_close(mine, MODULES[name](x), atol=1e-9, rtol=1e-7)


def test_constants_of_relu_are_known_in_closed_form():
    """E[relu^2] = 1/2, E[relu] = 1 / sqrt(2 pi), E[relu'] = 1/2, all over sqrt(1/2)."""
    found = limit(ACTIVATIONS["relu"])
    assert found.a == pytest.approx(1 / math.sqrt(math.pi), abs=1e-4)
    assert found.a_slope == pytest.approx(math.sqrt(1 / 2), abs=1e-4)
    assert found.b_slope == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("phi", "said"),
    [
        (lambda x: max(x, 0.0), "a majority vote"),
        (lambda x: x * x - 1, "the nearest neighbour"),
        (lambda x: x, "a linear map"),
        (polynomial(3), "a singular kernel of order 3"),
    ],
)
def test_each_class_of_the_trichotomy(phi, said):
    assert str(limit(phi)) == said


@pytest.mark.parametrize("alpha", [1, 1.3, 2, 3, 7.5, 30])
def test_the_activation_has_the_constants_that_its_order_asks_for(alpha):
    found = limit(polynomial(alpha))
    assert found.order == pytest.approx(alpha, rel=1e-2)
    assert (found.a, found.b_slope) == (pytest.approx(0, abs=1e-6), pytest.approx(2, rel=1e-3))
    assert found.a_slope == pytest.approx(2 ** (-alpha / 4), rel=1e-4)
    assert sum(c * c for c in coefficients(alpha).values()) == pytest.approx(1)


def test_the_module_is_the_polynomial_and_keeps_the_size_of_normal_inputs():
    phi, module = polynomial(5), Polynomial(powers(5))
    x = torch.linspace(-3, 3, 31)
    torch.testing.assert_close(module(x), torch.tensor([phi(float(one)) for one in x]), atol=1e-5, rtol=1e-5)
    z = module(torch.randn(200_000, generator=torch.Generator().manual_seed(0)))
    assert float(z.square().mean()) == pytest.approx(1, abs=0.05)
    assert float(z.mean()) == pytest.approx(0, abs=0.01)


def test_check_names_the_class_of_each_activation_beside_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "task classification on digits\nnetwork { flatten; linear(8); batch_norm; act: relu | tanh | singular_kernel(2..8); linear(outputs) }\n"
    (tmp_path / "a.space").write_text(text)
    assert main(["check", "a.space"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "a.space: no problems",
        "  shapes: every network fits, proved for all points",
        "  `singular_kernel(alpha)`, wide and deep: a singular kernel of order alpha",
        "  `relu`, wide and deep: a majority vote",
        "  `tanh`, wide and deep: a singular kernel of order 0.881",
    ]
    (tmp_path / "a.space").write_text(text.replace(" | singular_kernel(2..8)", ""))
    assert main(["check", "a.space"]) == 0
    assert capsys.readouterr().out.splitlines() == out[:2]


def test_its_order_is_at_least_one_and_must_be_given():
    for body, said in (("singular_kernel(0.5)", "from 1|at least 1"), ("singular_kernel", "needs `alpha`")):
        with pytest.raises(nasdsl.SpaceError, match=said):
            nasdsl.parse(f"task classification on wine\nnetwork {{ {body}; linear(outputs) }}")
