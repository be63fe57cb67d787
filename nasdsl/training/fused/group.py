"""Sessions of several networks, run as one: the same steps as each would take alone, for all at once.

Built of the sessions of its members (session.py), whose orders of samples, schedules, transforms and
optimizers it uses, so there is one trainer. Where all members see the same samples in the same order, the
first layer is one wide product; else each has its own batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.dataset import OUTPUT
from nasdsl.training.errors import Diverged
from nasdsl.training.fused.forms import Form, Members, Unfusable
from nasdsl.training.fused.losses import MemberLosses
from nasdsl.training.fused.optimizers import GroupOptimizer
from nasdsl.training.fused.stack import Stack
from nasdsl.training.graphs import Capture, StepGraph, on_cuda, rates_on_device
from nasdsl.training.measuring import of_outputs
from nasdsl.training.methods.mixup import shares
from nasdsl.training.optimizers import set_rate
from nasdsl.training.session import LOWER_RATE, Session, refusing_single_samples

_MAPS = ("sequence", "image", "volume")
_MEASURED_AT_ONCE = 512  # samples of all members together; larger batches leave the cache
_NOT_IN_A_GROUP = ("terms", "observers", "restructure", "average", "weights", "measured")


@dataclass(frozen=True)
class _Inputs:
    """Whether all members see the same tensors, and the form of each input by name."""

    shared: bool
    forms: dict[str, Form]


class Group:
    """Networks of one structure in training; `sessions` are those still in it."""

    def __init__(self, sessions: Sequence[Session], seeds: Sequence[int]) -> None:
        """Raises Unfusable for sessions that cannot run as one."""
        _check(sessions)
        self.sessions = list(sessions)
        setup = sessions[0].setup
        self.members = Members(
            [torch.Generator().manual_seed(seed) for seed in seeds], bool(setup.data.images)
        )
        self._inputs = _inputs(sessions)
        self._stack = Stack(
            [one.course.module for one in sessions], list(self._inputs.forms.values()), self.members
        )
        self._losses = MemberLosses([one.loss for one in sessions])
        self._optimizer = GroupOptimizer(list(self._stack.layers), [one.course.optimizer for one in sessions])
        self._capture: Capture | None = None
        self._graph: StepGraph | None = None
        if all(one.graph is not None for one in sessions):
            self.captured(on_cuda)

    def keep(self, places: list[int]) -> None:
        """Go on with these members alone; the others' networks keep what they have."""
        self.sessions = [self.sessions[place] for place in places]
        self._optimizer.keep(places)
        self._losses.keep(places)
        self._stack.keep(places)
        if self._capture is not None:
            self.captured(self._capture)  # anew: the tensors are others

    def captured(self, capture: Capture) -> None:
        """From now on steps are repeated from one graph."""
        self._capture = capture
        for one in self.sessions:
            rates_on_device(one.course.optimizer, one.setup.device)
        self._graph = StepGraph(lambda rows: self._work(rows.unbind()), self._changed, capture)

    @property
    def refused(self) -> str | None:
        """Why steps that should come from a graph do not."""
        return None if self._graph is None else self._graph.refused

    def compile(self) -> None:
        """Let torch compile the network of the group; its steps are no graph of ours then."""
        self._stack.run.compile()
        self._capture = self._graph = None

    def _changed(self) -> Iterator[Tensor]:
        yield from self._optimizer.changed()
        yield from self._stack.run.buffers()

    def epoch(self) -> list[dict[str, float] | Diverged]:
        """One pass over the training part for each member; its measures, or that it diverged."""
        for one in self.sessions:
            for hook in one.parts.before_epoch:
                hook(one.course)
        self.train()
        orders = [one.batches() for one in self.sessions]
        with refusing_single_samples(self.sessions[0].setup.batch_size):
            losses = torch.stack([self.taken(rows) for rows in zip(*orders, strict=True)]).mean(0)
        found: list[dict[str, float] | Diverged] = []
        for one, loss, measures in zip(self.sessions, losses.tolist(), self._measures(), strict=True):
            one.course.epoch += 1
            told = {"train_loss": loss, **measures}
            found.append(_diverged(told) or told)
            for tell in one.parts.after_epoch:
                tell(one.course, told)
        return found

    def train(self) -> None:
        """Dropout and norms as in training, until the next measuring."""
        self._stack.run.train()

    def step(self, rows: Sequence[Tensor]) -> Tensor:
        """One step of every member on its own rows; the losses (members,)."""
        self._set_out()
        losses = self._work(rows)
        for one in self.sessions:
            one.course.step += 1
            for hook in one.parts.project:
                hook(one.course)
        return losses

    def taken(self, rows: Sequence[Tensor]) -> Tensor:
        """The same, on a GPU by a graph where it can be."""
        if self._graph is None:
            return self.step(rows)
        self._set_out()
        losses = self._graph(torch.stack(list(rows)))
        for one in self.sessions:
            one.course.step += 1
        return losses

    def _set_out(self) -> None:
        for one in self.sessions:
            set_rate(one.course.optimizer, one.schedule(one.course.step))

    def _work(self, rows: Sequence[Tensor]) -> Tensor:
        """What a step does to weights."""
        inputs, targets = self._batch(rows)
        self._optimizer.zero_grad()
        outputs = self._outputs(inputs)
        losses = torch.stack([self._losses(outputs[name], y) for name, y in targets.items()]).sum(0)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self._after_backward()
        self._optimizer.step()
        return losses.detach()

    def _after_backward(self) -> None:
        if any(one.parts.gradients for one in self.sessions):
            self._optimizer.share_gradients()
            for one in self.sessions:
                for hook in one.parts.gradients:
                    hook(one.course)

    def _outputs(self, inputs: Sequence[Tensor]) -> Tensors:
        out = self._stack.run(*inputs)
        return {OUTPUT: out} if isinstance(out, Tensor) else out

    def _batch(self, rows: Sequence[Tensor]) -> tuple[list[Tensor], Tensors]:
        """Inputs in their forms, and targets (members, batch, …)."""
        data = self.sessions[0].setup.data
        if self._inputs.shared:
            batch = data.batch(rows[0])
            n = len(self.members)
            return list(batch.inputs.values()), {
                name: y.expand(n, *y.shape) for name, y in batch.targets.items()
            }
        batches = [self._of(one, own) for one, own in zip(self.sessions, rows, strict=True)]
        inputs = [
            _joined([b.inputs[name] for b in batches], form) for name, form in self._inputs.forms.items()
        ]
        return inputs, self._targets(batches)

    def _targets(self, batches: Sequence[Batch]) -> Tensors:
        """One tensor for each output; where a member mixes classes, all have shares of them."""
        targets = [b.targets for b in batches]
        if len({y.dim() for one in targets for y in one.values()}) > 1:
            setup = self.sessions[0].setup
            targets = [shares(b, setup.widths if setup.kind == "classification" else None) for b in batches]
        return {name: torch.stack([one[name] for one in targets]) for name in targets[0]}

    def _of(self, one: Session, rows: Tensor) -> Batch:
        batch = one.setup.data.batch(rows)
        for transform in (*one.parts.augment, *one.parts.retarget, *one.parts.mix):
            batch = transform(batch, one.course)
        return batch

    def _measures(self) -> list[dict[str, float]]:
        """Of the validation part, by the measures of each member's own session."""
        self._stack.run.eval()
        chunk = max(32, _MEASURED_AT_ONCE // len(self.members))
        with torch.inference_mode():
            chunks = zip(*(torch.split(one.valid_rows, chunk) for one in self.sessions), strict=True)
            parts = [self._outputs(self._plain(rows)) for rows in chunks]
            outputs = {name: torch.cat([part[name] for part in parts], 1) for name in parts[0]}
            return [
                of_outputs(
                    {name: out[place] for name, out in outputs.items()},
                    one.setup.data,
                    one.valid_rows,
                    one.setup.kind,
                    one.setup.loss,
                    one.extra,
                )
                for place, one in enumerate(self.sessions)
            ]

    def _plain(self, rows: Sequence[Tensor]) -> list[Tensor]:
        """Inputs as they are, without transforms."""
        if self._inputs.shared:
            return list(self.sessions[0].setup.data.batch(rows[0]).inputs.values())
        batches = [one.setup.data.batch(own) for one, own in zip(self.sessions, rows, strict=True)]
        return [_joined([b.inputs[name] for b in batches], form) for name, form in self._inputs.forms.items()]


def _joined(each: list[Tensor], form: Form) -> Tensor:
    """What each member sees, as one tensor."""
    if form is Form.STACKED:
        return torch.stack(each)
    return torch.cat(each, 1)


def _diverged(measures: dict[str, float]) -> Diverged | None:
    for name, value in measures.items():
        if not math.isfinite(value):
            what = "the training loss" if name == "train_loss" else f"`{name}` on the validation part"
            return Diverged(f"{what} is {value}{LOWER_RATE}")
    return None


def _inputs(sessions: Sequence[Session]) -> _Inputs:
    first = sessions[0].setup.data
    transformed = any(one.parts.augment or one.parts.retarget or one.parts.mix for one in sessions)
    shared = (
        not transformed
        and all(one.setup.data is first for one in sessions)
        and len({one.order.initial_seed() for one in sessions}) == 1
    )
    if shared:
        return _Inputs(True, dict.fromkeys(first.inputs, Form.SHARED))
    forms = {
        name: Form.FOLDED if shape.layout in _MAPS else Form.STACKED for name, shape in first.shapes.items()
    }
    return _Inputs(False, {name: forms[name] for name in first.inputs})


def _check(sessions: Sequence[Session]) -> None:
    """Raises Unfusable for sessions that do not take the same steps, or ask for what acts on one network."""
    for one in sessions:
        used = [name for name in _NOT_IN_A_GROUP if getattr(one.parts, name)]
        if not one.parts.fuses or used:
            raise Unfusable("a method of the training acts on one network")
    if sessions[0].setup.kind in ("next_token", "segmentation"):
        raise Unfusable("answers for each position are measured by parts")
    sizes = {
        (one.setup.batch_size, len(one.setup.rows), len(one.valid_rows), one.setup.n_steps)
        for one in sessions
    }
    if len(sizes) > 1:
        raise Unfusable("batch sizes, samples or steps differ")
