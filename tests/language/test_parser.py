"""Parsing: every form of the grammar becomes the tree it should."""

import json
from textwrap import dedent

import pytest

from nasdsl.language import parse_table
from nasdsl.language import syntax as s
from nasdsl.language.errors import SpaceError
from nasdsl.language.parser import parse


def item(text: str) -> s.Item:
    file = parse(dedent(text))
    assert len(file.items) == 1
    return file.items[0]


def value(text: str) -> s.Value:
    found = item(f"let x = {text}")
    assert isinstance(found, s.Let)
    return found.value


def statement(text: str) -> s.Statement:
    found = item(f"network {{\n{text}\n}}")
    assert isinstance(found, s.Network) and len(found.body.statements) == 1
    return found.body.statements[0]


def codes(text: str) -> list[str]:
    with pytest.raises(SpaceError) as caught:
        parse(text)
    return [problem.code for problem in caught.value.diagnostics]


A, B, C = (s.Name(name) for name in "abc")
DO_A, DO_B = s.Do(A), s.Do(B)
BODY = s.Block((DO_A,))


def n(number: int | float, unit: str = "") -> s.Number:
    return s.Number(number, unit)


def choice(*alternatives: s.Value) -> s.Choice:
    return s.Choice(tuple(s.Alternative(one) for one in alternatives))


def call(name: str, *arguments: s.Value, body: s.Block | None = None) -> s.Call:
    return s.Call(name, tuple(s.Argument(None, one) for one in arguments), body)


