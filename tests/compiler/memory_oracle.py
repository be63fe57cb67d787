"""What autograd keeps for the backward pass, counted as torch does it: the oracle of planned memory."""

from __future__ import annotations

from weakref import ref

import torch
from torch import Tensor, nn


class _Box:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class Kept:
    """Bytes of all storages that a forward pass leaves for its backward pass, each counted once.

    Weights are left out: they are there anyway.
    """

    def __init__(self, network: nn.Module) -> None:
        self._own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())}
        self._boxes: list[ref[_Box]] = []  # weak: what no output needs goes with the graph that has it

    def _pack(self, tensor: Tensor) -> _Box:
        box = _Box(tensor.detach())  # without its own graph, which would hold on to itself
        self._boxes.append(ref(box))
        return box

    def __enter__(self) -> Kept:
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda box: box.tensor)
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)

    def total(self) -> int:
        """While the outputs are there."""
        storages = [box.tensor.untyped_storage() for one in self._boxes if (box := one()) is not None]
        sizes = {storage.data_ptr(): storage.nbytes() for storage in storages}
        return sum(size for address, size in sizes.items() if address not in self._own)
