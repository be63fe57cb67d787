"""`scale = mup(base)`: rates and starts by the table of the paper, nothing at the base, flat coordinates."""

import json

import pytest
import torch
from training_toys import same

import nasdsl
from compiler.build import build
from compiler.plan import plan_of
from nasdsl.cli import main
from nasdsl.engine.coordinates import coordinate_check
from nasdsl.language.network import Spec
from nasdsl.training import DataError, open_data, train
from nasdsl.training.methods.mup import roles
from nasdsl.training.session import session

MLP = "flatten; linear(width); relu; linear(width); relu; linear(outputs)"
CNN = "conv2d(width); relu; residual { batch_norm; conv2d(width); relu; depthwise_conv2d(width) }; max_pool(2); flatten; linear(width); relu; linear(outputs)"
ATTENTION = "patch_embed(width, patch = 2); residual { layer_norm; attention(4) }; residual { layer_norm; mlp(2 * width) }; global_avg_pool; linear(outputs)"


def text(body, width, optimizer="adam(lr = 3e-3)", more=""):
    return f"""task classification on digits
    network {{ let width = {width}
    {body} }}
    train {{ optimizer = {optimizer}; batch_size = 64; epochs = 1; {more} }}"""


def made(body, width, **options):
    space = nasdsl.parse(text(body, width, **options))
    decided = space.decided(space.default())
    plan = plan_of(decided)
    return space, decided.settings, plan, build(plan, seed=0)


def described(body, width, base):
    _, _, plan, module = made(body, width)
    names = {id(part): name for name, part in module.named_modules()}
    return {names[id(layer)]: role for layer, role in roles(plan, module, base)}


def test_layers_of_a_perceptron_have_the_roles_of_the_table():
    first, hidden, last = described(MLP, 256, 64).values()
    assert (first.rate(True), hidden.rate(True), last.rate(True)) == (1, 1 / 4, 1 / 4)
    assert (first.rate(False), hidden.rate(False), last.rate(False)) == (4, 1, 1 / 4)
    assert (first.start(), hidden.start(), last.start()) == (1, 1, 1 / 2)


def test_flattened_maps_count_channels_and_windows_read_the_same_at_any_width():
    first, conv, window, after, last = described(CNN, 32, 16).values()
    assert (first.first, conv.first, window.first, after.first, last.last) == (True, False, True, False, True)
    assert (conv.reads, after.reads, last.reads) == (2, 2, 2)  # not 2 * 16 positions


def test_queries_of_attention_are_scaled_besides():
    found = described(ATTENTION, 64, 32)
    (query,) = [role for role in found.values() if role.query]
    assert query.start() == query.rate(True) * 2 == pytest.approx(2**-0.5)
    assert query.rate(False) == 1 / 2


def test_a_network_at_the_base_trains_as_without():
    space, settings, plan, plain = made(CNN, 16)
    data = open_data(space.task, None)
    other = build(plan, seed=0)
    a = train(plain, plan, settings, data, 0)
    b = train(other, plan, {**settings, "scale": Spec("mup", {"base": 16})}, data, 0)
    assert same(a, b)


def test_rates_reach_the_optimizer_and_decay_is_alike_at_every_width():
    space, settings, plan, module = made(MLP, 128, optimizer="adamw(lr = 4e-3, weight_decay = 0.1)")
    settings = {**settings, "scale": Spec("mup", {"base": 32})}
    data = open_data(space.task, None)
    one = session(module, plan, settings, data, 0, 0, 1, torch.device("cpu"))
    groups = one.course.optimizer.param_groups
    rates = {id(p): group["full_lr"] for group in groups for p in group["params"]}
    first, hidden, last = (part for part in module.modules() if isinstance(part, torch.nn.Linear))
    assert [rates[id(one.weight)] for one in (first, hidden, last)] == pytest.approx([4e-3, 1e-3, 1e-3])
    assert [rates[id(one.bias)] for one in (first, hidden, last)] == pytest.approx([4e-3] * 3)
    decayed = [group for group in groups if group["weight_decay"]]
    assert [g["weight_decay"] * g["full_lr"] for g in decayed] == pytest.approx([4e-4] * len(decayed))
    assert not one.parts.fuses


@pytest.mark.parametrize("optimizer", ["adam(lr = 3e-3)", "sgd(lr = 0.1)"])
@pytest.mark.parametrize("body", [MLP, ATTENTION])
def test_coordinates_are_flat_in_the_width(body, optimizer):
    space = nasdsl.parse(text(body, "32 | 128 | 256", optimizer))
    found = coordinate_check(space, ["network/width"], seeds=2)
    assert found.widths == (32, 128, 256)
    assert max(abs(one.power) for one in found.scaled) < 0.3
    assert max(abs(one.power) for one in found.plain) > 0.4


def test_what_it_cannot_tell_apart_is_refused():
    body = "flatten; linear(16, weight = weight_norm); linear(outputs)"
    space, settings, plan, module = made(body, 16)
    with pytest.raises(DataError, match="has weight methods"):
        train(module, plan, {**settings, "scale": Spec("mup", {"base": 16})}, open_data(space.task, None), 0)
    with pytest.raises(nasdsl.SpaceError, match="muon's steps are orthogonal"):
        nasdsl.parse(text(MLP, 16, "adam | muon", "scale = mup(16)?"))


def test_the_command_tells_powers_and_unknown_decisions(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.space").write_text(text("flatten; linear(width); relu; linear(outputs)", "8 | 32"))
    arguments = ["widths", "w.space", "--vary", "network/width", "--seeds", "1"]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["widths"], found["base"]) == ([8, 32], 8)
    assert found["plain"][0]["sizes"][0] == found["scaled"][0]["sizes"][0]  # at the base all is alike
    assert main(arguments) == 0
    assert "scale = mup(base = 8)" in capsys.readouterr().out
    assert main(["widths", "w.space", "--vary", "network/widht"]) == 2
    assert "did you mean `network/width`?" in capsys.readouterr().err