def test_the_table_is_that_of_the_grammar() -> None:
    kept = json.loads(parse_table.TABLE.read_text(encoding="utf-8"))
    assert kept == json.loads(parse_table.as_text(parse_table.build()))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('import "blocks/conv.space"', s.Import("blocks/conv.space")),
        ('use "package.module"', s.Use("package.module")),
        ("let x = 16 | 32", s.Let("x", choice(n(16), n(32)))),
        ("block f { a }", s.BlockDefinition("f", (), BODY)),
        ("block f() { a }", s.BlockDefinition("f", (), BODY)),
        (
            "block f(x, y: wire, z = 3,) { a }",
            s.BlockDefinition(
                "f", (s.Parameter("x"), s.Parameter("y", None, "wire"), s.Parameter("z", n(3))), BODY
            ),
        ),
        ("network { a }", s.Network((), BODY)),
        ("network(image, table) { a }", s.Network(("image", "table"), BODY)),
        ("train { a }", s.Train(BODY)),
        ("task classification", s.Task("classification", None)),
        ("task classification on digits", s.Task("classification", s.Name("digits"))),
        (
            'task regression on csv("t.csv", target = "y")',
            s.Task(
                "regression",
                s.Call("csv", (s.Argument(None, s.String("t.csv")), s.Argument("target", s.String("y")))),
            ),
        ),
        ("require params <= 500k", s.Require(s.Binary("<=", s.Name("params"), n(500_000, "k")))),
        ("maximize accuracy", s.Objective(True, s.Name("accuracy"))),
        ("minimize params", s.Objective(False, s.Name("params"))),
        ("start { }", s.Start(())),
        (
            "start {\n network/repeat#2[1]/conv#2/width = 32; train/optimizer = adamw(lr = 3e-4)\n}",
            s.Start(
                (
                    s.Setting("network/repeat#2[1]/conv#2/width", n(32)),
                    s.Setting("train/optimizer", s.Call("adamw", (s.Argument("lr", n(3e-4)),))),
                )
            ),
        ),
        ("start { if = a }", s.Start((s.Setting("if", A),))),
        (
            "start { a = b#2; b = a#3(x = 1) }",
            s.Start((s.Setting("a", s.Name("b#2")), s.Setting("b", s.Call("a#3", (s.Argument("x", n(1)),))))),
        ),
    ],
)
def test_items(text: str, tree: s.Item) -> None:
    assert item(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("let y = 3", s.Let("y", n(3))),
        ("a", DO_A),
        ("a()", s.Do(s.Call("a"))),
        ("a { b }", s.Do(s.Call("a", (), s.Block((DO_B,))))),
        ("if a { a }", s.If(A, BODY)),
        ("if a { a } else { b }", s.If(A, BODY, s.Block((DO_B,)))),
        ("if a { a } else if b { a }", s.If(A, BODY, s.Block((s.If(B, BODY),)))),
        ("if a > 2 { a }\nelse { b }", s.If(s.Binary(">", A, n(2)), BODY, s.Block((DO_B,)))),
        ("repeat 3 { a }", s.Repeat(n(3), BODY)),
        ("repeat n { a }", s.Repeat(s.Name("n"), BODY)),
        ("repeat (2 | 4) { a }", s.Repeat(choice(n(2), n(4)), BODY)),
        ("repeat 1..4 tied { a }", s.Repeat(s.Range(n(1), n(4)), BODY, None, "tied")),
        ("repeat 1..4 shared { a }", s.Repeat(s.Range(n(1), n(4)), BODY, None, "shared")),
        (
            "repeat 1..4 shared except layer_norm, a { a }",
            s.Repeat(s.Range(n(1), n(4)), BODY, None, "shared", ("layer_norm", "a")),
        ),
        ("repeat i in 1..4 log { a }", s.Repeat(s.Range(n(1), n(4), True), BODY, "i")),
        ("permute { a; b }", s.Permute(s.Block((DO_A, DO_B)))),
        ("pick 0..2 of { a; b }", s.Pick(s.Range(n(0), n(2)), s.Block((DO_A, DO_B)))),
        ("stage: repeat 3 { a }", s.Do(s.Labelled("stage", s.Repeat(n(3), BODY)))),
        ("two: pick 2 of { a }", s.Do(s.Labelled("two", s.Pick(n(2), BODY)))),
        ("order: permute { a }", s.Do(s.Labelled("order", s.Permute(BODY)))),
        ("act: a | b", s.Do(s.Labelled("act", choice(A, B)))),
        ("x = a", s.Wire(("x",), A)),
        ("x = a from b, c", s.Wire(("x",), A, (B, C))),
        ("output.cls = a from b", s.Wire(("output", "cls"), A, (B,))),
        ("x = concat unused", s.Wire(("x",), s.Name("concat"), (s.Name("unused"),))),
        ("{ a }", s.Do(BODY)),
        ("{ a } | b", s.Do(choice(BODY, B))),
    ],
)
def test_statements(text: str, tree: s.Statement) -> None:
    assert statement(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("3", n(3)),
        ("3.0", n(3.0)),
        ("1e3", n(1000.0)),
        ("500k", n(500_000, "k")),
        ("500K", n(500_000, "k")),
        ("2M", n(2_000_000, "M")),
        ("1G", n(10**9, "G")),
        ("1.5k", n(1500, "k")),
        ("20%", n(0.2, "%")),
        ("0.1%", n(0.001, "%")),
        ('"a\\"b\\n\\\\"', s.String('a"b\n\\')),
        ("a.b.c", s.Attribute(s.Attribute(A, "b"), "c")),
        ("f(1, k = 2)", s.Call("f", (s.Argument(None, n(1)), s.Argument("k", n(2))))),
        ("f(if = 2,)", s.Call("f", (s.Argument("if", n(2)),))),
        ("-a", s.Unary("-", A)),
        ("+a", s.Unary("+", A)),
        ("not a", s.Unary("not", A)),
        ("a + b - c", s.Binary("-", s.Binary("+", A, B), C)),
        ("a + b * c", s.Binary("+", A, s.Binary("*", B, C))),
        ("a * b // c / a", s.Binary("/", s.Binary("//", s.Binary("*", A, B), C), A)),
        ("a ^ b ^ c", s.Binary("^", A, s.Binary("^", B, C))),
        ("-2^2", s.Unary("-", s.Binary("^", n(2), n(2)))),
        ("2^-2", s.Binary("^", n(2), s.Unary("-", n(2)))),
        ("(a + b) * c", s.Binary("*", s.Binary("+", A, B), C)),
        ("a or b and not c", s.Binary("or", A, s.Binary("and", B, s.Unary("not", C)))),
        ("a + 1 <= b", s.Binary("<=", s.Binary("+", A, n(1)), B)),
        ("1..3", s.Range(n(1), n(3))),
        ("1..3 log", s.Range(n(1), n(3), True)),
        ("1..9 step 2", s.Range(n(1), n(9), False, n(2))),
        ("1..3 log @ 2", s.Range(n(1), n(3), True, None, n(2))),
        ("1..3 online", s.Range(n(1), n(3), online=True)),
        ("1..3 log online", s.Range(n(1), n(3), True, online=True)),
        ("1..3 @ 2 online", s.Range(n(1), n(3), centre=n(2), online=True)),
        ("0..20%", s.Range(n(0.0, "%"), n(0.2, "%"))),
        ("10%..20", s.Range(n(0.1, "%"), n(0.2, "%"))),
        ("1..4k", s.Range(n(1000, "k"), n(4000, "k"))),
        ("a + 1..b * 2", s.Range(s.Binary("+", A, n(1)), s.Binary("*", B, n(2)))),
        ("a | b", choice(A, B)),
        ("1..3 | a", choice(s.Range(n(1), n(3)), A)),
        ("(a | b) | c", choice(choice(A, B), C)),
        ("3 @ 2 | 5", s.Choice((s.Alternative(n(3), n(2)), s.Alternative(n(5))))),
        ("3 @ 2", s.Choice((s.Alternative(n(3), n(2)),))),
        ("a?", s.Optional(A)),
        ("f(1)?", s.Optional(call("f", n(1)))),
        ("(a | b)?", s.Optional(choice(A, B))),
        ("l: a | b", s.Labelled("l", choice(A, B))),
        ("(l: a) | b", choice(s.Labelled("l", A), B)),
        ("{ a }", BODY),
        ("f { a }", call("f", body=BODY)),
        ("f(1) { a }", call("f", n(1), body=BODY)),
        ("f { a } | { b }", choice(call("f", body=BODY), s.Block((DO_B,)))),
        ("((a))", A),
    ],
)
def test_values(text: str, tree: s.Value) -> None:
    assert value(text) == tree


