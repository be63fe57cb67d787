"""Weights that a network starts from: read from a safetensors file, or given by a Python function of the author.

What fits where is never guessed: every tensor of a pretrained layer must be found, in its shape, or the build fails
and says which layer lacks what. What stands around a body (an adapter, a gate, the router of experts) is new to the
network of the file and begins as ever, unless the file has it. Each expert starts from the file; the plan of a body
is built, and so started, by itself.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from compiler.errors import PretrainedError
from compiler.plan import Node, Plan
from nasdsl.language.network import Spec
from nasdsl.language.recording import identifier
from nasdsl.language.signatures.table import LAYERS
from nasdsl.language.signatures.weighing import PRETRAINED
from nasdsl.language.suggest import did_you_mean

_OPTIONAL = "num_batches_tracked"  # counts the batches of a norm; older files lack it


def refuse_experts_in_order(plan: Plan) -> None:
    """Raise PretrainedError where experts would start from layers that are counted off in a file."""
    for node in plan.nodes:
        start = node.arguments.get(PRETRAINED)
        if node.body is not None and isinstance(start, Spec) and start["match"] == "order":
            raise PretrainedError(
                f"{node.path} has experts, which all start from the same layers of {start['file']}, in no order\n"
                "help: give its layers the names that they have in the file, and leave out `match = order`"
            )


def start_from_files(plan: Plan, modules: Mapping[str, nn.Module]) -> None:
    """Load the weights of all pretrained layers; `modules` are those with plain weights, by the name of the node.

    Raises PretrainedError for a file that cannot be read, and for what does not fit.
    """
    bodies: dict[tuple[str, str], list[Node]] = {}
    starts: dict[tuple[str, str], Spec] = {}
    for node in plan.nodes:
        start = node.arguments.get(PRETRAINED)
        if isinstance(start, Spec) and not node.shares:
            key = str(start["file"]), str(start["under"])
            starts[key] = start
            bodies.setdefault(key, []).append(node)
    for key, nodes in bodies.items():
        found = _named(starts[key], tensors_of(key[0], Path(plan.folder)))
        if starts[key]["match"] == "order":
            _in_order(key[0], [node for node in nodes if not _is_around(node)], modules, found)
        else:
            _by_name(key, nodes, modules, found)


def tensors_of(file: str, folder: Path) -> Mapping[str, Tensor]:
    """The tensors of a file below `folder`, or those that "package.module:function" returns (a mapping or a module)."""
    if ":" in file:
        module, _, function = file.partition(":")
        try:
            made = getattr(importlib.import_module(module), function)()
        except (ImportError, AttributeError) as error:
            raise PretrainedError(f"`{file}` cannot be called: {error}") from error
        return made.state_dict() if isinstance(made, nn.Module) else dict(made)
    path = folder / file
    if not path.is_file():
        near = did_you_mean(path.name, [one.name for one in path.parent.glob("*.safetensors")])
        raise PretrainedError(
            "\n".join([f"there is no file {path} to start from", *([f"help: {near}"] if near else [])])
        )
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise PretrainedError(f"{path} is no safetensors file: {error}") from error
    return tensors


def _is_around(node: Node) -> bool:
    """Whether an operation stands around a body, and what it holds is its own or the experts'."""
    return LAYERS[node.op].group == "wrapper"


