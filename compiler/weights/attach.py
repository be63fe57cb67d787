"""Puts weight methods on the layers of an operation, freezes them, and takes methods off again for export."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils import parametrize

from compiler.weights.intrinsic import Intrinsic
from compiler.weights.lora import LoRA
from compiler.weights.lora_sb import LoRASB
from compiler.weights.lora_xs import LoRAXS
from compiler.weights.low_rank import LowRank
from compiler.weights.mask_tuned import MaskTuned
from compiler.weights.nm_sparse import NMSparse
from compiler.weights.orthogonal import Orthogonal
from compiler.weights.recurrent import follow_parametrizations
from compiler.weights.spectral_norm import SpectralNorm
from compiler.weights.svfit import SVFit
from compiler.weights.transform import WeightTransform
from compiler.weights.weight_compander import WeightCompander
from compiler.weights.weight_norm import WeightNorm
from compiler.weights.weight_standardized import WeightStandardized
from nasdsl.language.network import Spec
from nasdsl.language.signatures.matrices import Matrix
from nasdsl.language.signatures.methods import covers, factored_rank

Site = tuple[nn.Module, str]  # a module, and the name of a weight in it
Vectors = Mapping[tuple[int, bool], nn.Parameter]  # those of `intrinsic`, by d and said
Make = Callable[[Tensor, Any, Matrix, Vectors], WeightTransform]

TRANSFORMS: Mapping[str, Make] = {
    "weight_norm": lambda w, a, m, v: WeightNorm(w),
    "spectral_norm": lambda w, a, m, v: SpectralNorm(w),
    "orthogonal": lambda w, a, m, v: Orthogonal(),
    "weight_standardized": lambda w, a, m, v: WeightStandardized(),
    "weight_compander": lambda w, a, m, v: WeightCompander(w, a["ratio"], a["decay_on"]),
    "low_rank": lambda w, a, m, v: LowRank(w, factored_rank(a, m)),
    "nm_sparse": lambda w, a, m, v: NMSparse(w, a["n"], a["m"], a["decay"]),
    "mask_tuned": lambda w, a, m, v: MaskTuned(w, a["threshold"], a["grad_dropout"], a["select"]),
    "svfit": lambda w, a, m, v: SVFit(w, a["rank"]),
    "lora": lambda w, a, m, v: LoRA(w, a["rank"], a["scale"]),
    "lora_xs": lambda w, a, m, v: LoRAXS(w, a["rank"], a["scale"]),
    "lora_sb": lambda w, a, m, v: LoRASB(w, a["rank"], a["step"]),
    "intrinsic": lambda w, a, m, v: Intrinsic(w, v[a["d"], a["said"]], a["d"], a["said"]),
}


def sites(module: nn.Module) -> list[Site]:
    """The weights of an operation's module, in the order in which `matrices.MATRICES` lists them."""
    found: list[Site] = []
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.modules.conv._ConvNd):
            found.append((part, "weight"))
        elif isinstance(part, nn.RNNBase):
            found += [(part, name) for name in part._flat_weights_names if name.startswith("weight")]
    return found


def reparametrize(
    module: nn.Module, methods: tuple[Spec, ...], matrices: tuple[Matrix, ...], vectors: Vectors
) -> None:
    """Put the methods on every weight of an operation's module that they cover, starting from what it holds."""
    for (owner, name), matrix in zip(sites(module), matrices, strict=True):
        acting = [method for method in methods if covers(method, matrix)]
        if acting:
            _put_on(owner, name, acting, matrix, vectors)
    for part in module.modules():
        if isinstance(part, nn.RNNBase) and parametrize.is_parametrized(part):
            follow_parametrizations(part)


def _put_on(owner: nn.Module, name: str, methods: list[Spec], matrix: Matrix, vectors: Vectors) -> None:
    weight = getattr(owner, name).detach().clone()
    transforms = [TRANSFORMS[m.name](weight, m.arguments, matrix, vectors) for m in methods]
    for transform in transforms:
        parametrize.register_parametrization(owner, name, transform, unsafe=True)
    setattr(owner, name, weight)  # all of them have to start from it, not only the first
    if any(transform.freezes for transform in transforms):
        held: Any = owner.parametrizations
        for key, tensor in held[name].named_parameters(recurse=False):
            assert key.startswith("original"), key
            tensor.requires_grad_(False)


def freeze(module: nn.Module) -> None:
    """Stop training what a module holds, but for what tuning methods have added to it.

    Norms over batches keep the statistics that they have. Networks within it, the experts of `widen`, say for
    themselves what is frozen in them.
    """
    inner = {
        part for graph in module.modules() if isinstance(graph, fx.GraphModule) for part in graph.modules()
    }
    for part in module.modules():
        if part in inner:
            continue
        if not getattr(part, "freezes", False):
            for tensor in part.parameters(recurse=False):
                tensor.requires_grad_(False)
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.register_forward_pre_hook(_as_in_evaluation)


def _as_in_evaluation(norm: nn.Module, inputs: object) -> None:
    norm.eval()


def merged(module: nn.Module) -> nn.Module:
    """A copy with plain weights that computes what the module computes in evaluation; the module stays as it is."""
    found = copy.deepcopy(module).eval()
    for part in list(found.modules()):
        if parametrize.is_parametrized(part):
            _take_off(part)
    return found


@torch.no_grad()
def _take_off(owner: nn.Module) -> None:
    """As torch's remove_parametrizations, but for copies too, which have their class in common with the original."""
    held: Any = owner.parametrizations
    kept = {name: _merged_weight(parts) for name, parts in held.items()}
    del owner.parametrizations
    owner.__class__ = type(owner).__bases__[0]
    for name, weight in kept.items():
        owner.register_parameter(name, nn.Parameter(weight))
    if isinstance(owner, nn.RNNBase):
        owner._init_flat_weights()


def _merged_weight(held: parametrize.ParametrizationList) -> Tensor:
    values: list[Tensor] = [
        t for key, t in held.named_parameters(recurse=False) if key.startswith("original")
    ]
    for transform in held:
        assert isinstance(transform, WeightTransform)
        values = [transform.merge(*values)]
    return values[0].clone()
