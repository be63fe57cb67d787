"""Random small `.space` texts: decisions of every kind, some of them in places that may not fit."""

from __future__ import annotations

import random

_LIMITS = ("", "", "require params <= 3k", "require params >= 400 and macs <= 60k", "require all(w <= 4)")


def space_text(seed: int) -> str:
    """A text whose networks take the 8x8 digits; few enough points to be listed one by one."""
    rng = random.Random(seed)
    body = "\n".join(_statement(rng, 2) for _ in range(rng.randint(1, 3)))
    gather = rng.choice(("global_avg_pool", "flatten", "global_avg_pool | flatten"))
    return (
        "task classification on digits\n"
        "block unit(n) {\n conv2d(n, kernel = 1 | 3)\n relu?\n}\n"
        "block both(a: wire, b: wire) {\n dag { x = relu | identity from b; output = concat from a, x }\n}\n"
        "block tower(depth, n) {\n if depth > 0 {\n relu | max_pool(2)\n tower(depth - 1, n)\n } else { conv2d(n) }\n}\n"
        f"network {{\n let w = 2 | 4\n let deep = 1..2\n conv2d(w)\n{body}\n {gather}\n linear(outputs)\n}}\n"
        f"{rng.choice(_LIMITS)}\n"
    )


def _statement(rng: random.Random, depth: int) -> str:
    simple = (
        lambda: "relu | gelu",
        lambda: "relu?",
        lambda: "conv2d(w, kernel = 3 | 5, padding = same | valid)",
        lambda: "max_pool(2 | 4)",
        lambda: f"dropout(0.1..{rng.choice((0.2, 0.5))})",
        lambda: "unit(w)",
        lambda: f"unit({rng.choice((2, '2 | 4', 'w + 1'))})",
        lambda: "tower(deep, w)",
        lambda: "act: relu | { max_pool(2); relu? }",
        lambda: "dag { a = conv2d(w | 4) from input; b = relu from any(1, earlier); output = concat unused }",
        lambda: "cell(inputs = 2, nodes = 4, edges = any(1), output = concat unused) { relu | conv2d(w) }",
        lambda: "dag { a = conv2d(w, stride = 1 | 2) from input; output = both() from any(2, earlier) }",
        lambda: "dag { a = unit(2) from input; b = relu from any(1, earlier); output = add from a, unused }",
        lambda: "{ let v = 2 | 3\n conv2d(v)\n conv2d(v) }",
        lambda: "parallel(merge = concat | add | mul) { conv2d(w, 1); { relu; conv2d(2 | 4)? } }",
        lambda: "{ let r = 1.5 | 1.25 | 2\n conv2d(w * r, kernel = 1) }",
        lambda: "{ let r = 0.1 | 0.3\n let d = dropout(w * r)\n d\n dropout(r * w) }",
        lambda: "dag { a = conv2d(w, 1) from input; output = concat | { add; relu } from a, input }",
        lambda: (
            "dag { let way = mul | concat; a = conv2d(w | 2) from input; output = way from any(1..2, earlier) }"
        ),
    )
    if depth == 0 or rng.random() < 0.4:
        return rng.choice(simple)()
    inner = _statement(rng, depth - 1)
    nested = (
        lambda: (
            f"repeat {rng.choice(('0..2', '1..2', '2', 'deep', '1 | 2'))} {rng.choice(('', 'tied ', 'shared ', 'shared except conv2d '))}{{\n{inner}\n}}"
        ),
        lambda: f"repeat i in 1..2 {{\nconv2d(2 * i)\n{inner}\n}}",
        lambda: f"residual {{\n{inner}\n}}",
        lambda: f"permute {{ a: relu; max_pool(2){rng.choice(('', '?'))}; c: relu | gelu }}",
        lambda: f"pick {rng.choice(('1', '0..2', '1..2'))} of {{ relu; max_pool(2); unit(2) }}",
        lambda: f"if w > 2 {{\n{inner}\n}} else {{ {_statement(rng, 0)} }}",
        lambda: f"{{\n{inner}\n}} | relu",
        lambda: f"{{\n{inner}\n}}?",
    )
    return rng.choice(nested)()
