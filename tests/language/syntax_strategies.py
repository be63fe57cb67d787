"""Random syntax trees, of the shapes that a text can have."""

from __future__ import annotations

from hypothesis import strategies as st

from nasdsl.language import syntax as s
from nasdsl.language.lexer import HARD, SOFT
from nasdsl.language.parser import parse

names = st.one_of(
    st.sampled_from(["a", "conv2d", "width", "relu", "x1", "_", "outputs", "yes"]),
    st.sampled_from(sorted(SOFT)),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(lambda name: name not in HARD),
)
argument_names = st.one_of(names, st.sampled_from(sorted(HARD)))
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def number_of(text: str) -> s.Number:
    """The number a text stands for, as the parser reads it."""
    item = parse(f"let x = {text}").items[0]
    assert isinstance(item, s.Let) and isinstance(item.value, s.Number)
    return item.value


number_texts = st.one_of(
    st.integers(0, 10**20).map(str),
    st.floats(0, 1e300).map(lambda value: repr(value).replace("+", "")),
    st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,6})?(e-?[0-9]{1,2})?[kKMG%]?", fullmatch=True),
)
numbers = number_texts.map(number_of)


def _ranges(values: st.SearchStrategy[s.Value]) -> st.SearchStrategy[s.Range]:
    numbers_alike = st.tuples(numbers, numbers).filter(lambda ends: ends[0].unit == ends[1].unit)
    mixed = st.tuples(values, values).filter(
        lambda ends: not (isinstance(ends[0], s.Number) and isinstance(ends[1], s.Number))
    )
    maybe = st.one_of(st.none(), values)
    return st.builds(
        lambda ends, log, step, centre, online: s.Range(*ends, log, step, centre, online),
        st.one_of(numbers_alike, mixed),
        st.booleans(),
        maybe,
        maybe,
        st.booleans(),
    )


def _choices(values: st.SearchStrategy[s.Value]) -> st.SearchStrategy[s.Choice]:
    plain = st.builds(s.Alternative, values)
    weighted = st.builds(s.Alternative, values, values)
    several = st.lists(st.one_of(plain, weighted), min_size=2, max_size=3)
    return st.one_of(several, weighted.map(lambda one: [one])).map(lambda found: s.Choice(tuple(found)))


def _extended(values: st.SearchStrategy[s.Value]) -> st.SearchStrategy[s.Value]:
    arguments = st.lists(
        st.builds(s.Argument, st.one_of(st.none(), argument_names), values, st.booleans()), max_size=2
    ).map(tuple)
    bodies = blocks(values)
    operators = st.sampled_from(
        ["+", "-", "*", "/", "//", "^", "==", "!=", "<", "<=", ">", ">=", "and", "or"]
    )
    return st.one_of(
        st.builds(s.Attribute, values, names),
        st.builds(s.Call, names, arguments, st.one_of(st.none(), bodies)),
        st.builds(s.Unary, st.sampled_from(["-", "+", "not"]), values),
        st.builds(s.Binary, operators, values, values),
        _ranges(values),
        _choices(values),
        st.builds(s.Optional, values),
        st.builds(s.Labelled, names, values),
        bodies,
    )


def blocks(values: st.SearchStrategy[s.Value]) -> st.SearchStrategy[s.Block]:
    """Bodies of a few statements over these values."""
    return st.lists(statements(values), max_size=2).map(lambda found: s.Block(tuple(found)))


def statements(values: st.SearchStrategy[s.Value]) -> st.SearchStrategy[s.Statement]:
    """Statements over these values; their bodies hold simple ones."""
    simple = st.one_of(
        st.builds(s.Let, names, values),
        st.builds(s.Do, values),
        st.builds(
            s.Wire,
            st.lists(names, min_size=1, max_size=2).map(tuple),
            values,
            st.lists(values, max_size=2).map(tuple),
        ),
    )
    bodies = st.lists(simple, max_size=2).map(lambda found: s.Block(tuple(found)))
    sharing = st.sampled_from([("", ()), ("tied", ()), ("shared", ()), ("shared", ("relu", "log"))])
    repeats = st.builds(
        lambda count, body, index, how: s.Repeat(count, body, index, *how),
        values,
        bodies,
        st.one_of(st.none(), names),
        sharing,
    )
    heads = st.one_of(repeats, st.builds(s.Permute, bodies), st.builds(s.Pick, values, bodies))
    chained = st.builds(s.If, values, bodies, st.one_of(st.none(), bodies))
    otherwise = st.one_of(st.none(), bodies, chained.map(lambda one: s.Block((one,))))
    return st.one_of(
        simple,
        heads,
        st.builds(lambda label, head: s.Do(s.Labelled(label, head)), names, heads),
        st.builds(s.If, values, bodies, otherwise),
    )


values = st.recursive(
    st.one_of(numbers, st.builds(s.String, texts), st.builds(s.Name, names)), _extended, max_leaves=6
)

_paths = st.from_regex(r"[a-z]{1,4}(#[2-9])?(\[[0-9]\])?(/(repeat|log|x)(#2)?(\[12\])?)?", fullmatch=True)

items = st.one_of(
    st.builds(s.Import, texts),
    st.builds(s.Use, texts),
    st.builds(s.Let, names, values),
    st.builds(
        s.BlockDefinition,
        names,
        st.lists(
            st.builds(s.Parameter, names, st.one_of(st.none(), values), st.one_of(st.none(), names)),
            max_size=2,
        ).map(tuple),
        blocks(values),
    ),
    st.builds(s.Network, st.lists(names, max_size=2).map(tuple), blocks(values)),
    st.builds(s.Train, blocks(values)),
    st.builds(s.Task, names, st.one_of(st.none(), values)),
    st.builds(s.Require, values),
    st.builds(s.Objective, st.booleans(), values),
    st.builds(s.Start, st.lists(st.builds(s.Setting, _paths, values), max_size=2).map(tuple)),
)

files = st.builds(s.File, st.one_of(st.none(), names), st.lists(items, max_size=3).map(tuple))
