"""Recurrent layers of torch keep a list of their weights, which parametrizations do not reach by themselves."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.utils import parametrize


def follow_parametrizations(rnn: nn.RNNBase) -> None:
    """Let a parametrized layer compute with the weights of the moment.

    Outside `forward` its list holds detached copies, since a module that keeps tensors of a past graph can
    neither be copied nor moved. The class is its own since it was parametrized, and a copy keeps it.
    """
    cls: Any = type(rnn)
    plain = cls.forward

    def forward(self: Any, *inputs: Any) -> Any:
        with parametrize.cached():
            self._flat_weights = [getattr(self, name) for name in self._flat_weights_names]
            try:
                return plain(self, *inputs)
            finally:
                self._init_flat_weights()

    cls.forward = forward
    cls._init_flat_weights = _detached
    cls._update_flat_weights = lambda self: None  # torch's own looks for weights that have been replaced
    rnn._init_flat_weights()


def _detached(self: nn.RNNBase) -> None:
    weights: list[Tensor] = [getattr(self, name).detach() for name in self._flat_weights_names]
    self._flat_weights = weights  # type: ignore[assignment]
