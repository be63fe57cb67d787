"""AdaMixUp: shares within the stretch that the policy gives, gradients to all three, clean training as its limit."""

import pytest
import torch
from training_toys import FAST, arrays, cnn, mlp, plan_for, rows, run

from nasdsl.language.network import Spec
from nasdsl.training import DataError
from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.methods.adamixup import AdaMixup
from nasdsl.training.session import session

SETTINGS = {**FAST, "adamixup": Spec("adamixup", {"intrusion": 1.0})}


def begun(module, data):
    one = session(module, plan_for(data), SETTINGS, data, 0, 0, 2, torch.device("cpu"))
    (mix,) = one.parts.mix
    method = mix.__self__
    assert isinstance(method, AdaMixup)
    return one, method


def answering(method, a, d):
    """The policy made to give this stretch, whatever it sees."""
    last = method.policy[2]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor([a, d, 1 - a - d]).clamp_min(1e-30).log())


@pytest.mark.parametrize(("a", "d"), [(0.2, 0.5), (0.0, 1.0), (0.9, 0.05)])
def test_shares_fill_the_stretch_of_the_policy(a, d, two_classes):
    one, method = begun(mlp(), two_classes)
    answering(method, a, d)
    batch = one.setup.data.batch(one.setup.rows)
    share = torch.cat([method.share(batch, torch.randperm(len(batch.index))) for _ in range(20)])
    assert a - 1e-5 <= share.min() < a + 0.1 * d and a + 0.9 * d < share.max() <= a + d + 1e-5


def test_inputs_and_labels_are_mixed_by_one_share_for_each_pair(two_classes):
    one, method = begun(mlp(), two_classes)
    batch = one.setup.data.batch(one.setup.rows[:40])
    mixed = method.mix(batch, one.course)
    torch.testing.assert_close(mixed.targets[OUTPUT].sum(1), torch.ones(40))
    own = mixed.targets[OUTPUT].gather(1, batch.targets[OUTPUT][:, None])[:, 0]
    apart = own < 1  # pairs of two classes show their share in the labels
    assert own[apart].unique().numel() > 5
    assert torch.equal(method.real.inputs[INPUT], batch.inputs[INPUT])


def test_a_policy_that_keeps_the_first_of_each_pair_is_clean_training(two_classes):
    one, method = begun(mlp(), two_classes)
    answering(method, 1.0, 0.0)
    batch = one.setup.data.batch(one.setup.rows[:16])
    mixed = method.mix(batch, one.course)
    torch.testing.assert_close(mixed.inputs[INPUT], batch.inputs[INPUT])
    assert torch.equal(mixed.targets[OUTPUT].argmax(1), batch.targets[OUTPUT])


@pytest.mark.parametrize("kind", ["table", "images"])
def test_policy_judge_and_network_learn(kind, two_classes, pictures):
    data, module = (two_classes, mlp()) if kind == "table" else (pictures, cnn())
    one, method = begun(module, data)
    before = {name: [w.clone() for w in part.parameters()] for name, part in parts_of(method, module).items()}
    one.epoch()
    for name, part in parts_of(method, module).items():
        assert any(not torch.equal(w, old) for w, old in zip(part.parameters(), before[name], strict=True)), (
            name
        )


def parts_of(method, module):
    return {"policy": method.policy, "judge": method.judge, "network": module}


def test_the_policy_feels_the_loss_of_what_it_mixes(two_classes):
    one, method = begun(mlp(), two_classes)
    batch = one.setup.data.batch(one.setup.rows[:16])
    mixed = method.mix(batch, one.course)
    outputs = {OUTPUT: one.course.module(mixed.inputs[INPUT])}
    one.loss(outputs[OUTPUT], mixed.targets[OUTPUT]).backward()
    assert method.policy[2].weight.grad.abs().sum() > 0
    assert method.judge.weight.grad is None


def test_statistics_of_norms_see_no_averages_of_pairs(pictures):
    one, method = begun(cnn(), pictures)
    norm = one.course.module[1]
    before = norm.running_mean.clone()
    method.mix(one.setup.data.batch(one.setup.rows[:16]), one.course)
    assert torch.equal(norm.running_mean, before)


def test_adamixup_learns_and_needs_classes(two_classes, a_line):
    assert run(mlp(), two_classes, SETTINGS).measures["accuracy"] > 0.93
    with pytest.raises(DataError, match="is for classes"):
        run(mlp(outputs=1), a_line, SETTINGS)


def test_it_composes_with_weights_of_classes():
    x, _ = rows(300)
    data = arrays("classification", x, (x.sum(1) > 1.8).astype(int))
    settings = {**SETTINGS, "loss": Spec("cross_entropy", {"weights": "balanced"})}
    assert run(mlp(), data, settings).measures["accuracy"] > 0.8
