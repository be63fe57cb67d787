"""Training one network, the same way every time: same seed, same settings, same numbers on a CPU."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from nasdsl.training import measures as of
from nasdsl.training.dataset import OUTPUT, Dataset, Part
from nasdsl.training.errors import DataError, Diverged
from nasdsl.training.losses import Loss, measured_loss, training_loss
from nasdsl.training.optimizers import optimizer, set_rate
from nasdsl.training.resident import Resident, resident
from nasdsl.training.schedules import Schedule, schedule
from nasdsl.training.settings import Settings, call, real, whole
from nasdsl.training.transforms import Batch, BatchTransform, Tensors, transforms

if TYPE_CHECKING:
    from compiler.plan import Plan

OnEpoch = Callable[[int, Mapping[str, float]], bool]
"""(epochs done, measures) -> whether training goes on."""

_LOWER_RATE = "; a lower learning rate may help"
_MEASURED_AT_ONCE = 512  # samples; larger batches leave the cache


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    measures: of the validation part after the last epoch. curve: the same after each epoch, with `step`
    (epochs done) and `train_loss`. seconds: wall time. state_dict: the weights, of the first fold.
    """

    measures: dict[str, float]
    curve: list[dict[str, float]]
    seconds: float
    state_dict: dict[str, torch.Tensor] = field(repr=False)


