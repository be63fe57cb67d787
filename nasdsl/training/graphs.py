"""Steps that a GPU repeats from one CUDA graph: a launch for all kernels of a step in place of one for each.

The first steps run as always; the next is taken both ways, by the graph and without, and the graph is kept only where both leave
the same numbers. What a step changes lies in tensors that stay where they are: weights, buffers, moments, the rate.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

if TYPE_CHECKING:
    from nasdsl.training.session import Session

Work: TypeAlias = Callable[[Tensor], Tensor]
"""Row numbers -> losses; all else that it does it does to tensors in place."""
Capture: TypeAlias = Callable[[Callable[[], Tensor]], tuple[Callable[[], object], Tensor]]
"""Work -> what repeats it, and where its result then lies."""
Chance: TypeAlias = Callable[[], None]

_FIRST = 3  # steps without a graph: moments and workspaces are made there
_TOLERANCE = 1e-4  # of the largest number in a tensor; atomic sums differ in their order
_CAPTURED = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)
_BETWEEN = (
    "augment",
    "retarget",
    "mix",
    "terms",
    "gradients",
    "project",
    "restructure",
    "average",
    "observers",
)


class StepGraph:
    """Takes steps: by a graph where the rows are as many as at first, else as they are.

    `changed` gives every tensor that a step changes. Chance is put back between the two ways.
    """

    def __init__(self, work: Work, changed: Callable[[], Iterator[Tensor]], capture: Capture) -> None:
        self._work, self._changed, self._capture = work, changed, capture
        self._shape: torch.Size | None = None
        self._seen = 0
        self._rows: Tensor | None = None
        self._replay: Callable[[], object] | None = None
        self._losses: Tensor | None = None
        self.refused: str | None = None  # why there is no graph, where it was tried

    def __call__(self, rows: Tensor) -> Tensor:
        if self._shape is None:
            self._shape = rows.shape
        if self.refused is not None or rows.shape != self._shape:
            return self._work(rows)
        self._seen += 1
        if self._seen <= _FIRST:
            return self._work(rows)
        if self._replay is None:
            return self._begun(rows)
        assert self._rows is not None and self._losses is not None
        self._rows.copy_(rows)
        self._replay()
        return self._losses.clone()

    def _begun(self, rows: Tensor) -> Tensor:
        """This step both ways."""
        chance = _chance_on(rows.device)
        before = [tensor.detach().clone() for tensor in self._changed()]
        losses = self._work(rows)
        after, chance_after = [tensor.detach().clone() for tensor in self._changed()], _chance_on(rows.device)
        try:
            self._put(before, chance)
            self._rows = rows.clone()
            held = self._rows
            self._replay, self._losses = self._capture(lambda: self._work(held))
            self._put(before, chance)
            self._replay()
            self._check([losses, *after], [self._losses, *self._changed()])
        except RuntimeError as error:  # also what torch says of a step that cannot be captured
            self._refuse(str(error).splitlines()[0])
            self._put(after, chance_after)
        return losses

    def _put(self, values: Sequence[Tensor], chance: Chance) -> None:
        with torch.no_grad():
            for tensor, value in zip(self._changed(), values, strict=True):
                tensor.copy_(value)
        chance()

    def _check(self, expected: Sequence[Tensor], found: Sequence[Tensor]) -> None:
        """Raises RuntimeError where the graph does not do what the step does."""
        for a, b in zip(expected, found, strict=True):
            if a.numel() and not _close(a, b.detach()):
                raise RuntimeError("its numbers are not those of the step without it")

    def _refuse(self, why: str) -> None:
        self.refused, self._replay, self._losses = why, None, None
        warnings.warn(f"steps run without a CUDA graph: {why}", RuntimeWarning, stacklevel=4)


def _close(a: Tensor, b: Tensor) -> bool:
    """Also where both are the same NaN: a training that diverges is for others to find."""
    near = (a - b).abs() <= _TOLERANCE * max(1.0, float(a.abs().max()))
    return bool((near | (a.isnan() & b.isnan())).all())


def _chance_on(device: torch.device) -> Chance:
    """What puts torch's generator there back to where it is now."""
    if device.type == "cuda":
        there = torch.cuda.get_rng_state(device)
        return lambda: torch.cuda.set_rng_state(there, device)
    here = torch.get_rng_state()
    return lambda: torch.set_rng_state(here)


def on_cuda(work: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
    """The `Capture` of a GPU."""
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        losses = work()
    return graph.replay, losses


def can_be_captured(one: Session) -> bool:
    """Whether a step runs on a GPU alone: nothing hangs on its joints, and the data lie there too."""
    on_gpu = one.setup.device.type == "cuda" and all(x.is_cuda for x in one.setup.data.inputs.values())
    return on_gpu and is_plain(one)


def is_plain(one: Session) -> bool:
    """Whether nothing in a step looks at numbers on the way; schedules that do have parts of their own."""
    joints = any(getattr(one.parts, name) for name in _BETWEEN)
    return not joints and not one.hooks and type(one.course.optimizer) in _CAPTURED


def rates_on_device(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """Rates as tensors, so that one graph serves every rate; `set_rate` fills them."""
    for group in optimizer.param_groups:
        group["lr"] = torch.tensor(float(group["lr"]), device=device)
        if "capturable" in group:
            group["capturable"] = device.type == "cuda"


def changed_by(one: Session) -> Iterator[Tensor]:
    """Every tensor that a step of one network changes."""
    course = one.course
    yield from course.module.parameters()
    yield from course.module.buffers()
    for state in course.optimizer.state.values():
        yield from (value for value in state.values() if isinstance(value, Tensor))