def test_parentheses_tell_the_weight_of_a_range_from_its_centre() -> None:
    alone = s.Range(n(1), n(4))
    assert value("1..4 @ 2 | 8") == choice(s.Range(n(1), n(4), centre=n(2)), n(8))
    weighed = s.Choice((s.Alternative(alone, n(2)), s.Alternative(n(8))))
    assert value("(1..4) @ 2 | 8") == weighed


@pytest.mark.parametrize("text", ["1e308G", "1e308..2G", "1G..1e308", "1e999", "1..1e400"])
def test_a_number_beyond_all_numbers_is_refused(text: str) -> None:
    assert codes(f"let x = {text}") == ["bad-number"]


def test_a_whole_file() -> None:
    file = parse("## Doc.\n##\n## More.\nspace s\n\n## Of f.\nblock f { a }\nnetwork { f }\n")
    assert (file.name, file.doc) == ("s", "Doc.\n\nMore.")
    assert [type(one) for one in file.items] == [s.BlockDefinition, s.Network]
    assert isinstance(file.items[0], s.BlockDefinition) and file.items[0].doc == "Of f."


def test_the_doc_right_above_a_first_block_is_the_block_s() -> None:
    file = parse("## Of the file.\n\n## Of f.\nblock f { a }\n")
    assert file.doc == "Of the file."
    assert isinstance(file.items[0], s.BlockDefinition) and file.items[0].doc == "Of f."


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", ";;\n;"])
def test_an_empty_file(text: str) -> None:
    assert parse(text) == s.File(None, ())


# --- newlines -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a |\n b", choice(A, B)),
        ("a\n | b", choice(A, B)),
        ("a\n\n # comment\n | b", choice(A, B)),
        ("\n a", A),
        ("a +\n b", s.Binary("+", A, B)),
        ("a and\n b", s.Binary("and", A, B)),
        ("not\n a", s.Unary("not", A)),
        ("1 ..\n 3", s.Range(n(1), n(3))),
        ("3 @\n 2", s.Choice((s.Alternative(n(3), n(2)),))),
        ("l:\n a", s.Labelled("l", A)),
        ("(\n a\n +\n b\n )", s.Binary("+", A, B)),
        ("(a\n + b)", s.Binary("+", A, B)),
        ("f(\n 1,\n)", call("f", n(1))),
        ("{\n\n a\n\n}", BODY),
    ],
)
def test_a_newline_does_not_count_here(text: str, tree: s.Value) -> None:
    assert value(text) == tree


@pytest.mark.parametrize(
    "text", ["a\n + b", "a\n .. b", "a\n ? ", "f\n (1)", "f\n { a }", "a ;| b", "a |; b", "a\n @ 2"]
)
def test_a_newline_or_semicolon_counts_here(text: str) -> None:
    assert set(codes(f"let x = {text}")) <= {"unexpected", "unexpected-end"}


