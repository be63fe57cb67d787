"""Answers from one version of a space in another, and what is said to differ."""

from __future__ import annotations

from nasdsl.language.carrying import Carrier, differences
from nasdsl.language.point import Point
from nasdsl.language.reading import parse
from nasdsl.language.space import Space

OLD = """task classification on digits
block conv(w) { conv2d(w, kernel = 3 | 5); relu? }
network {
    let width = 8 | 16
    conv(width)
    conv(16)
    repeat 1..3 { act: relu | gelu; dropout(0.1..0.5) }
    permute { batch_norm; a: relu | gelu }
    global_avg_pool
    linear(outputs)
}
train { batch_size = 16..64 }
"""


def space(*edits: tuple[str, str]) -> Space:
    text = OLD
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return parse(text)


def changes(new: Space) -> dict[str, str]:
    return {one.site: one.change for one in differences(space(), new)}


def test_the_same_space_keeps_every_answer() -> None:
    old = space()
    carrier = Carrier(old, space())
    assert changes(space()) == {}
    for seed in range(30):
        point = old.sample(seed)
        carried = carrier.carry(point)
        assert (carried.point, dict(carried.dropped), carried.fresh) == (point, {}, ())
        assert set(carried.kept) == set(point)


def test_every_decision_that_a_walk_opens_has_a_site() -> None:
    from space_texts import space_text

    from nasdsl.language.errors import SpaceError

    for seed in range(24):
        try:
            found = parse(space_text(seed))
        except SpaceError:
            continue
        for number in range(8):
            for path in found.sample(number):
                site = found.sites.of(path)
                # A block that uses itself is read once.
                assert site in found.sites.domains or site.count("tower") > 1, site


def test_domains_widen_narrow_and_change() -> None:
    assert changes(space(("8 | 16", "8 | 16 | 32"))) == {"network/width": "widened"}
    assert changes(space(("0.1..0.5", "0.2..0.3"))) == {"network/repeat[]/rate": "narrowed"}
    assert changes(space(("act: relu | gelu", "act: relu | silu"))) == {"network/repeat[]/act": "changed"}
    assert changes(space(("repeat 1..3", "repeat 0..3"))) == {"network/repeat": "widened"}
    assert changes(space(("16..64", "16..64 step 16"))) == {"train/batch_size": "narrowed"}
    assert changes(space(("relu?", "relu"))) == {"network/conv/relu": "went", "network/conv#2/relu": "went"}
    assert changes(space(("8 | 16", "8 @ 3 | 16"))) == {}  # only how likely they are
    came = changes(space(("batch_norm;", "batch_norm?;")))
    assert came == {"network/permute/batch_norm": "came"}


def test_answers_stand_where_they_are_still_offered() -> None:
    old = space()
    new = space(("8 | 16", "16 | 32"), ("0.1..0.5", "0.3..0.5"), ("16..64", "16..64 step 16"))
    carrier = Carrier(old, new)
    point = Point({**old.sample(3), "network/width": 8, "train/batch_size": 48})
    carried = carrier.carry(point)
    assert new.contains(carried.point)
    assert carried.dropped["network/width"] == "is not offered any more"
    assert carried.point["train/batch_size"] == 48
    assert set(carried.kept) | set(carried.dropped) == set(point)
    assert set(carried.kept) | set(carried.fresh) == set(carried.point)


def test_nothing_is_guessed_of_unnamed_siblings() -> None:
    more = space(("conv(16)\n", "conv(16)\n    conv(8)\n"))
    carried = Carrier(space(), more).carry(space().sample(0))
    assert set(carried.dropped) == {path for path in space().sample(0) if path.startswith("network/conv")}
    assert all("which `conv` is which" in reason for reason in carried.dropped.values())
    assert set(changes(more).values()) == {"unclear"}


def test_labels_say_which_is_which() -> None:
    labels = (("conv(width)", "stem: conv(width)"), ("conv(16)\n", "body: conv(16)\n"))
    old = space(*labels)
    new = parse(
        OLD.replace("conv(width)", "first: conv(8)\n    stem: conv(width)").replace(
            "conv(16)\n", "body: conv(16)\n"
        )
    )
    point = old.sample(5)
    carried = Carrier(old, new).carry(point)
    assert dict(carried.dropped) == {}
    assert all(path.startswith("network/first") for path in carried.fresh)


def test_a_point_that_opens_less_drops_the_rest() -> None:
    old, new = space(), space(("repeat 1..3", "repeat 1..2"))
    point = next(p for seed in range(50) if (p := old.sample(seed))["network/repeat"] == 3)
    carried = Carrier(old, new).carry(point)
    assert carried.dropped["network/repeat"] == "is not offered any more"
    assert carried.dropped["network/repeat[2]/act"] == "does not open in this point"
