"""`step_law` as a value: by its formulas, times a searched factor, in alternatives; `lr` in place of the optimizer's."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from training_toys import FAST, arrays, mlp, plan_for, rows, run, same

import nasdsl
from nasdsl.language.laws import step_law
from nasdsl.language.network import Spec
from nasdsl.training.session import session
from nasdsl.training.step_law import batch, rate, worked_out
from nasdsl.training.textfile import read_text


def space(train, task="classification on digits"):
    return nasdsl.parse(f"task {task}\nnetwork {{ flatten; linear(outputs) }}\ntrain {{ {train} }}")


def test_the_formulas_give_the_figures_of_the_paper():
    """A model of 1G weights on 100G tokens, worked out by hand from the published constants."""
    assert rate(10**9, 10**11) == pytest.approx(
        1.79 * np.exp(-0.713 * 9 * np.log(10) + 0.307 * 11 * np.log(10)), rel=1e-6
    )
    assert rate(10**9, 10**11) == pytest.approx(1.64e-3, rel=0.01)
    assert batch(10**11) == pytest.approx(1.11e6, rel=0.01)
    assert rate(2 * 10**9, 10**11) < rate(10**9, 10**11) < rate(10**9, 2 * 10**11)


def plan(params=1000, embedding=200):
    return SimpleNamespace(
        params=params,
        nodes=(
            SimpleNamespace(op="token_embedding", params=embedding),
            SimpleNamespace(op="linear", params=800),
        ),
    )


def test_weights_but_for_embeddings_and_symbols_seen_go_in(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"abcdefgh" * 800)
    data = read_text(tmp_path / "t.txt", 16, 0.1, 0.1)
    n_seen = len(data.rows("train")) * 16 * 5
    found = worked_out({"lr": step_law(0.5), "batch_size": step_law()}, plan(), data, 5)
    assert found["optimizer"]["lr"] == pytest.approx(0.5 * rate(800, n_seen))
    assert found["batch_size"] == max(2, round(batch(n_seen) / 16))
    assert "lr" not in found
    ended = {"lr": step_law(), "until": Spec("tokens", {"count": 1000})}
    assert worked_out(ended, plan(), data, 5)["optimizer"]["lr"] == pytest.approx(rate(800, 1000))
    assert worked_out(found, plan(), data, 5) == found


def test_a_factor_is_a_decision_and_the_law_an_alternative():
    found = space("lr = step_law * (0.5..2 log)")
    for seed in range(3):
        point = found.sample(seed)
        assert 0.5 <= point["train/lr"] <= 2
        assert found.decided(point).settings["lr"] == step_law(point["train/lr"])
    either = space("lr = 2 * step_law | 0.1 | step_law / 4; batch_size = step_law?")
    assert either.count() == 6
    lrs = {either.decided(p).settings["lr"] for p in either.enumerate()}
    assert lrs == {step_law(2.0), 0.1, step_law(0.25)}
    assert nasdsl.plan(either, either.sample(0)).train_memory > 0
    own = space("optimizer = adamw(lr = step_law) | sgd(lr = 0.1)")
    assert own.decided(own.unrank(0)).settings["optimizer"]["lr"] == step_law()


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("dropout(step_law)", "stands for `lr` and `batch_size` in `train { }`, not for `rate`"),
        ("let a = step_law; lr = a", "not for `a`"),
        ("lr = step_law + 1", "`step_law` can be multiplied by a number, and not used with `+`"),
        ("lr = step_law * 0", "multiplied with a number above 0, not 0"),
        ("lr = -1", "takes a number above 0"),
    ],
)
def test_elsewhere_it_is_refused_where_it_stands(train, said):
    with pytest.raises(nasdsl.SpaceError) as caught:
        space(train)
    assert said in str(caught.value)


def test_away_from_texts_it_warns():
    assert [w.code for w in space("lr = step_law").warnings] == ["extrapolates"]
    text = "task next_token on shape(8, classes = 16)\nnetwork { token_embedding(8); linear(outputs) }\ntrain { lr = step_law }"
    assert nasdsl.parse(text).warnings == ()


def test_lr_takes_the_place_of_the_optimizers(two_classes):
    a = run(mlp(), two_classes, {**FAST, "lr": 0.003}, epochs=2)
    b = run(mlp(), two_classes, {**FAST, "optimizer": Spec("adamw", {"lr": 0.003})}, epochs=2)
    assert same(a, b)


def test_a_training_by_the_law_is_one_by_its_numbers(two_classes):
    settings = {"optimizer": Spec("adamw", {}), "epochs": 3, "lr": step_law(), "batch_size": step_law()}
    one = session(mlp(), plan_for(two_classes), settings, two_classes, 0, 0, 3, torch.device("cpu"))
    n_seen = len(one.setup.rows) * 3
    assert one.setup.batch_size == max(2, round(batch(n_seen)))
    assert one.course.optimizer.param_groups[0]["full_lr"] == pytest.approx(
        rate(1, n_seen)
    )  # a plan without weights


def test_a_run_searches_around_the_law(tmp_path):
    text = """task classification on wine
    network { linear(8); relu; linear(outputs) }
    train { lr = step_law * (0.5..2 log) | 0.01; batch_size = step_law; epochs = 2 }"""
    found = nasdsl.search(
        nasdsl.parse(text, "a.space"), budget=3, workers=1, run=tmp_path / "run", searcher="random"
    )
    assert all(record.error is None for record in found.records)


def test_a_large_batch_ends_at_the_data():
    data = arrays("classification", *rows(40))
    found = worked_out({"batch_size": step_law(1000.0)}, plan(), data, 1)
    assert found["batch_size"] == len(data.rows("train"))
