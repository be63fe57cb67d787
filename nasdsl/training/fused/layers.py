"""Layers with weights, for all members at once: every parameter has the members as its first axis.

`takes` names, for each of a layer's tensors, the one of the separate modules it is made of; STACKED linear
layers hold it transposed, so that its gradient comes out contiguous.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nasdsl.training.fused.forms import Members, Unfusable


class Layer(nn.Module):
    """Holds the tensors of several modules of one class, stacked."""

    transposed: frozenset[str] = frozenset()

    def __init__(self, parts: Sequence[nn.Module], members: Members) -> None:
        """Raises Unfusable for modules whose weights are not plain ones, all in training."""
        super().__init__()
        self.members = members
        self.parts = list(parts)  # a list of modules would register them
        if any(not p.requires_grad for part in parts for p in part.parameters(recurse=False)):
            raise Unfusable("frozen weights")
        for name, _ in parts[0].named_parameters(recurse=False):
            self.register_parameter(name, nn.Parameter(self._stack(name)))
        for name, _ in parts[0].named_buffers(recurse=False):
            self.register_buffer(name, self._stack(name))
        self.share()

    def _stack(self, name: str) -> Tensor:
        stacked = torch.stack([getattr(part, name).detach() for part in self.parts])
        return stacked.transpose(1, 2).contiguous() if name in self.transposed else stacked.contiguous()

    def tensors(self) -> dict[str, Tensor]:
        """All that has the members as its first axis."""
        return dict([*self.named_parameters(recurse=False), *self.named_buffers(recurse=False)])

    def view(self, name: str, tensor: Tensor, place: int) -> Tensor:
        """The part of one member, as its own module holds it."""
        return tensor[place].transpose(0, 1) if name in self.transposed else tensor[place]

    def share(self) -> None:
        """Let the separate modules see the stacked tensors: what is trained here is trained there."""
        for name, tensor in self.tensors().items():
            for place, part in enumerate(self.parts):
                mine = self.view(name, tensor.detach(), place)
                if isinstance(tensor, nn.Parameter):
                    getattr(part, name).data = mine
                else:
                    setattr(part, name, mine)

    def keep(self, places: list[int]) -> None:
        """Go on with these members alone; those that leave get tensors of their own."""
        for place, part in enumerate(self.parts):
            if place not in places:
                for name in self.tensors():
                    own = getattr(part, name)
                    own.data = own.data.clone(memory_format=torch.contiguous_format)
        index = torch.tensor(places, device=next(iter(self.tensors().values())).device)
        for name, tensor in self.tensors().items():
            kept = tensor.detach().index_select(0, index)
            if isinstance(tensor, nn.Parameter):
                tensor.grad, tensor.data = None, kept
            else:
                setattr(self, name, kept)
        self.parts = [self.parts[place] for place in places]
        self.share()


class Linear(Layer):
    """(members, batch, …, inputs) -> (members, batch, …, outputs), one batched product."""

    transposed = frozenset({"weight"})
    weight: Tensor
    bias: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        between = x.shape[1:-1]
        flat = x if x.dim() == 3 else x.flatten(1, -2)
        if getattr(self, "bias", None) is None:
            y = torch.bmm(flat, self.weight)
        else:
            assert self.bias is not None
            y = torch.baddbmm(self.bias.unsqueeze(1), flat, self.weight)
        return y if x.dim() == 3 else y.reshape(len(y), *between, y.shape[-1])


class WideLinear(Layer):
    """(batch, inputs), the same for all -> (members, batch, outputs): one product as wide as all together."""

    weight: Tensor
    bias: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        bias = getattr(self, "bias", None)
        y = F.linear(x, self.weight.flatten(0, 1), None if bias is None else bias.flatten())
        return y.reshape(*x.shape[:-1], len(self.members), -1).movedim(-2, 0)


class Conv(Layer):
    """Maps folded: a grouped convolution. `shared`: one input for all, a convolution with more filters."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, parts: Sequence[nn.Module], members: Members, shared: bool) -> None:
        super().__init__(parts, members)
        conv = parts[0]
        assert isinstance(conv, nn.Conv1d | nn.Conv2d | nn.Conv3d)
        self.run = (F.conv1d, F.conv2d, F.conv3d)[len(conv.kernel_size) - 1]
        self.shared = shared
        self.stride, self.padding, self.dilation, self.groups = (
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups,
        )

    def forward(self, x: Tensor) -> Tensor:
        bias = getattr(self, "bias", None)
        groups = self.groups if self.shared else self.groups * len(self.members)
        filters = self.weight.flatten(0, 1)
        y: Tensor = self.run(
            x,
            filters,
            None if bias is None else bias.flatten(),
            self.stride,
            self.padding,
            self.dilation,
            groups,
        )
        return y


class BatchNorm(Layer):
    """Folded: each channel of each member by its own statistics."""

    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, x: Tensor) -> Tensor:
        norm = self.parts[0]
        assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
        if self.training:
            self.num_batches_tracked += 1
        mean, variance = self.running_mean.view(-1), self.running_var.view(-1)
        weight, bias = _flat(self, "weight"), _flat(self, "bias")
        assert norm.momentum is not None
        return F.batch_norm(x, mean, variance, weight, bias, self.training, norm.momentum, norm.eps)


class GroupNorm(Layer):
    """Folded."""

    def forward(self, x: Tensor) -> Tensor:
        norm = self.parts[0]
        assert isinstance(norm, nn.GroupNorm)
        groups = norm.num_groups * len(self.members)
        return F.group_norm(x, groups, _flat(self, "weight"), _flat(self, "bias"), norm.eps)


class InstanceNorm(Layer):
    """Folded."""

    def forward(self, x: Tensor) -> Tensor:
        norm = self.parts[0]
        assert isinstance(norm, nn.InstanceNorm1d | nn.InstanceNorm2d | nn.InstanceNorm3d)
        return F.instance_norm(x, weight=_flat(self, "weight"), bias=_flat(self, "bias"), eps=norm.eps)


class LastAxisNorm(Layer):
    """Stacked: layer norm and rms norm over the last axis."""

    def forward(self, x: Tensor) -> Tensor:
        norm = self.parts[0]
        if isinstance(norm, nn.LayerNorm):
            y = F.layer_norm(x, norm.normalized_shape, eps=norm.eps)
        else:
            assert isinstance(norm, nn.RMSNorm)
            y = F.rms_norm(x, list(norm.normalized_shape), eps=norm.eps)
        weight, bias = getattr(self, "weight", None), getattr(self, "bias", None)
        if weight is not None:
            y = y * _over(weight, x)
        return y if bias is None else y + _over(bias, x)


class SampleNorm(Layer):
    """Stacked maps: each sample divided by its root mean square, then scaled per channel."""

    def forward(self, x: Tensor) -> Tensor:
        eps: float = self.parts[0].eps  # type: ignore[assignment]
        y = x * torch.rsqrt(x.square().mean(tuple(range(2, x.dim())), keepdim=True) + eps)
        weight = getattr(self, "weight", None)
        return y if weight is None else y * weight.unsqueeze(1)


def _flat(layer: nn.Module, name: str) -> Tensor | None:
    tensor: Tensor | None = getattr(layer, name, None)
    return None if tensor is None else tensor.flatten()


def _over(scale: Tensor, x: Tensor) -> Tensor:
    """(members, features) against (members, batch, …, features)."""
    return scale.reshape(len(scale), *[1] * (x.dim() - 2), scale.shape[-1])
