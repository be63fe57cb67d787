"""The structural hash of a network: equal for equal networks, whatever they are called.

Names, paths and the order of commutative inputs take no part; nodes that pass one input on unchanged
are dropped. Each node gets a digest of all that it is made of, then one of all that is made of it; the
hash is taken over the collection of both, so that two equal layers on one input differ from one layer
used twice. (Colour refinement of Weisfeiler and Leman 1968 along the two directions of the graph, which tells all
networks apart but some of many equal layers that are summed in a symmetric pattern.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol

from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Columns

_COMMUTATIVE = frozenset({"add", "mul", "mean"})
_PASSING = frozenset({"identity"})  # with one input, merges pass it on as well
_MERGES = frozenset({"add", "mul", "mean", "concat"})
_DIGEST_BYTES = 16


class Hashed(Protocol):
    """A network whose structure is known."""

    @property
    def hash(self) -> str: ...


class Structure(Protocol):
    """What of a node takes part. Read-only, so that frozen nodes fit."""

    @property
    def name(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def arguments(self) -> Mapping[str, Value]: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def layout(self) -> str: ...
    @property
    def columns(self) -> Columns: ...
    @property
    def shares(self) -> str: ...
    @property
    def body(self) -> Hashed | None: ...


def structural_hash(nodes: Sequence[Structure], outputs: Mapping[str, str]) -> str:
    """Hex digest of a network whose nodes stand in topological order.

    Inputs count by their position, outputs by their name where there are several.
    """
    stands_for = _stands_for(nodes)
    kept = [node for node in nodes if stands_for[node.name] == node.name]
    sources = {node.name: tuple(stands_for[name] for name in node.inputs) for node in kept}
    named = len(outputs) > 1
    results = [(name if named else "", stands_for[outputs[name]]) for name in sorted(outputs)]
    made_of = _downwards(kept, sources)
    used_by = _upwards(kept, sources, made_of, results)
    return _digest(sorted(f"{made_of[node.name]} {used_by[node.name]}" for node in kept))


def _stands_for(nodes: Sequence[Structure]) -> dict[str, str]:
    """The node whose value each node has: itself, unless it passes its only input on."""
    stands_for: dict[str, str] = {}
    for node in nodes:
        passes = node.op in _PASSING or (node.op in _MERGES and len(node.inputs) == 1)
        stands_for[node.name] = stands_for[node.inputs[0]] if passes else node.name
    return stands_for


def _downwards(nodes: Sequence[Structure], sources: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """A digest of each node with all that it is made of."""
    made_of: dict[str, str] = {}
    columns = {node.name: node.columns for node in nodes}
    n_inputs = 0
    for node in nodes:
        parts = [made_of[name] for name in sources[node.name]]
        if node.op in _COMMUTATIVE:
            parts.sort()
        if len(set(sources[node.name])) < len(
            parts
        ):  # else two equal nodes read once would pass for one read twice
            parts.append(_repeated(node, sources[node.name], made_of))
        label = canonical(_telling(node.arguments, node.shape))
        if not node.inputs:
            label, n_inputs = f"{n_inputs} {node.layout}", n_inputs + 1
        if node.body is not None:
            parts.append(node.body.hash)
        if node.op == "embed_columns":
            parts.append(repr([size for _, size in columns[sources[node.name][0]]]))
        if node.shares:
            parts.append(f"weights of {made_of[node.shares]}")
        made_of[node.name] = _digest((node.op, label, repr(node.shape), *parts))
    return made_of


def _telling(arguments: Mapping[str, Value], shape: tuple[int, ...]) -> Mapping[str, Value]:
    """Without `weight_on` where it says nothing, as all matrices are meant or all are plain anyway, and without
    `head_dim` where it is what each head has of the width."""
    weight = arguments.get("weight")
    plain = not isinstance(weight, Spec) or weight.name == "plain"
    silent = {"weight_on"} if plain or arguments.get("weight_on") == "qkvo" else set()
    if "head_dim" in arguments and _is_share(arguments["head_dim"], arguments["heads"], shape[-1]):
        silent.add("head_dim")
    return {name: a for name, a in arguments.items() if name not in silent}


def _is_share(size: Value, heads: Value, width: int) -> bool:
    return size is None or (isinstance(size, int) and isinstance(heads, int) and size * heads == width)


def _repeated(node: Structure, inputs: tuple[str, ...], made_of: Mapping[str, str]) -> str:
    """Which inputs of a node are one and the same: how often each is read, or where it was read first."""
    if node.op in _COMMUTATIVE:
        return " ".join(sorted(f"{made_of[name]}*{inputs.count(name)}" for name in set(inputs)))
    return " ".join(str(inputs.index(name)) for name in inputs)


def _upwards(
    nodes: Sequence[Structure],
    sources: Mapping[str, tuple[str, ...]],
    made_of: Mapping[str, str],
    results: Iterable[tuple[str, str]],
) -> dict[str, str]:
    """A digest of each node with all that reads it, directly or not."""
    readers: dict[str, list[str]] = {node.name: [] for node in nodes}
    for output, name in results:
        readers[name].append(f"output {output}")
    used_by: dict[str, str] = {}
    for node in reversed(nodes):
        used_by[node.name] = _digest((made_of[node.name], *sorted(readers[node.name])))
        for place, name in enumerate(sources[node.name]):
            place_or_any = "" if node.op in _COMMUTATIVE else str(place)
            readers[name].append(f"{place_or_any} {used_by[node.name]}")
        if node.shares:
            readers[node.shares].append(f"weights {used_by[node.name]}")
    return used_by


def canonical(value: Value | Mapping[str, Value]) -> str:
    """One text for one value: arguments sorted, numbers as Python prints them."""
    if isinstance(value, Spec):
        return f"{value.name}{canonical(value.arguments)}"
    if isinstance(value, Mapping):
        return "(" + ",".join(f"{name}={canonical(value[name])}" for name in sorted(value)) + ")"
    return repr(value)


def _digest(parts: Iterable[str]) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=_DIGEST_BYTES).hexdigest()