def _named(start: Spec, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with the prefix, which is taken off."""
    prefix = str(start["prefix"])
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


# --- by name --------------------------------------------------------------------------------


def _by_name(
    body: tuple[str, str], nodes: list[Node], modules: Mapping[str, nn.Module], found: Mapping[str, Tensor]
) -> None:
    file, under = body
    for node in nodes:
        held = _held(node, modules[node.name])
        if _is_around(node) and found.keys().isdisjoint(
            n for k in held for n in _names(node, under, k, held)
        ):
            continue
        for key, tensor in held.items():
            names = _names(node, under, key, held)
            name = next((one for one in names if one in found), None)
            if name is not None:
                _copy(file, node, name, found[name], tensor)
            elif not key.endswith(_OPTIONAL):
                near = did_you_mean(names[0], found) or f"it has {_listed(found)}"
                raise PretrainedError(f"{file} has no `{names[0]}` for {node.path}\nhelp: {near}")


def _held(node: Node, module: nn.Module) -> dict[str, Tensor]:
    """The tensors that a node starts from a file by itself: not those of its experts."""
    return {k: t for k, t in module.state_dict().items() if node.body is None or not k.startswith("experts.")}


def _names(node: Node, under: str, key: str, held: Mapping[str, Tensor]) -> list[str]:
    """What a file may call a tensor of a layer, the likeliest first."""
    return [f"{layer}.{end}" for layer in _layer_names(node, under) for end in _ends(key, held)]


def _layer_names(node: Node, under: str) -> list[str]:
    """What a file may call a layer: by its path in the body, with dots or as an attribute, or by that in the network."""
    inner = node.path.partition(f"/{under}/")[2]
    return list(dict.fromkeys([inner.replace("/", "."), identifier(inner), node.name]))


def _ends(key: str, held: Mapping[str, Tensor]) -> list[str]:
    """The name of a tensor in its layer, also without the modules in between where one tensor has that last name."""
    last = key.rpartition(".")[2]
    alone = sum(other.rpartition(".")[2] == last for other in held) == 1
    return [key, last] if alone and last != key else [key]


# --- by order -------------------------------------------------------------------------------


def _in_order(
    file: str, nodes: list[Node], modules: Mapping[str, nn.Module], found: Mapping[str, Tensor]
) -> None:
    groups = iter(_groups(found).items())
    for node, held in _parts(nodes, modules):
        name, group = next(groups, ("", {}))
        wanted = {key for key in held if not key.endswith(_OPTIONAL)}
        if not wanted <= group.keys():
            there = f"`{name}` with {_listed(group)}" if name else "no more layers"
            raise PretrainedError(
                f"{node.path} has {_listed(held)}, and next in the order of {file} is {there}\n"
                "help: layers are matched one by one; write the body as the file has it, or use `match = name`"
            )
        for key in held.keys() & group.keys():
            _copy(file, node, f"{name}.{key}", group[key], held[key])


def _groups(found: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The tensors of each layer of a file, layers in the natural order of their names: `conv2` before `conv10`."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name in sorted(found, key=_natural):
        layer, _, end = name.rpartition(".")
        groups.setdefault(layer, {})[end] = found[name]
    return groups


def _natural(name: str) -> list[tuple[bool, int, str]]:
    return [
        (part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.findall(r"\d+|\D+", name)
    ]


def _parts(nodes: list[Node], modules: Mapping[str, nn.Module]) -> Iterator[tuple[Node, dict[str, Tensor]]]:
    """The modules with tensors of their own, in order, each with the node that it belongs to."""
    for node in nodes:
        for part in modules[node.name].modules():
            own = [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]
            if own:
                yield node, {name: tensor.detach() for name, tensor in own}


# --- tensors --------------------------------------------------------------------------------


def _copy(file: str, node: Node, name: str, found: Tensor, into: Tensor) -> None:
    if found.shape != into.shape:
        raise PretrainedError(
            f"`{name}` of {file} is {tuple(found.shape)}, and {node.path} takes {tuple(into.shape)}\n"
            "help: give the layer the width and kernel that the file was trained with, and the input it had"
        )
    if not into.is_meta:
        with torch.no_grad():
            into.copy_(found)


def _listed(names: Mapping[str, Tensor]) -> str:
    shown = [f"`{name}` {tuple(tensor.shape)}" for name, tensor in names.items()]
    return ", ".join(shown[:6]) + (" …" if len(shown) > 6 else "") if shown else "nothing"
