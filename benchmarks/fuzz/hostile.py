"""Texts made to cost a reader as much as they can: deep, long, doubling, endless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

HEAD = "task classification on digits\n"
TAIL = "\n flatten\n linear(outputs)\n}\n"


def network(body: str, before: str = "") -> str:
    return f"{HEAD}{before}\nnetwork {{\n {body}{TAIL}"


DEEP = 100_000

HOSTILE = {
    "parentheses": ("let x = " + "(" * DEEP + "1" + ")" * DEEP, "nesting-limit"),
    "bodies": ("network {" * DEEP, "nesting-limit"),
    "closing": ("}" * DEEP, "unbalanced"),
    "not": ("let x = " + "not " * DEEP + "1", "nesting-limit"),
    "minus": ("let x = " + "-" * DEEP + "1", "nesting-limit"),
    "optional": ("let x = a" + "?" * DEEP, "nesting-limit"),
    "attributes": ("require a" + ".b" * DEEP, "nesting-limit"),
    "powers": ("let x = " + "2^" * DEEP + "2", "nesting-limit"),
    "sums": ("let x = " + "1+" * DEEP + "1", "nesting-limit"),
    "else if": (network("if 1 > 0 { relu }" + " else if 1 > 0 { relu }" * DEEP), "nesting-limit"),
    "a billion copies": (network("repeat 10^9 { relu }"), None),
    "up to a billion copies": (network("repeat 1..10^9 { conv2d(8..64) }"), None),
    "a googol of copies": (network("repeat 1..10^100 { relu }"), None),
    "nested repeats": (network("repeat 99999 { " * 60 + "relu" + " }" * 60), None),
    "nested open repeats": (network("repeat 0..99999 { " * 60 + "relu" + " }" * 60), None),
    "a tied billion": (network("repeat 10^9 tied { dropout(0.1..0.2) }"), None),
    "huge numbers": (network(f"conv2d({'9' * 399})"), None),
    "huge power": (network("conv2d(2^4096^4096)"), "bad-expression"),
    "power of a power": (network("conv2d((2^4096)^4096)"), "bad-expression"),
    "huge product": (network("conv2d(" + "*".join(["10^300"] * 100) + ")"), None),
    "huge range": (network("conv2d(1..10^300)"), None),
    "huge real": (network("dropout(1e308 * 1e308)"), "bad-expression"),
    "many steps": (network("dropout(0..1 step 1e-300)"), "bad-range"),
    "many weights": (network("dropout(0.1 @ 1e308 | 0.2 @ 1e308)"), ""),
    "doubling blocks": (
        network(
            "b59",
            "block b0 { relu }\n" + "\n".join(f"block b{i} {{ b{i - 1}; b{i - 1} }}" for i in range(1, 60)),
        ),
        None,
    ),
    "doubling blocks with decisions": (
        network(
            "b59",
            "block b0 { relu | gelu }\n"
            + "\n".join(f"block b{i} {{ b{i - 1}; b{i - 1} }}" for i in range(1, 60)),
        ),
        None,
    ),
    "doubling parameters": (
        network(
            "b59(3)",
            "block b0(w) { dropout(1 / w) }\n"
            + "\n".join(f"block b{i}(w) {{ b{i - 1}(w + 1); b{i - 1}(w + 2) }}" for i in range(1, 60)),
        ),
        None,
    ),
    "doubling lets": (
        network(
            "conv2d(x59)",
            "let x0 = 1 | 2\n" + "\n".join(f"let x{i} = x{i - 1} + x{i - 1}" for i in range(1, 60)),
        ),
        None,
    ),
    "doubling constants": (
        network(
            "conv2d(x59)", "let x0 = 2\n" + "\n".join(f"let x{i} = x{i - 1} * x{i - 1}" for i in range(1, 60))
        ),
        None,
    ),
    "chain of lets": (
        network(
            "conv2d(x999)", "let x0 = 1 | 2\n" + "\n".join(f"let x{i} = x{i - 1}" for i in range(1, 1000))
        ),
        None,
    ),
    "chain of blocks": (
        network(
            "b1999", "block b0 { relu }\n" + "\n".join(f"block b{i} {{ b{i - 1} }}" for i in range(1, 2000))
        ),
        None,
    ),
    "chain of waiting parameters": (
        network(
            "b250(1 | 2)",
            "block b0(w) { conv2d(w) }\n"
            + "\n".join(f"block b{i}(w) {{ b{i - 1}(w) }}" for i in range(1, 251)),
        ),
        None,
    ),
    "deep residuals": (network("residual { " * 198 + "relu" + " }" * 198), ""),
    "deep choices": (network("(" * 190 + "relu" + " | gelu)" * 190), ""),
    "deep blocks of choices": (network("{ relu | " * 190 + "gelu" + " }" * 190), ""),
    "deep ifs": (network("if 1 > 0 { " * 190 + "relu" + " }" * 190), "nesting-limit"),
    "less deep ifs": (network("if 1 > 0 { " * 90 + "relu" + " }" * 90), ""),
    "deep calls": (network("conv2d(" + "max(1, " * 190 + "1" + ")" * 190 + ")"), None),
    "a wide choice": (network(" | ".join(f"conv2d({i})" for i in range(1, 3000))), ""),
    "many names": (network("relu", "\n".join(f"let x{i} = 1" for i in range(3_000))), ""),
    "many problems": (network("\n".join(f"x{i}" for i in range(2000))), "unknown-op"),
    "a long name": (network("x" * 1_000_000), "unknown-op"),
    "a long text": (f'task classification on csv("{"x" * 1_000_000}", target = "y")\n', None),
    "a long comment": (network("relu  #" + "x" * 1_000_000), ""),
    "many newlines": (network("\n" * 1_000_000 + "relu"), ""),
    "many separators": (network(";" * 100_000 + "relu"), "file-limit"),
    "permute of many": (network("permute { " + "; ".join(f"m{i}: relu" for i in range(60)) + " }"), None),
    "pick of many": (network("pick 30 of { " + "; ".join(f"m{i}: relu" for i in range(60)) + " }"), None),
    "counting down": (network("f(10^9)", "block f(n) {\n if n > 0 { f(n - 1) }\n relu\n}"), None),
    "counting down twice": (
        network("f(200)", "block f(n) {\n if n > 0 { f(n - 1); f(n - 1) }\n relu\n}"),
        None,
    ),
    "counting down a range": (network("f(1..10^9)", "block f(n) {\n if n > 0 { f(n - 1) }\n relu\n}"), None),
    "nested copies of changing width": (
        network("repeat i in 1..9 { " * 12 + "conv2d(i, stride = 1..2)" + " }" * 12),
        None,
    ),
    "nested branches": (
        network("repeat 1..9 { parallel(merge = concat) { conv2d(8); " * 8 + "relu" + " } }" * 8),
        None,
    ),
    "nested orders": (
        network("permute { relu; conv2d(4, stride = 1..2); m: " * 12 + "relu" + " }" * 12),
        None,
    ),
    "nested subsets": (
        network("pick 1..2 of { a: relu; b: max_pool(2); m: " * 12 + "relu" + " }" * 12),
        None,
    ),
    "cells within cells": (network("cell(nodes = 4) { " * 12 + "relu" + " }" * 12), "limit"),
    "blocks in many surroundings": (
        network(
            "b30",
            "block b0 { conv2d(8) }\n"
            + "\n".join(
                f"block b{i} {{ with(weight = low_rank(4)) {{ b{i - 1} }}; with(weight = low_rank(2 | 8)) {{ b{i - 1} }} }}"
                for i in range(1, 31)
            ),
        ),
        None,
    ),
    "many requires": (
        network("repeat 1..9 { conv2d(w: 8..64) }")
        + "".join(f"require sum(w) <= {i} or params <= {i}k and all(w) >= {i}\n" for i in range(500, 520)),
        None,
    ),
    "recursion twice over a range": (
        network(
            "f(0..60)", "block f(n, w = 8 | 16) {\n if n > 0 { f(n - 1, w); f(n - 2, w + n) }\n conv2d(w)\n}"
        ),
        None,
    ),
    "recursion without end": (network("f", "block f { relu | f }"), "unbounded-recursion"),
    "10^2400 points": (network("repeat 2400 { conv2d(1..10) }"), None),
    "a hundred thousand lets": ("\n".join(f"let x{i} = 1 | 2" for i in range(100_000)), "file-limit"),
    "four megabytes of lines": ("#\n" * 1_999_999, "file-limit"),
    "four megabytes of layers": (network("relu\n" * 700_000), "file-limit"),
    "above the file limit": ("#" * 4_000_001, "file-limit"),
}


def texts_of(files: Mapping[str, tuple[str, str | None]]) -> Iterator[tuple[str, str, bytes]]:
    """Label, file name and content of each."""
    for label, (text, _) in files.items():
        yield label, f"{label}.space", text.encode()
