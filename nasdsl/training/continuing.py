"""A training in stretches: what one leaves for the next, which may go on at other settings.

Weights and the state of the optimizer are carried over; rates, decay, batch size and all else are those of the new
settings, and the chance that of the new seed. So a chain of stretches is replayed by its settings and seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from nasdsl.training.errors import DataError

if TYPE_CHECKING:
    from nasdsl.training.session import Session

State = Mapping[str, Any]  # flat: tensors and numbers by name, as safetensors and JSON hold them


@dataclass(frozen=True)
class Stretch:
    """A part of a training: up to `until` epochs in all, from `state`; from the start where that is None."""

    until: int
    state: State | None = None


def state_of(sessions: Sequence[Session]) -> dict[str, Any]:
    """What the next stretch needs, of all folds."""
    state: dict[str, Any] = {"epoch": sessions[0].course.epoch}
    for fold, session in enumerate(sessions):
        course = session.course
        for name, tensor in course.module.state_dict().items():
            state[f"{fold}/module/{name}"] = tensor.detach().clone()
        for number, values in course.optimizer.state_dict()["state"].items():
            for name, value in values.items():
                if value is not None:
                    kept = value.detach().clone() if isinstance(value, torch.Tensor) else value
                    state[f"{fold}/optimizer/{number}/{name}"] = kept
    return state


def go_on(sessions: Sequence[Session], state: State | None) -> None:
    """Bring fresh sessions to where a stretch ended. Raises DataError for a training that cannot be cut."""
    for session in sessions:
        # What fuses keeps nothing but weights and moments, except what looks at the measures of each epoch.
        if not session.parts.fuses or session.parts.after_epoch:
            raise DataError(
                "this training cannot go on from a checkpoint: a method, a schedule or an optimizer of it remembers "
                "more than the weights and the moments",
                help="leave out averaging, `until`, plateau, lion, muon, bf16 and methods that watch the training",
            )
    for fold, session in enumerate(sessions):
        if state is not None:
            _restore(session, fold, state)


def _restore(session: Session, fold: int, state: State) -> None:
    course = session.course
    here = f"{fold}/module/"
    weights = {name.removeprefix(here): value for name, value in state.items() if name.startswith(here)}
    expected = {name: tensor.shape for name, tensor in course.module.state_dict().items()}
    if {name: value.shape for name, value in weights.items()} != expected:
        raise DataError("the checkpoint is of another network: what trains on must keep its structure")
    course.module.load_state_dict(weights)
    moments: dict[int, dict[str, Any]] = {}
    for name, value in state.items():
        if name.startswith(f"{fold}/optimizer/"):
            _, _, number, moment = name.split("/")
            moments.setdefault(int(number), {})[moment] = value
    groups = course.optimizer.state_dict()["param_groups"]
    course.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    for (
        tensor,
        values,
    ) in course.optimizer.state.items():  # fused steps go through memory: laid out as the weights
        for name, value in values.items():
            if isinstance(value, torch.Tensor) and value.shape == tensor.shape:
                values[name] = torch.empty_like(tensor, dtype=value.dtype).copy_(value)
    course.epoch = int(state["epoch"])
    course.step = course.n_steps * course.epoch // course.n_epochs


def moved(state: State, device: torch.device) -> State:
    """A copy on the device that trains, which training may change."""
    return {k: v.to(device, copy=True) if isinstance(v, torch.Tensor) else v for k, v in state.items()}
