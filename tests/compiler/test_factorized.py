"""A window taken apart is two convolutions of torch, one across and one down."""

import pytest
import torch
from torch import nn

from compiler.builders import BUILDERS
from nasdsl.language.reading import parse
from nasdsl.language.shapes import shape_of
from nasdsl.language.signatures.depth import layer_depth
from tests.operation_cases import TABLE, strict

ROW = TABLE["factorized_conv2d"]


@pytest.mark.parametrize(("kernel", "stride"), [(7, 1), (7, 2), (3, 3), (1, 2)])
def test_it_is_a_convolution_across_and_one_down(kernel: int, stride: int) -> None:
    arguments = {a.name: a.default for a in ROW.arguments} | {
        "filters": 5,
        "kernel": kernel,
        "stride": stride,
    }
    image = shape_of((3, 11, 8))
    output = ROW.shape(arguments, (image,), strict)
    module = BUILDERS[ROW.name](arguments, (image,), output)
    across = nn.Conv2d(3, 5, (1, kernel), (1, stride), (0, kernel // 2), bias=False)
    down = nn.Conv2d(5, 5, (kernel, 1), (stride, 1), (kernel // 2, 0))
    across.weight, down.weight, down.bias = module.across.weight, module.down.weight, module.down.bias
    x = torch.randn(2, 3, 11, 8)
    expected = down(across(x))
    torch.testing.assert_close(module(x), expected)
    assert output.sizes() == tuple(expected.shape[1:])
    assert ROW.params is not None and ROW.macs is not None
    assert ROW.params(arguments, (image,), output) == 5 * kernel * (3 + 5) + 5
    rows, columns = expected.shape[2:]
    assert ROW.macs(arguments, (image,), output) == 5 * kernel * columns * (3 * 11 + 5 * rows)
    assert layer_depth(ROW, arguments) == 2


def test_an_even_window_keeps_the_size_and_only_images_are_taken() -> None:
    head = "task classification on digits\nnetwork { "
    space = parse(
        f"{head}factorized_conv2d(4, kernel = 1..8); add_of: residual {{ factorized_conv2d(4, 4) }}; flatten; linear(outputs) }}"
    )
    assert space.count() == 8
    shapes = {str(space.decided(point).layers[1].shape) for point in space.enumerate()}
    assert shapes == {"image (4, 8, 8)"}
    with pytest.raises(Exception, match="factorized_conv2d") as caught:
        parse(f"{head}flatten; factorized_conv2d(4); linear(outputs) }}")
    assert "image" in str(caught.value)
