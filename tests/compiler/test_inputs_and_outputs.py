"""Networks of several named inputs and outputs, from the check to a module."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from compiler.build import build
from compiler.export import export_onnx, export_python
from compiler.plan import plan
from nasdsl.language.errors import SpaceError
from nasdsl.language.reading import load, parse
from nasdsl.language.space import Space
from nasdsl.training import open_data

TASK = "task classification on shapes(image = shape(1, 8, 8), table = shape(5), classes = 3)\n"
BODY = """network(table, image) {
    dag {
        v = { conv2d(4 | 8); global_avg_pool } from image
        t = linear(4) from table
        both = concat from v, t
        output.cls = linear(outputs) from both
        output.box = linear(4) from both, both
    }
}
"""


def two_towers() -> Space:
    return parse(TASK + BODY)


def codes(text: str) -> list[str]:
    with pytest.raises(SpaceError) as caught:
        parse(text)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def test_inputs_and_outputs_go_by_name() -> None:
    space = two_towers()
    assert space.count() == 2
    planned = plan(space, space.sample(0))
    assert dict(planned.inputs) == {"image": (1, 8, 8), "table": (5,)}
    assert list(planned.outputs) == ["cls", "box"]
    module = build(planned).eval()
    x = {"image": torch.randn(2, 1, 8, 8), "table": torch.randn(2, 5)}
    out = module(**x)
    assert {name: tuple(y.shape) for name, y in out.items()} == {"cls": (2, 3), "box": (2, 4)}
    assert sum(p.numel() for p in module.parameters()) == planned.params


def test_they_are_exported(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    space = two_towers()
    planned = plan(space, space.sample(0))
    module = build(planned, seed=0).eval()
    x = {"image": torch.randn(3, 1, 8, 8), "table": torch.randn(3, 5)}
    export_onnx(planned, module, tmp_path / "net.onnx")
    export_python(planned, module, tmp_path / "net.py")
    session = ort.InferenceSession(tmp_path / "net.onnx")
    found = dict(zip(planned.outputs, session.run(None, {n: t.numpy() for n, t in x.items()}), strict=True))
    scope: dict[str, object] = {"__file__": str(tmp_path / "net.py"), "__name__": "net"}
    exec((tmp_path / "net.py").read_text(), scope)
    written = scope["load"]()(*x.values())  # type: ignore[operator]
    for name, y in module(**x).items():
        assert np.allclose(found[name], y.detach().numpy(), atol=1e-5)
        assert torch.allclose(written[name], y, atol=1e-6)


def test_one_input_is_called_as_it_pleases() -> None:
    text = "task classification on digits\nnetwork(picture) { dag { a = relu from picture; b = gelu from input; output = add from a, b }; flatten; linear(outputs) }"
    space = parse(text)
    assert [layer.inputs for layer in space.decided(space.default()).layers][1:3] == [("input",), ("input",)]


def test_the_first_input_flows_and_others_can_be_read_further_down() -> None:
    text = (
        TASK
        + "network(image, table) { conv2d(4); global_avg_pool; dag { output = concat from input, table }; linear(outputs) }"
    )
    space = parse(text)
    layers = {layer.name: layer for layer in space.decided(space.default()).layers}
    assert layers["concat" if "concat" in layers else "output"].inputs == ("global_avg_pool", "table")


def test_names_are_those_of_the_data() -> None:
    assert codes(TASK + "network(a, b) { dag { output = linear(outputs) from b } }") == ["wrong-data"]
    assert codes(TASK + "network { flatten; linear(outputs) }") == ["wrong-data"]
    one = "task classification on digits\nnetwork(a, b) { dag { output = linear(outputs) from b } }"
    assert codes(one) == ["wrong-data"]
    twice = "task classification on digits\nnetwork(a, a) { flatten; linear(outputs) }"
    assert "duplicate-name" in codes(twice)
    warned = parse(TASK + "network(image, table) { flatten; linear(outputs) }").warnings
    assert [w.code for w in warned] == ["unused-wire"]


@pytest.mark.parametrize(
    "data",
    [
        "shapes()",
        "shapes(classes = 3)",
        "shapes(image = 3, classes = 3)",
        "shapes(shape(3), classes = 3)",
        "shapes(image = shape(3))",
        "shapes(image = shape(3 | 4), classes = 3)",
    ],
)
def test_shapes_are_checked(data: str) -> None:
    assert codes(f"task classification on {data}\nnetwork {{ linear(outputs) }}")


def test_outputs_are_those_of_the_network() -> None:
    head = "task classification on shape(4, classes = 3)\n"
    inner = head + "network { dag { output.a = linear(2) from input }; linear(outputs) }"
    assert codes(inner) == ["bad-wire"]
    both = head + "network { dag { output.a = linear(2) from input; output = linear(outputs) from input } }"
    assert "duplicate-name" in codes(both)
    again = head + "network { dag { output.a = linear(2) from input; output.a = relu from input } }"
    assert "duplicate-name" in codes(again)


def test_arrays_of_a_file_go_in_by_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image, table = rng.normal(size=(60, 1, 8, 8)), rng.normal(size=(60, 5))
    np.savez(tmp_path / "d.npz", image=image, table=table, y=np.arange(60) % 3)
    file = tmp_path / "a.space"
    file.write_text('task classification on npz("d.npz", inputs = "image, table")\n' + BODY)
    space = load(file)
    assert space.task is not None and space.count() == 2
    data = open_data(space.task, tmp_path)
    bound = space.with_task(data.shapes, data.outputs)
    assert dict(plan(bound, bound.default()).inputs) == {"image": (1, 8, 8), "table": (5,)}