def train(
    module: nn.Module,
    plan: Plan,
    settings: Settings,
    dataset: Dataset,
    seed: int,
    *,
    epochs: int | None = None,
    device: str | torch.device = "cpu",
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Train `module` in place, and measure it on the validation part after each epoch.

    `epochs` takes the place of the setting; schedules span what is then left. With several folds a copy is
    trained for each, all in step, and measures are means over the folds; `module` is the one of the first.
    Raises Diverged when the loss is no finite number, DataError where settings or data do not fit.
    """
    began = time.perf_counter()
    device = torch.device(device)
    _check_fits(plan, dataset)
    n_epochs = whole(settings, "epochs") if epochs is None else epochs
    modules = [module, *(copy.deepcopy(module) for _ in dataset.folds[1:])]
    curve: list[dict[str, float]] = []
    with _one_thread(device), _drawing_from(seed, device):
        sessions = [
            _session(m, settings, dataset, fold, seed, n_epochs, device) for fold, m in enumerate(modules)
        ]
        for epoch in range(1, n_epochs + 1):
            measured = _means([session.epoch() for session in sessions])
            curve.append({"step": epoch, **measured})
            measured = {name: value for name, value in measured.items() if name != "train_loss"}
            if on_epoch is not None and not on_epoch(epoch, measured):
                break
    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    return Trained(measured, curve, time.perf_counter() - began, state)


def measure(
    module: nn.Module, settings: Settings, dataset: Dataset, part: Part, *, device: str | torch.device = "cpu"
) -> dict[str, float]:
    """The measures of a trained module on one part of the data; {} where the part is empty.

    accuracy and loss of classes; r2, mae and loss of numbers, see `measures`. Several outputs are measured
    each under its name (`box.r2`), and their means under the plain ones.
    """
    device = torch.device(device)
    rows = torch.from_numpy(np.array(dataset.rows(part))).to(device)
    if not len(rows):
        return {}
    with _one_thread(device):
        loss = measured_loss(settings, dataset.kind)
        return _measure(module, resident(dataset, 0, device), rows, dataset.kind, loss)


@dataclass(frozen=True)
class _Session:
    """One network in training on one fold."""

    module: nn.Module
    data: Resident
    kind: str
    train_rows: torch.Tensor
    valid_rows: torch.Tensor
    batch_size: int
    loss: Loss
    measured_loss: Loss
    transforms: tuple[BatchTransform, ...]
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    clip: float | None
    order: torch.Generator
    rng: np.random.Generator
    steps: Iterator[int]

    def epoch(self) -> dict[str, float]:
        """One pass over the training part; the measures after it, and `train_loss` during it."""
        self.module.train()
        order = self.train_rows[torch.randperm(len(self.train_rows), generator=self.order)]
        order = order.to(self.valid_rows.device)
        # A lone last sample waits for another epoch: batch norm cannot take it.
        batches = [b for b in torch.split(order, self.batch_size) if len(b) > 1 or self.batch_size == 1]
        total = sum((self._step(rows) for rows in batches), start=torch.zeros((), device=order.device))
        train_loss = float(total) / len(batches)
        if not math.isfinite(train_loss):
            raise Diverged(f"the training loss is {train_loss}{_LOWER_RATE}")
        measured = _measure(self.module, self.data, self.valid_rows, self.kind, self.measured_loss)
        for name, value in measured.items():
            if not math.isfinite(value):
                raise Diverged(f"`{name}` is {value} on the validation part{_LOWER_RATE}")
        return {"train_loss": train_loss, **measured}

    def _step(self, rows: torch.Tensor) -> torch.Tensor:
        batch = self.data.batch(rows)
        for transform in self.transforms:
            batch = transform(batch, self.rng)
        set_rate(self.optimizer, self.schedule(next(self.steps)))
        self.optimizer.zero_grad()
        loss = _total(self.loss, _outputs(self.module, batch), batch.targets)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.clip)
        self.optimizer.step()
        return loss.detach()


def _session(
    module: nn.Module,
    settings: Settings,
    data: Dataset,
    fold: int,
    seed: int,
    n_epochs: int,
    device: torch.device,
) -> _Session:
    if any(shape.layout == "image" for shape in data.shapes.values()):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows = data.folds[fold]
    batch_size = min(whole(settings, "batch_size"), len(rows.train))
    n_steps = n_epochs * math.ceil(len(rows.train) / batch_size)
    optimizer_spec, schedule_spec = call(settings, "optimizer"), call(settings, "schedule")
    assert optimizer_spec is not None and schedule_spec is not None
    return _Session(
        module=module,
        data=resident(data, fold, device),
        kind=data.kind,
        train_rows=torch.from_numpy(np.array(rows.train)),
        valid_rows=torch.from_numpy(np.array(rows.valid)).to(device),
        batch_size=batch_size,
        loss=training_loss(settings, data.kind),
        measured_loss=measured_loss(settings, data.kind),
        transforms=transforms(settings, data.kind, data.outputs),
        optimizer=optimizer(optimizer_spec, module, real(settings, "weight_decay")),
        schedule=schedule(schedule_spec, n_steps),
        clip=real(settings, "clip"),
        order=torch.Generator().manual_seed(seed),
        rng=np.random.default_rng(seed),
        steps=iter(range(n_steps)),
    )


def _outputs(module: nn.Module, batch: Batch) -> Tensors:
    out = module(*batch.inputs.values())
    return {OUTPUT: out} if isinstance(out, torch.Tensor) else out


def _total(loss: Loss, outputs: Tensors, targets: Tensors) -> torch.Tensor:
    """The sum over all outputs."""
    return torch.stack([loss(outputs[name], target) for name, target in targets.items()]).sum()


def _measure(
    module: nn.Module, data: Resident, rows: torch.Tensor, kind: str, loss: Loss
) -> dict[str, float]:
    module.eval()
    with torch.inference_mode():
        parts = [_outputs(module, data.batch(chunk)) for chunk in torch.split(rows, _MEASURED_AT_ONCE)]
        each = {}
        for name, targets in data.targets.items():
            output, target = torch.cat([part[name] for part in parts]), targets[rows]
            if kind == "classification":
                each[name] = of.classification(output, target, loss)
            else:
                each[name] = of.regression(output, target, loss, data.deviations[name])
    if len(each) == 1:
        return next(iter(each.values()))
    named = {f"{name}.{key}": value for name, values in each.items() for key, value in values.items()}
    return named | _means(list(each.values()))


def _means(each: list[dict[str, float]]) -> dict[str, float]:
    return {name: math.fsum(one[name] for one in each) / len(each) for name in each[0]}


def _check_fits(plan: Plan, data: Dataset) -> None:
    """Raises DataError where the network was planned for other inputs than the data have."""
    has = {name: shape.sizes() for name, shape in data.shapes.items()}
    if dict(plan.inputs) != has:
        raise DataError(f"the network takes {dict(plan.inputs)}, but the data have {has}")


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    """One thread: at these sizes more are slower, and sums do not depend on how many there are."""
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _drawing_from(seed: int, device: torch.device) -> Iterator[None]:
    """Dropout draws from torch's own generator: seeded within, put back after."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
