"""One network in training on one fold: the step, with everything that hangs on its joints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from compiler.hooks import Hooks
from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.blocks import blocks
from nasdsl.training.causality import refuse_leak
from nasdsl.training.dataset import Dataset
from nasdsl.training.errors import DataError, Diverged
from nasdsl.training.graphs import Capture, StepGraph, can_be_captured, changed_by, on_cuda, rates_on_device
from nasdsl.training.losses import Loss, measured_loss, training_loss
from nasdsl.training.measuring import measured, outputs_of
from nasdsl.training.methods import hypergradient, plateau
from nasdsl.training.methods.table import methods
from nasdsl.training.optimizers import optimizer, set_rate
from nasdsl.training.pacing import length, n_batches
from nasdsl.training.protocols import Course, Parts, Setup, together
from nasdsl.training.resident import resident
from nasdsl.training.schedules import Attentive, Schedule, pace, schedule
from nasdsl.training.settings import Settings, call, real, setting, whole
from nasdsl.training.step_law import symbols_of, worked_out
from nasdsl.training.stepping import step

if TYPE_CHECKING:
    from compiler.plan import Plan

# Schedules that look at the training.
_ATTENTIVE: Mapping[str, Callable[[Spec, Setup], Attentive]] = {
    "plateau": plateau.make,
    "hypergradient": hypergradient.make,
}
LOWER_RATE = "; a lower learning rate may help"


@dataclass(frozen=True)
class Session:
    """One network in training on one fold."""

    setup: Setup
    course: Course
    parts: Parts
    hooks: Hooks
    loss: Loss
    schedule: Schedule
    order: torch.Generator
    valid_rows: torch.Tensor
    extra: tuple[str, ...]  # measures beyond those that every training has
    graph: StepGraph | None = None

    def epoch(self) -> dict[str, float]:
        """One pass over the training part; the measures after it, and `train_loss` during it."""
        began = time.perf_counter()
        for hook in self.parts.before_epoch:
            hook(self.course)
        self.course.module.train()
        with refusing_single_samples(self.setup.batch_size):
            losses = [self._taken(rows) for rows in self.batches()]
        train_loss = float(torch.stack(losses).mean())
        if not math.isfinite(train_loss):
            raise Diverged(f"the training loss is {train_loss}{LOWER_RATE}")
        self.course.epoch += 1
        self.course.seconds += time.perf_counter() - began
        found = {"train_loss": train_loss, **self.measure()}
        until = call(self.setup.settings, "until")
        if until is not None and until.name == "interpolation":
            found["interpolated"] = self._answered_right()
        for told in self.parts.after_epoch:
            told(self.course, found)
        return found

    def measure(self) -> dict[str, float]:
        """Of the validation part. Raises Diverged for what is no finite number."""
        setup = self.setup
        found = measured(self.network(), setup.data, self.valid_rows, setup.kind, setup.loss, self.extra)
        for name, value in found.items():
            if not math.isfinite(value):
                raise Diverged(f"`{name}` is {value} on the validation part{LOWER_RATE}")
        return found

    def _answered_right(self) -> float:
        """Share of the samples that train."""
        setup = self.setup
        rows = self.course.rows.to(setup.device)
        return measured(self.network(), setup.data, rows, setup.kind, setup.loss)["accuracy"]

    def network(self) -> nn.Module:
        """The one to measure and keep; the one in training, unless a method has another."""
        return self.parts.measured[-1]() if self.parts.measured else self.course.module

    def finish(self) -> None:
        """The network that was asked for holds what is to be kept."""
        if self.network() is not self.course.module:
            self.course.module.load_state_dict(self.network().state_dict())

    def batches(self) -> tuple[torch.Tensor, ...]:
        """Row numbers, freshly shuffled. A lone last sample waits for another epoch."""
        rows = self.course.rows
        order = rows[torch.randperm(len(rows), generator=self.order)].to(self.setup.device)
        batches = torch.split(order, self.setup.batch_size)[: n_batches(len(order), self.setup.batch_size)]
        return batches[: self.course.n_steps - self.course.step]

    def step(self, rows: torch.Tensor) -> torch.Tensor:
        """One step, in the order that `protocols` draws."""
        course, parts = self.course, self.parts
        self._set_out()
        loss, batch, outputs = self._work(rows)
        course.step += 1
        for hook in (*parts.project, *parts.restructure, *parts.average):
            hook(course)
        for observe in parts.observers:
            observe(batch, {name: output.detach() for name, output in outputs.items()}, course)
        return loss

    def _taken(self, rows: torch.Tensor) -> torch.Tensor:
        """The same, on a GPU by a graph where it can be."""
        if self.graph is None:
            return self.step(rows)
        self._set_out()
        loss = self.graph(rows)
        self.course.step += 1
        return loss

    def _set_out(self) -> None:
        self.hooks.set_progress(self.course.step, self.course.n_steps)
        set_rate(self.course.optimizer, self.schedule(self.course.step))

    def _work(self, rows: torch.Tensor) -> tuple[torch.Tensor, Batch, Tensors]:
        """What a step does to weights: the loss, of which batch, and what the network answered."""
        course, parts = self.course, self.parts
        batch = self.setup.data.batch(rows)
        for transform in (*parts.augment, *parts.retarget, *parts.mix):
            batch = transform(batch, course)
        course.optimizer.zero_grad()
        with self._precision():
            outputs = outputs_of(course.module, batch)
            loss = self._total(batch, outputs)
        loss.backward()  # type: ignore[no-untyped-call]
        self.hooks.after_backward(lambda: outputs_of(course.module, batch))
        for hook in parts.gradients:
            hook(course)
        step(course.optimizer)
        for tensor in self.hooks.after_step():
            course.optimizer.state.pop(tensor, None)
        return loss.detach(), batch, outputs

    def captured(self, capture: Capture) -> Session:
        """This session, its steps repeated from one graph."""
        rates_on_device(self.course.optimizer, self.setup.device)
        graph = StepGraph(lambda rows: self._work(rows)[0], lambda: changed_by(self), capture)
        return replace(self, graph=graph)

    def _precision(self) -> AbstractContextManager[object]:
        if setting(self.setup.settings, "precision") == "fp32":
            return nullcontext()
        kind = self.setup.device.type
        # A graph must not remember weights as they were cast when it was captured.
        return torch.autocast(kind, torch.bfloat16, cache_enabled=kind != "cuda")

    def _total(self, batch: Batch, outputs: Tensors) -> torch.Tensor:
        """The sum over all outputs, with the terms of methods and of the network itself."""
        losses = [self.loss(outputs[name], target) for name, target in batch.targets.items()]
        own = self.hooks.auxiliary_loss()  # of this forward pass: a term may run the network again
        losses += [term(batch, outputs, self.course) for term in self.parts.terms]
        return torch.stack(losses if own is None else [*losses, own]).sum()


def session(
    module: nn.Module,
    plan: Plan,
    settings: Settings,
    data: Dataset,
    fold: int,
    seed: int,
    n_epochs: int,
    device: torch.device,
    order: int | None = None,
    extra: tuple[str, ...] = (),
) -> Session:
    """Everything that a training needs, before its first step. `order`: the seed of the order of samples, where it is not `seed`."""
    if any(shape.layout == "image" for shape in data.shapes.values()):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows = data.folds[fold]
    if data.kind == "next_token":
        refuse_leak(module, resident(data, fold, device), torch.from_numpy(np.array(rows.train)).to(device))
    settings = worked_out(settings, plan, data, n_epochs)
    _refuse_weights(settings, data)
    batch_size = min(whole(settings, "batch_size"), len(rows.train))
    long = length(settings, len(rows.train), batch_size, n_epochs, symbols_of(data))
    setup = Setup(
        module=module,
        plan=plan,
        settings=settings,
        data=resident(data, fold, device, str(setting(settings, "prepare"))),
        kind=data.kind,
        outputs=data.outputs,
        widths=data.widths,
        rows=torch.from_numpy(np.array(rows.train)),
        batch_size=batch_size,
        n_epochs=long.n_epochs,
        n_steps=long.n_steps,
        seed=seed,
        device=device,
        loss=measured_loss(settings, data.kind),
        counts=_class_counts(data, rows.train, device),
    )
    optimizer_spec, schedule_spec = call(settings, "optimizer"), call(settings, "schedule")
    assert optimizer_spec is not None and schedule_spec is not None
    rate, rate_parts = _rate(schedule_spec, optimizer_spec, setup)
    parts = together([methods(setup), rate_parts, Parts(fuses=_fuses(settings, optimizer_spec))])
    stepping = optimizer(optimizer_spec, module, real(settings, "weight_decay"), parts.weights, parts.rates)
    made = Session(
        setup=setup,
        course=Course(module, stepping, setup.n_epochs, setup.n_steps, setup.rows),
        parts=parts,
        hooks=Hooks(module),
        loss=training_loss(settings, data.kind, setup.counts),
        schedule=rate,
        order=torch.Generator().manual_seed(seed if order is None else order),
        valid_rows=torch.from_numpy(np.array(rows.valid)).to(device),
        extra=extra,
    )
    return made.captured(on_cuda) if can_be_captured(made) else made


def _refuse_weights(settings: Settings, data: Dataset) -> None:
    """Raises DataError where weights of classes are asked for, and there is no knowing of which."""
    loss = call(settings, "loss")
    if loss is not None and loss.arguments.get("weights") == "balanced" and len(data.targets) > 1:
        shown = ", ".join(f"`{name}`" for name in data.targets)
        message = f"weights of classes are of one output, and here are {len(data.targets)}: {shown}"
        raise DataError(message, help="leave `weights` out")


def _class_counts(data: Dataset, rows: np.ndarray, device: torch.device) -> torch.Tensor | None:
    """Rows, or positions, of each class that train; None for other tasks, and for several outputs."""
    if data.kind not in ("classification", "segmentation"):
        return None
    if len(data.targets) > 1:
        return None
    (targets,) = data.targets.values()
    counts = sum(np.bincount(part.ravel(), minlength=data.outputs) for _, part in blocks(targets, rows))
    return torch.from_numpy(np.asarray(counts)).float().to(device)


def _fuses(settings: Settings, optimizer: Spec) -> bool:
    """A fused training has one length, one precision, and torch's own optimizers."""
    own = ("lion", "muon")
    precise = setting(settings, "precision") == "fp32"
    return call(settings, "until") is None and precise and optimizer.name not in own


def _rate(spec: Spec, optimizer_spec: Spec, setup: Setup) -> tuple[Schedule, Parts]:
    if spec.name not in _ATTENTIVE:
        return schedule(spec, pace(setup, optimizer_spec)), Parts(fuses=True)
    attentive = _ATTENTIVE[spec.name](spec, setup)
    return attentive, attentive.parts()


def chance_of(seed: int, fold: int) -> int:
    """The seed of what a fold draws while it trains: its own, so that folds may train together or in turn."""
    return (seed + 7919 * fold) % 2**63


@contextmanager
def refusing_single_samples(batch_size: int) -> Iterator[None]:
    """Raises DataError for a norm over a batch of one, which torch refuses in its own words."""
    try:
        yield
    except ValueError as error:
        if batch_size > 1 or not str(error).startswith("Expected more than 1 value per channel"):
            raise
        help = "take a batch_size of 2 or more, or layer_norm"
        raise DataError("batch_norm cannot normalize a batch of one sample", help=help) from error
