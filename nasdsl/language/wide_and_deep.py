"""What a fully connected network becomes when its width and then its depth grow without end, by its activation.

Radhakrishnan, Belkin & Uhler 2023 (Wide and deep neural networks achieve consistency for classification, PNAS 120;
arXiv 2204.14126): with the activation phi normalised to E[phi(z)^2] = 1, z standard normal, and A = E[phi], A' = E[phi'],
B' = E[phi'^2], the classifier in the limit is

    the nearest neighbour     where A = 0 and A' = 0
    a majority vote           where A is not 0
    a singular kernel         where A = 0 and A' is not 0, of order alpha = -4 log A' / log B'

Only singular kernels of the order of the data's dimension classify as well as can be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from nasdsl.language import syntax as s
from nasdsl.language.node import Node

Function: TypeAlias = Callable[[float], float]

_STEP, _END = 1 / 256, 10.0  # of the sum that stands for the expectation
_ZERO = 1e-4  # what quadrature cannot tell from nothing


@dataclass(frozen=True)
class Limit:
    """The constants of an activation, and the class of its limit; order: of a singular kernel."""

    a: float
    a_slope: float
    b_slope: float
    name: str
    order: float | None = None

    def __str__(self) -> str:
        return self.name if self.order is None else f"{self.name} of order {self.order:.3g}"


def limit(phi: Function) -> Limit:
    """The limit of an activation, by quadrature."""
    points = [-_END + (k + 0.5) * _STEP for k in range(round(2 * _END / _STEP))]
    weights = [math.exp(-z * z / 2) * _STEP / math.sqrt(2 * math.pi) for z in points]
    values = [phi(z) for z in points]
    size = math.sqrt(sum(w * v * v for w, v in zip(weights, values, strict=True)))
    a = sum(w * v for w, v in zip(weights, values, strict=True)) / size
    # E[phi'(z)] = E[z phi(z)] (Stein), which needs no slope.
    a_slope = sum(w * z * v for w, z, v in zip(weights, points, values, strict=True)) / size
    slopes = [(phi(z + _STEP / 2) - phi(z - _STEP / 2)) / _STEP for z in points]
    b_slope = sum(w * s * s for w, s in zip(weights, slopes, strict=True)) / size**2
    if abs(a) > _ZERO:
        return Limit(a, a_slope, b_slope, "a majority vote")
    if abs(a_slope) <= _ZERO:
        return Limit(a, a_slope, b_slope, "the nearest neighbour")
    if b_slope <= 1 + _ZERO:  # only a line: every layer is one
        return Limit(a, a_slope, b_slope, "a linear map")
    return Limit(a, a_slope, b_slope, "a singular kernel", -4 * math.log(abs(a_slope)) / math.log(b_slope))


def coefficients(alpha: float) -> dict[int, float]:
    """Of normalised Hermite polynomials: an activation whose limit is a singular kernel of order alpha >= 1.

    The first has 2^(-alpha/4), which is A'; what the squares of the others share is chosen so that B' = 2, as in the
    paper's example: polynomials 2 and 3 from order 2 on, 3 and 7 below.
    """
    first = 2 ** (-alpha / 2)
    low, high = (2, 3) if alpha >= 2 else (3, 7)
    # first + p + q = 1 and first + low p + high q = 2, for the squares p and q.
    q = (2 - first - low * (1 - first)) / (high - low)
    p = 1 - first - q
    return {1: math.sqrt(first), low: math.sqrt(max(0.0, p)), high: math.sqrt(max(0.0, q))}


def powers(alpha: float) -> tuple[float, ...]:
    """The same activation as a polynomial: the factor of x^0, x^1, …"""
    total = [0.0] * 8
    for degree, weight in coefficients(alpha).items():
        for power, factor in enumerate(_hermite(degree)):
            total[power] += weight * factor / math.sqrt(math.factorial(degree))
    while total[-1] == 0:
        total.pop()
    return tuple(total)


def _hermite(degree: int) -> list[float]:
    """He_n as factors of powers: He_(n+1) = x He_n - n He_(n-1)."""
    before, now = [0.0], [1.0]
    for n in range(degree):
        longer = [0.0, *now]
        before, now = now, [c - n * (before[k] if k < len(before) else 0.0) for k, c in enumerate(longer)]
    return now


def polynomial(alpha: float) -> Function:
    """The activation `singular_kernel(alpha)`."""
    factors = powers(alpha)

    def phi(x: float) -> float:
        value = 0.0
        for factor in reversed(factors):
            value = value * x + factor
        return value

    return phi


def limits_in(tree: object) -> dict[str, str]:
    """What becomes of a network with each activation that a syntax tree names; {} without `singular_kernel` among them."""
    names: dict[str, None] = {}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += reversed(node)
        elif isinstance(node, Node):
            waiting += [getattr(node, field) for field in reversed(node._fields) if field != "span"]
        if isinstance(node, s.Name | s.Call):
            names[node.id if isinstance(node, s.Name) else node.name] = None
    if "singular_kernel" not in names:
        return {}
    found = {name: str(limit(ACTIVATIONS[name])) for name in names if name in ACTIVATIONS}
    return {"singular_kernel(alpha)": "a singular kernel of order alpha", **found}


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _selu(x: float) -> float:
    return 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x))


# At their defaults; `slope`, `alpha` and `beta` move no activation of these into another class.
ACTIVATIONS: Mapping[str, Function] = {
    "relu": lambda x: max(x, 0.0),
    "gelu": lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "silu": lambda x: x * _sigmoid(x),
    "tanh": math.tanh,
    "sigmoid": _sigmoid,
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else math.expm1(x),
    "selu": _selu,
    "mish": lambda x: x * math.tanh(_softplus(x)),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + abs(x)),
    "relu6": lambda x: min(max(x, 0.0), 6.0),
    "hard_swish": lambda x: x * min(max(x + 3, 0.0), 6.0) / 6,
    "hard_sigmoid": lambda x: min(max(x + 3, 0.0), 6.0) / 6,
    "hard_tanh": lambda x: min(max(x, -1.0), 1.0),
}
