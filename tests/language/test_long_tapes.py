"""What copies of a tied repeat replay, where it is much."""

from nasdsl.language.configuration import Answers, Label, Tape
from nasdsl.language.reading import parse


def test_lists_of_one_lineage_find_their_own_answers() -> None:
    root = Answers.of((("a", 1),))
    left = root.noting("b", 2)
    right = left.noting("c", 3)
    other = left.noting("d", 4).noting("c", 5)
    assert [right.find(path) for path in "abcd"] == [1, 2, 3, None]
    assert [other.find(path) for path in "abcd"] == [1, 2, 5, 4]
    assert (root.find("b"), left.find("c")) == (None, None)
    assert left == Answers((("a", 1), ("b", 2))) and hash(left) == hash(tuple(left))


def test_a_tape_finds_few_answers_and_many() -> None:
    tapes = [Tape(1, (0, 9), Label("net", "net", "net"))]
    for n in range(40):
        tapes.append(tapes[-1].noting(f"net/{n}", -n))
    for n, tape in enumerate(tapes):
        assert [tape.find(f"net/{i}") for i in range(40)] == [-i if i < n else None for i in range(40)]
        assert tape.answers == tuple((f"/{i}", -i) for i in range(n))


def test_a_cell_of_many_edges_is_replayed_in_each_copy() -> None:
    space = parse(
        "task classification on digits\n"
        "network { conv2d(4); repeat 6 tied { cell(nodes = 20) { identity | relu | zero } }; global_avg_pool; linear(outputs) }"
    )
    assert space.count() == 3**190
    point = space.sample(0)
    assert len(point) == 190 and space.contains(point)


def test_a_range_of_reals_by_steps_gives_whole_numbers_or_no_network() -> None:
    space = parse(
        "task classification on digits\nnetwork { let w = 1..3 step 0.5\nflatten; linear(w); linear(outputs) }"
    )
    assert [point["network/w"] for point in space.enumerate()] == [1, 2, 3]
    widths = [space.decided(point).layers[2].arguments["width"] for point in space.enumerate()]
    assert [(type(width), width) for width in widths] == [(int, 1), (int, 2), (int, 3)]
