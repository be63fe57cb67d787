"""`import nasdsl` and everything that it promises."""

from __future__ import annotations

import pytest
import torch

import nasdsl


def test_every_public_name_is_there() -> None:
    for name in nasdsl.__all__:
        assert getattr(nasdsl, name) is not None
    assert set(nasdsl.__all__) <= set(dir(nasdsl))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nasdsl.nothing  # noqa: B018


def test_from_text_to_a_network_whose_shapes_are_those_planned() -> None:
    space = nasdsl.parse("task classification on digits\nnetwork { flatten; mlp(8 | 16); linear(outputs) }")
    point = space.sample(seed=0)
    plan = nasdsl.plan(space, point)
    module = nasdsl.build(space, point, seed=0)
    assert module(torch.zeros(3, 1, 8, 8)).shape == (3, 10)
    assert sum(p.numel() for p in module.parameters()) == plan.params
    with torch.device("meta"):
        assert next(nasdsl.build(space, point).parameters()).is_meta


def test_the_seed_decides_the_weights() -> None:
    space = nasdsl.parse("task classification on digits\nnetwork { flatten; linear(outputs) }")
    a, b, c = (nasdsl.build(space, space.sample(0), seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


def test_a_file_that_cannot_be_read_is_a_diagnostic(tmp_path) -> None:
    latin = tmp_path / "latin.space"
    latin.write_bytes("let a = 1 | 2\n# caf\xe9".encode("latin-1"))
    with pytest.raises(nasdsl.SpaceError) as caught:
        nasdsl.load(latin)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.span.line, problem.span.column) == ("not-utf-8", 2, 6)
    for path in (tmp_path, tmp_path / "missing.space", "a\0b"):
        with pytest.raises(nasdsl.SpaceError, match=r"error\[unreadable-file\]"):
            nasdsl.load(path)


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path) -> None:
    path = tmp_path / "windows.space"
    path.write_bytes(b"\xef\xbb\xbflet a = 1 | 2\r\nlet b = 1 | 2\r\n")
    assert nasdsl.load(path).count() == 4
