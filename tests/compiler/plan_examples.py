"""Hand-made decided networks for the tests of the compiler."""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.network import Decided, Layer, Spec, Value
from nasdsl.language.point import Point
from nasdsl.language.shapes import Shape, shape_of
from nasdsl.language.signatures.layers import LAYER_SIGNATURES

_ROWS = {row.name: row for row in LAYER_SIGNATURES}


def _need(condition: bool | None, message: str, help: str) -> None:
    assert condition, message


class Net:
    """Collects layers; each call returns the name of the layer it adds."""

    def __init__(self) -> None:
        self.layers: dict[str, Layer] = {}

    def input(self, *dims: int, name: str = "input", layout: str | None = None) -> str:
        shape = Shape(dims, layout) if layout else shape_of(dims)
        self.layers[name] = Layer(name, name, "input", {}, (), shape)
        return name

    def __call__(
        self, op: str, *inputs: str, name: str | None = None, inserted: bool = False, **given: Value
    ) -> str:
        row = _ROWS[op]
        arguments = {a.name: a.default for a in row.arguments} | given
        shapes = tuple(self.layers[i].shape for i in inputs)
        assert row.shape is not None
        shape = row.shape(arguments, shapes, _need)
        name = name or f"{op}_{len(self.layers)}"
        path = f"network/{name}"
        self.layers[name] = Layer(name, path, op, arguments, inputs, shape, inserted)
        return name

    def decided(self, outputs: Mapping[str, str] | str) -> Decided:
        outputs = {"output": outputs} if isinstance(outputs, str) else outputs
        return Decided(Point({}), tuple(self.layers.values()), outputs, {}, {})


def residual_image() -> Decided:
    net = Net()
    x = net.input(1, 8, 8)
    a = net("conv2d", x, filters=8, kernel=3, name="stem")
    b = net("batch_norm", a)
    c = net("relu", b)
    d = net("separable_conv2d", c, filters=12, stride=2, kernel=4, name="inner")
    e = net("gelu", d)
    p = net("project", c, width=12, size=(4, 4), inserted=True, name="shortcut")
    s = net("add", e, p, name="sum")
    g = net("global_avg_pool", s)
    h = net("dropout", g, rate=0.25)
    m = net("mlp", h, hidden=20, act=Spec("silu"))
    return net.decided(net("linear", m, width=10, name="head"))


def sequence_gru() -> Decided:
    net = Net()
    x = net.input(1, 40)
    a = net("conv1d", x, filters=6, stride=2)
    b = net("layer_norm", a)
    c = net("gru", b, width=9, keep="last")
    return net.decided(net("linear", c, width=10))


def two_by_two() -> Decided:
    """Two inputs, two outputs."""
    net = Net()
    image = net.input(3, 6, 6, name="image")
    table = net.input(5, name="table")
    v = net("flatten", net("max_pool", net("conv2d", image, filters=4), window=2))
    t = net("relu", net("linear", table, width=7))
    both = net("concat", v, t)
    return net.decided(
        {"cls": net("linear", both, width=3, name="half"), "box": net("linear", both, width=4, name="type")}
    )


def perceptron(layers: int = 20, width: int = 64) -> Decided:
    net = Net()
    x = net.input(width)
    for _ in range(layers):
        x = net("relu", net("linear", x, width=width))
    return net.decided(x)


NETWORKS = {
    "residual_image": residual_image,
    "sequence_gru": sequence_gru,
    "two_by_two": two_by_two,
    "perceptron": perceptron,
}
