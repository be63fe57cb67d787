"""The proxies by name. Their rows, with directions and sources, stand in `nasdsl/language/signatures/measures.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nasdsl.training.untrained.chi import chi
from nasdsl.training.untrained.gradients import grad_norm, ntk_cond
from nasdsl.training.untrained.jacob_cov import jacob_cov
from nasdsl.training.untrained.naswot import naswot
from nasdsl.training.untrained.probe import Probe
from nasdsl.training.untrained.synflow import synflow
from nasdsl.training.untrained.zen import zen

PROXIES: Mapping[str, Callable[[Probe], float]] = {
    "naswot": naswot,
    "jacob_cov": jacob_cov,
    "synflow": synflow,
    "zen": zen,
    "grad_norm": grad_norm,
    "ntk_cond": ntk_cond,
    "chi": chi,
}
