"""Which module fuses, and how: class of the separate modules -> what does the same for all members.

Each rule gets the modules of one place, the forms of its inputs and the group, and gives a module with the
form of its output. Classes that are not here do not fuse: recurrent layers, attention, parametrized weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from compiler import modules as ours
from nasdsl.training.fused import layers
from nasdsl.training.fused.chance import Dropout
from nasdsl.training.fused.forms import Each, Form, Members, Steps, To, Unfusable

Fused: TypeAlias = tuple[nn.Module, Form]
Parts: TypeAlias = Sequence[nn.Module]
Rule: TypeAlias = Callable[[Parts, tuple[Form, ...], Members], Fused]


def fuse(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    """One module for those of all members. Raises Unfusable."""
    kinds = {type(part) for part in parts}
    kind = kinds.pop()
    if kinds or kind not in RULES:
        raise Unfusable(f"{kind.__name__} does not fuse")
    return RULES[kind](parts, forms, members)


def _into(form: Form, forms: tuple[Form, ...], members: Members, module: nn.Module) -> nn.Module:
    """The module behind what brings its only input into a form."""
    return module if forms == (form,) else Steps(To(forms[0], form, members), module)


def _in_form(form: Form, make: Callable[[Parts, Members], nn.Module]) -> Rule:
    """A rule for a layer that works in one form."""

    def rule(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
        return _into(form, forms, members, make(parts, members)), form

    return rule


def _linear(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    if forms == (Form.SHARED,):
        return layers.WideLinear(parts, members), Form.STACKED
    return _into(Form.STACKED, forms, members, layers.Linear(parts, members)), Form.STACKED


def _conv(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    groups = parts[0].groups
    if forms == (Form.SHARED,) and groups == 1:
        return layers.Conv(parts, members, shared=True), Form.FOLDED
    return _into(Form.FOLDED, forms, members, layers.Conv(parts, members, shared=False)), Form.FOLDED


def _dropout(parts: Parts, forms: tuple[Form, ...], members: Members, per_channel: bool) -> Fused:
    form = Form.STACKED if forms == (Form.SHARED,) else forms[0]
    rates = [float(part.p) for part in parts]  # type: ignore[arg-type]
    return _into(form, forms, members, Dropout(rates, form, members, per_channel)), form


def _anywhere(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    """Element by element: the same in every form."""
    return parts[0], forms[0]


def _on_maps(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    """Channel by channel: the separate module itself, over the channels of all."""
    if forms == (Form.SHARED,):
        return parts[0], Form.SHARED
    return _into(Form.FOLDED, forms, members, parts[0]), Form.FOLDED


def _joined(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    form = _common(forms)
    return Each([To(one, form, members) for one in forms], parts[0]), form


def _common(forms: tuple[Form, ...]) -> Form:
    if set(forms) == {Form.SHARED}:
        return Form.SHARED
    return Form.FOLDED if Form.FOLDED in forms else Form.STACKED


def _chain(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    steps = []
    for same in zip(*(part.children() for part in parts), strict=True):
        step, form = fuse(same, forms, members)
        steps.append(step)
        forms = (form,)
    return Steps(*steps), forms[0]


class _Shifted(nn.Module):
    """Something over all axes of a sample, with the members in front."""

    def __init__(self, act: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x)


def _stacked(make: Callable[[nn.Module], Callable[[Tensor], Tensor]]) -> Rule:
    """A rule for a module that names axes of a sample: given what it does with one axis more in front."""

    def rule(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
        if forms == (Form.SHARED,):
            return parts[0], Form.SHARED
        return _into(Form.STACKED, forms, members, _Shifted(make(parts[0]))), Form.STACKED

    return rule


def _concat(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    if set(forms) == {Form.SHARED}:
        return parts[0], Form.SHARED
    axis = parts[0].axis
    assert isinstance(axis, int)
    return Each([To(one, Form.STACKED, members) for one in forms], ours.Concat(axis + 1)), Form.STACKED


def _squeeze(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    return _into(Form.STACKED, forms, members, _SqueezeExcite(parts, members)), Form.STACKED


class _SqueezeExcite(nn.Module):
    def __init__(self, parts: Parts, members: Members) -> None:
        super().__init__()
        self.hard = bool(parts[0].hard)
        self.reduce = layers.Linear([part.reduce for part in parts], members)  # type: ignore[misc]
        self.expand = layers.Linear([part.expand for part in parts], members)  # type: ignore[misc]

    def forward(self, x: Tensor) -> Tensor:
        raw = self.expand(torch.relu(self.reduce(x.flatten(3).mean(3))))
        gates = nn.functional.hardsigmoid(raw) if self.hard else torch.sigmoid(raw)
        return x * gates.reshape(*gates.shape, *[1] * (x.dim() - 3))


def _swiglu(parts: Parts, forms: tuple[Form, ...], members: Members) -> Fused:
    return _into(Form.STACKED, forms, members, _SwiGLU(parts, members)), Form.STACKED


class _SwiGLU(nn.Module):
    def __init__(self, parts: Parts, members: Members) -> None:
        super().__init__()
        self.gate, self.up, self.down = (
            layers.Linear([getattr(part, name) for part in parts], members) for name in ("gate", "up", "down")
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(nn.functional.silu(self.gate(x)) * self.up(x))
        return y


def _norm_shifted(cls: type[layers.Layer], form: Form) -> Rule:
    return _in_form(form, cls)


_ACTIVATIONS = (
    *(nn.ReLU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.SELU, nn.Mish, nn.Softsign, nn.ReLU6, nn.Hardswish),
    *(nn.Hardsigmoid, nn.Hardtanh, nn.GELU, nn.LeakyReLU, nn.ELU, nn.Softplus, nn.Identity, ours.Zero),
    ours.Polynomial,
)
_MAPPED = (
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.Upsample),
    *(nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d, ours.Crop, ours.Pick),
)


def _flatten(module: nn.Module) -> Callable[[Tensor], Tensor]:
    start: int = module.start_dim  # type: ignore[assignment]
    return lambda x: x.flatten(start + 1)


def _unflatten(module: nn.Module) -> Callable[[Tensor], Tensor]:
    axis, sizes = int(module.dim), tuple(module.unflattened_size)  # type: ignore[arg-type]
    return lambda x: x.reshape(*x.shape[: axis + 1], *sizes, *x.shape[axis + 2 :])


def _over_axes(act: Callable[..., Tensor]) -> Callable[[nn.Module], Callable[[Tensor], Tensor]]:
    def made(module: nn.Module) -> Callable[[Tensor], Tensor]:
        axes = tuple(axis + 1 for axis in module.axes)  # type: ignore[union-attr]
        return lambda x: act(x, axes)

    return made


RULES: Mapping[type[nn.Module], Rule] = {
    nn.Linear: _linear,
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d), _conv),
    **dict.fromkeys(
        (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), _norm_shifted(layers.BatchNorm, Form.FOLDED)
    ),
    nn.GroupNorm: _norm_shifted(layers.GroupNorm, Form.FOLDED),
    **dict.fromkeys(
        (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
        _norm_shifted(layers.InstanceNorm, Form.FOLDED),
    ),
    **dict.fromkeys((nn.LayerNorm, nn.RMSNorm), _norm_shifted(layers.LastAxisNorm, Form.STACKED)),
    ours.SampleRMSNorm: _norm_shifted(layers.SampleNorm, Form.STACKED),
    nn.Dropout: partial(_dropout, per_channel=False),
    **dict.fromkeys((nn.Dropout1d, nn.Dropout2d, nn.Dropout3d), partial(_dropout, per_channel=True)),
    **dict.fromkeys(_ACTIVATIONS, _anywhere),
    **dict.fromkeys(_MAPPED, _on_maps),
    **dict.fromkeys((ours.Add, ours.Mul, ours.Average), _joined),
    **dict.fromkeys((ours.Chain, nn.Sequential), _chain),
    ours.Concat: _concat,
    nn.Flatten: _stacked(_flatten),
    nn.Unflatten: _stacked(_unflatten),
    ours.SwapAxes: _stacked(lambda module: lambda x: x.transpose(2, 3)),
    ours.MeanOver: _stacked(_over_axes(torch.mean)),
    ours.MaxOver: _stacked(_over_axes(torch.amax)),
    ours.PadChannels: _stacked(lambda module: ours.PadChannels(module.extra, module.axis + 1)),  # type: ignore[arg-type,operator]
    ours.SqueezeExcite: _squeeze,
    ours.SwiGLU: _swiglu,
}
