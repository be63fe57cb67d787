"""PELA: nothing at full rank, the distances by their formulas, and the full network the one that was factored."""

import pytest
import torch
from torch.nn import functional

import nasdsl
from compiler.build import build
from compiler.plan import plan_of
from nasdsl.language.network import Spec
from nasdsl.training import DataError, open_data, train
from nasdsl.training.dataset import OUTPUT
from nasdsl.training.methods.pela import Pair
from nasdsl.training.session import session

BODY = "conv2d(8, weight = {conv}); batch_norm; relu; flatten; linear(32, weight = {linear}); relu; linear(outputs)"


def begun(conv="low_rank(3)", linear="low_rank(4)", more="", build_seed=0, **pela):
    body = BODY.format(conv=conv, linear=linear)
    space = nasdsl.parse(
        f"task classification on digits\nnetwork {{ {body} }}\ntrain {{ batch_size = 64; epochs = 2; {more} }}"
    )
    decided = space.decided(space.default())
    plan = plan_of(decided)
    spec = Spec("pela", {"features": 1.0, "perturbation": 1.0, "gap": 0.0} | pela)
    settings = {**decided.settings, "pela": spec}
    data = open_data(space.task, None)
    module = build(plan, seed=build_seed)
    return session(module, plan, settings, data, 0, 0, 2, torch.device("cpu")), module, plan, settings, data


def value(one, module):
    (term,) = one.parts.terms
    batch = one.setup.data.batch(one.setup.rows[:32])
    module.eval()
    return float(term(batch, {OUTPUT: module(*batch.inputs.values())}, one.course).detach())


def test_at_full_rank_nothing_is_lost_and_the_terms_are_nothing():
    one, module, *_ = begun("low_rank(8)", "low_rank(32)")
    assert value(one, module) == pytest.approx(0, abs=1e-8)


def test_the_full_network_is_the_one_that_was_factored():
    one, *_ = begun()
    (term,) = one.parts.terms
    assert len(term.pairs) == 2
    for pair in term.pairs:
        product, full = pair.weights()
        values = torch.linalg.svdvals(full)
        rank = torch.linalg.matrix_rank(product)
        lost = torch.linalg.matrix_norm(product - full)
        torch.testing.assert_close(lost, values[rank:].square().sum().sqrt(), rtol=1e-3, atol=1e-6)
    names = {name for name, _ in term.teacher.named_parameters()}
    assert not any("reduce" in name for name in names)
    assert not any(p.requires_grad for p in term.teacher.parameters())


def test_distance_of_weights_is_that_of_the_largest_gaps():
    one, module, *_ = begun(features=0.0, perturbation=2.0, gap=0.01)
    (term,) = one.parts.terms
    gaps = [(a - b).abs().max() for a, b in (pair.weights() for pair in term.pairs)]
    expected = 2 * sum((float(gap.detach()) - 0.01) ** 2 for gap in gaps) / 2
    assert value(one, module) == pytest.approx(expected, rel=1e-5)


def test_distance_of_features_is_their_mean_squared_error():
    one, module, *_ = begun(perturbation=0.0)
    (term,) = one.parts.terms
    found = value(one, module)
    each = [functional.mse_loss(z, term.full.latest[name]) for name, z in term.low.latest.items()]
    assert len(each) == 2
    assert found == pytest.approx(float(sum(each).detach()) / 2, rel=1e-5)


def test_training_with_it_stays_closer_to_the_full_network():
    def far(**pela):
        one, module, *_ = begun(more="optimizer = adamw(lr = 3e-3)", perturbation=0.0, **pela)
        for _ in range(2):
            one.epoch()
        value(one, module)
        (term,) = one.parts.terms
        if not term.features:
            term = type(term)(term.teacher, term.pairs, term.low, term.full, 1.0, 0.0, 0.0)
        batch = one.setup.data.batch(one.setup.rows[:128])
        return float(term(batch, {OUTPUT: module(*batch.inputs.values())}, one.course).detach())

    assert far(features=10.0) < 0.7 * far(features=0.0)


def test_a_point_without_low_rank_trains_as_ever_and_a_file_without_is_told():
    one, *_ = begun("plain", "plain")
    assert one.parts.terms == ()
    with pytest.raises(nasdsl.SpaceError, match="no layer here can have `low_rank`"):
        nasdsl.parse("task classification on wine\nnetwork { linear(outputs) }\ntrain { pela }")
    text = "task classification on wine\nnetwork { linear(8, weight = plain | low_rank(2)); linear(outputs) }\ntrain { pela? }"
    assert [w.code for w in nasdsl.parse(text).warnings] == ["no-start"]


def test_factors_of_another_network_are_refused():
    with pytest.raises(DataError, match="which full weights"):
        begun(build_seed=1)
    with pytest.raises(DataError, match="leave `init` out"):
        begun(more="init = critical")


def test_layers_after_low_rank_ones_begin_as_beside_full_ones():
    _, low, *_ = begun()
    _, full, *_ = begun("plain", "plain")
    a, b = dict(low.named_parameters()), dict(full.named_parameters())
    common = [name for name in b if name in a]
    assert len(common) >= 3 and all(torch.equal(a[name], b[name]) for name in common)


def test_it_trains_in_a_search(tmp_path):
    text = """task classification on wine
    network { linear(16, weight = low_rank(2..8)); relu; linear(outputs) }
    train { pela(features = 0.1..10 log, gap = 1e-3)? ; epochs = 2 }"""
    found = nasdsl.search(
        nasdsl.parse(text, "a.space"), budget=4, workers=1, run=tmp_path / "run", searcher="random"
    )
    assert all(record.error is None for record in found.records)


def test_pairs_also_hold_parametrized_weights():
    low = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 2))
    product, full = Pair(low, torch.nn.Linear(3, 2)).weights()
    assert product.shape == full.shape == (2, 3)


def test_the_terms_reach_the_factors_alone():
    _, module, plan, settings, data = begun()
    trained = train(module, plan, settings, data, 0)
    assert trained.curve[1]["train_loss"] < trained.curve[0]["train_loss"]
