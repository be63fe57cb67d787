"""How one tensor holds the same value of every member of a group.

SHARED   (batch, …)               one value for all: the inputs, where all members see the same samples
STACKED  (members, batch, …)      vectors and tokens: batched matrix products
FOLDED   (batch, members * channels, …)   maps: grouped convolutions, and norms and pools as they are
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import torch
from torch import Tensor, nn


class Unfusable(Exception):
    """The networks cannot be trained as one program; the message says what stands in the way."""


class Form(Enum):
    SHARED = auto()
    STACKED = auto()
    FOLDED = auto()


@dataclass(eq=False)
class Members:
    """Who is in the group: one generator for each, for what it draws itself. Shrinks when members leave."""

    generators: list[torch.Generator]
    channels_last: bool = False  # how the separate networks would hold their maps, and so draw for them

    def __len__(self) -> int:
        return len(self.generators)

    def keep(self, places: list[int]) -> None:
        self.generators = [self.generators[place] for place in places]


class To(nn.Module):
    """One form to another."""

    def __init__(self, source: Form, target: Form, members: Members) -> None:
        super().__init__()
        self.source, self.target, self.members = source, target, members

    def forward(self, x: Tensor) -> Tensor:
        n = len(self.members)
        match self.source, self.target:
            case Form.SHARED, Form.STACKED:
                return x.expand(n, *x.shape)
            case Form.SHARED, Form.FOLDED:
                return x.unsqueeze(1).expand(x.shape[0], n, *x.shape[1:]).flatten(1, 2)
            case Form.STACKED, Form.FOLDED:
                return x.transpose(0, 1).flatten(1, 2)
            case Form.FOLDED, Form.STACKED:
                return x.reshape(x.shape[0], n, -1, *x.shape[2:]).transpose(0, 1)
        return x


class Steps(nn.Module):
    """Modules one after the other."""

    def __init__(self, *steps: nn.Module) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)

    def forward(self, *inputs: Tensor) -> Tensor:
        first, *others = self.steps
        x: Tensor = first(*inputs)
        for step in others:
            x = step(x)
        return x


class Each(nn.Module):
    """A module of several inputs, each brought into its form first."""

    def __init__(self, forms: list[nn.Module], joined: nn.Module) -> None:
        super().__init__()
        self.forms, self.joined = nn.ModuleList(forms), joined

    def forward(self, *inputs: Tensor) -> Tensor:
        y: Tensor = self.joined(*(form(x) for form, x in zip(self.forms, inputs, strict=True)))
        return y
