"""How much memory the training of a decided network takes: weights, their gradients, what the optimizer keeps
of each, and what the forward pass keeps for the backward pass at the batch size of the point. What is frozen has no
gradients and no states, and keeps something only where a gradient goes on beyond it.

All in float32, on the CPU, in bytes. Two layers that keep one value count it once, so this does not add up layer by
layer along a walk: it is worked out of finished points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nasdsl.language.network import Decided, Layer, Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.kept_in_place import kept_in_place, weights_kept
from nasdsl.language.signatures.rules import positions
from nasdsl.language.signatures.structure import applications, copies_of
from nasdsl.language.signatures.table import LAYERS, TRAINING
from nasdsl.language.signatures.weighing import costs

_FLOAT = 4  # bytes


def train_memory(decided: Decided, params: int, trainable: int) -> int:
    """Bytes at the end of a forward pass in training, gradients and optimizer there already; at the default batch
    size where a law is to say it."""
    batch, optimizer = _setting(decided, "batch_size"), _setting(decided, "optimizer")
    if not isinstance(batch, int):  # a law, of data that nobody has seen yet
        batch = TRAINING["batch_size"].arguments[0].default
    assert isinstance(batch, int) and isinstance(optimizer, Spec)
    useful = _useful(decided.layers, set(decided.outputs.values()))
    shapes = {layer.name: layer.shape for layer in decided.layers}
    outputs = [shapes[name] for name in decided.outputs.values()]
    losses = sum(
        _numbers(shape) + 2 * positions(shape) for shape in outputs
    )  # each has its input and its target
    idle = sum(_own_params(layer, shapes) for layer in decided.layers if layer.name not in useful)
    trained = max(0, trainable - idle)
    weights = params + trained * (1 + states(optimizer))
    kept, once = _kept_numbers(decided.layers, useful)
    return _FLOAT * (weights + once + batch * (kept + losses))


def _useful(layers: tuple[Layer, ...], useful: set[str]) -> set[str]:
    """The layers that a gradient reaches."""
    for layer in reversed(layers):
        if layer.name in useful and layer.op != "zero":
            useful.update(layer.inputs)
    return useful


def states(optimizer: Spec) -> int:
    """Numbers that an optimizer keeps for each weight."""
    return STATES[optimizer.name](optimizer.arguments)


def _momentum(arguments: Mapping[str, Value]) -> int:
    return 1 if arguments.get("momentum") else 0


STATES: Mapping[str, Callable[[Mapping[str, Value]], int]] = {
    "sgd": _momentum,
    "rmsprop": lambda arguments: 1 + _momentum(arguments),
    "adam": lambda arguments: 2,
    "adamw": lambda arguments: 2,
    "lion": lambda arguments: 1,
    "muon": lambda arguments: 1,
}


def _setting(decided: Decided, name: str) -> Value:
    value = decided.settings.get(name)
    return TRAINING[name].arguments[0].default if value is None else value


def _kept_numbers(layers: tuple[Layer, ...], useful: set[str], learned: bool = False) -> tuple[int, int]:
    """Float32 numbers that the useful layers keep of one sample, and once for all of them; `learned`: whether a
    gradient goes on beyond their input."""
    shapes = {layer.name: layer.shape for layer in layers}
    memory = {layer.name: layer.name for layer in layers}  # a value -> the value whose memory it is
    learning = {layers[0].name} if learned else set()
    kept: set[str] = set()
    inner = once = 0
    for layer in layers:
        inputs = tuple(shapes[name] for name in layer.inputs)
        passes = not learning.isdisjoint(layer.inputs)
        if layer.op == "input" or not (passes or _learns(layer, shapes)):
            continue
        if layer.name not in useful or layer.op == "zero":
            continue
        learning.add(layer.name)
        found = kept_in_place(layer.op, layer.arguments, inputs, layer.shape)
        inner += found.inner
        once += weights_kept(layer.op, layer.arguments, inputs, layer.shape, passes)
        if layer.body is not None:
            within = _useful(layer.body.layers, {layer.body.output})
            kept_within, once_within = _kept_numbers(layer.body.layers, within, passes)
            inner += applications(layer.arguments, inputs[0]) * kept_within
            once += copies_of(layer.arguments) * once_within
        kept.update(memory[name] for name in found.stay(layer.inputs))
        if found.output:
            kept.add(layer.name)
        if found.alias:
            memory[layer.name] = memory[layer.inputs[0]]
    return inner + sum(_numbers(shapes[name]) for name in kept), once


def _learns(layer: Layer, shapes: Mapping[str, Shape]) -> bool:
    """Whether anything in a layer is trained."""
    if _own_params(layer, shapes) > 0:
        return True
    if layer.body is None:
        return False
    inner = {one.name: one.shape for one in layer.body.layers}
    return any(_learns(one, inner) for one in layer.body.layers)


def _own_params(layer: Layer, shapes: Mapping[str, Shape]) -> int:
    """The trained weights of a layer, those of a body left out."""
    row = LAYERS.get(layer.op)
    inputs = tuple(shapes[name] for name in layer.inputs)
    return costs(row, layer.arguments, inputs, layer.shape).trainable if row is not None else 0


def _numbers(shape: Shape) -> int:
    numbers = shape.numel()
    assert isinstance(numbers, int), shape
    return 2 * numbers if shape.layout == "index" else numbers  # symbols are int64
