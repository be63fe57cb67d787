"""Steps of torch's optimizers without torch's compiler, which each of them imports at its first step: 2.5 s of CPU at the
start of every run, for graphs that nobody compiles here."""

from __future__ import annotations

from inspect import unwrap

import torch

# What torch keeps its compiler out of, by importing it (torch/_compile.py); it looks for this attribute first.
# Where a version of torch does not, all that is lost is the time.
for _name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
    _plain = unwrap(getattr(torch.optim.Optimizer, _name))
    _plain.__dict__.setdefault("__dynamo_disable", _plain)


def step(optimizer: torch.optim.Optimizer) -> None:
    """One step, the same numbers as `optimizer.step()`; hooks registered on the optimizer are not called."""
    with torch.no_grad():
        # As it was written, without the wrappers for compilers, profilers and hooks.
        unwrap(type(optimizer).step)(optimizer)
