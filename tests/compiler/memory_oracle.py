"""What autograd keeps for the backward pass, counted as torch does it: the oracle of planned memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Kept:
    """Bytes of all storages that a forward pass leaves for its backward pass, each counted once.

    Weights are left out: they are there anyway.
    """

    def __init__(self, network: nn.Module) -> None:
        self._own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())}
        self._alive: list[Tensor] = []  # so that no address is used twice
        self.storages: dict[int, int] = {}

    def _pack(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._own:
            self._alive.append(tensor)
            self.storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    def __enter__(self) -> Kept:
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda tensor: tensor)
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)

    def total(self) -> int:
        return sum(self.storages.values())