def test_a_body_after_a_newline_is_a_statement_of_its_own() -> None:
    found = item("network {\n f\n { a }\n}")
    assert isinstance(found, s.Network)
    assert found.body.statements == (s.Do(s.Name("f")), s.Do(BODY))


def test_a_name_that_is_a_soft_word_ends_its_line() -> None:
    found = item("network {\n of\n from\n in\n a\n}")
    assert isinstance(found, s.Network)
    assert [one.value for one in found.body.statements] == [s.Name("of"), s.Name("from"), s.Name("in"), A]  # type: ignore[union-attr]


# --- words ----------------------------------------------------------------------------------

SOFT = [
    "log",
    "step",
    "in",
    "of",
    "on",
    "from",
    "tied",
    "shared",
    "except",
    "online",
    "unused",
    "stages",
    "input",
    "output",
]
HARD = [
    "space",
    "import",
    "use",
    "let",
    "block",
    "network",
    "train",
    "task",
    "require",
    "maximize",
    "minimize",
    "start",
    "if",
    "else",
    "repeat",
    "permute",
    "pick",
    "and",
    "or",
    "not",
]


@pytest.mark.parametrize("word", SOFT)
def test_a_soft_word_is_a_name_where_it_opens_nothing(word: str) -> None:
    assert value(f"{word} + f({word}, {word} = {word}) | {word}") == choice(
        s.Binary(
            "+", s.Name(word), s.Call("f", (s.Argument(None, s.Name(word)), s.Argument(word, s.Name(word))))
        ),
        s.Name(word),
    )
    assert item(f"let {word} = {word}") == s.Let(word, s.Name(word))
    assert statement(f"{word}: {word}?") == s.Do(s.Labelled(word, s.Optional(s.Name(word))))


@pytest.mark.parametrize("word", HARD)
def test_a_hard_word_is_no_name(word: str) -> None:
    assert codes(f"let {word} = 3") == ["reserved-word"]
    assert value(f"f({word} = 3)") == s.Call("f", (s.Argument(word, n(3)),))


# --- problems -------------------------------------------------------------------------------


def test_every_problem_is_reported_and_none_twice() -> None:
    text = "network {\n relu relu\n conv(3,,)\n repeat 3\n fine\n}\nlet if = 3\nnettwork { }\n"
    assert codes(text) == ["unexpected", "unexpected", "unexpected", "reserved-word", "unexpected"]


def test_a_problem_in_a_nested_body_leaves_the_rest_readable() -> None:
    with pytest.raises(SpaceError) as caught:
        parse("network {\n residual {\n  a b\n  c\n } | { d e }\n f g\n}")
    assert [problem.span.line for problem in caught.value.diagnostics] == [3, 5, 6]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 201 + "a" + ")" * 201,
        "not " * 300 + "a",
        "-" * 300 + "a",
        " + ".join(["a"] * 300),
        "^".join(["a"] * 300),
        "a" + "?" * 300,
        "a" + ".b" * 300,
        "(" + "not " * 199 + "(" + "not " * 199 + "a))",
        "l: (" * 150 + "a" + ")" * 150,
    ],
)
def test_deep_nesting_is_refused_by_name(text: str) -> None:
    assert codes(f"let x = {text}") == ["nesting-limit"]


def test_deep_else_if_is_refused_by_name() -> None:
    chain = " else ".join(["if a { b }"] * 300)
    assert codes(f"network {{\n{chain}\n}}") == ["nesting-limit"]


def test_long_lists_are_no_nesting() -> None:
    assert isinstance(value(" | ".join(["a"] * 5000)), s.Choice)
    assert isinstance(item("network {\n" + "relu\n" * 5000 + "}"), s.Network)
    assert isinstance(value("f(" + ", ".join(["a.b"] * 5000) + ")"), s.Call)
    assert isinstance(item("network {\n" + "if a { b } else { c }\n" * 500 + "}"), s.Network)
    assert isinstance(item("network {\n" + "a: b\n" * 500 + "}"), s.Network)


def test_many_problems_are_cut_short() -> None:
    assert len(codes("let x = $\n" * 1000)) == 100
    assert len(codes("let if = 3\n" * 1000)) == 100
