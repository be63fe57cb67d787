"""What untrained networks show: each proxy against its formula by hand, or a law that it must obey."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

import nasdsl
from nasdsl.engine.probing import proxies
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.measures import PROXIES as NAMES
from nasdsl.training.batch import Batch
from nasdsl.training.untrained import PROXIES, NotMeasurable, Probe
from nasdsl.training.untrained.chi import chi
from nasdsl.training.untrained.gradients import grad_norm, kernel, log_condition
from nasdsl.training.untrained.jacob_cov import of_gradients
from nasdsl.training.untrained.naswot import agreeing, log_det, naswot
from nasdsl.training.untrained.probe import SAMPLES
from nasdsl.training.untrained.synflow import flow, synflow
from nasdsl.training.untrained.zen import score


def probe_of(network: str, width: int = 6, classes: int = 3, change: object = None) -> Probe:
    """A probe of a network on vectors; `change` is called with every fresh module."""
    space = nasdsl.parse(
        f"task classification on shape({width}, classes = {classes})\nnetwork {{ {network} }}"
    )
    point, chance = space.sample(0), torch.Generator().manual_seed(1)
    planned = nasdsl.plan(space, point)

    def fresh(draw: int) -> nn.Module:
        module = nasdsl.build(space, point, seed=draw)
        if callable(change):
            change(module)
        return module

    x, y = torch.randn((SAMPLES, width), generator=chance), torch.arange(SAMPLES) % 3
    batch = Batch({"input": x}, {"output": y}, torch.arange(SAMPLES))
    return Probe(fresh, batch, nn.functional.cross_entropy, planned.depth, 0)


def test_the_tables_of_names_and_of_functions_agree() -> None:
    assert set(NAMES) == set(PROXIES)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_value_and_no_chance_is_taken_from_others(name: str) -> None:
    probe = probe_of("linear(8); batch_norm; relu; linear(8); relu; linear(outputs)")
    before = torch.random.get_rng_state()
    found = PROXIES[name](probe)
    assert math.isfinite(found) and found == PROXIES[name](probe)
    assert torch.equal(before, torch.random.get_rng_state())


# --- naswot ------------------------------------------------------------------------------------


def test_naswot_is_the_determinant_by_hand() -> None:
    # Two samples, three units: codes 110 and 101 agree in one. K = [[3, 1], [1, 3]], det 8.
    kernel = agreeing(torch.tensor([[True, True, False], [True, False, True]]))
    assert kernel.tolist() == [[3.0, 1.0], [1.0, 3.0]]
    assert log_det(kernel) == pytest.approx(math.log(8), abs=1e-4)


def test_naswot_adds_up_the_units_of_all_activations() -> None:
    probe = probe_of("linear(5); relu; linear(7); gelu; linear(outputs)")
    module = probe.fresh(0)
    layers = [one for one in module.modules() if isinstance(one, nn.Linear)]
    first = layers[0](probe.batch.inputs["input"])
    second = layers[1](first.relu())
    expected = log_det(agreeing(torch.cat([first, second], 1) > 0))
    assert naswot(probe) == pytest.approx(expected, rel=1e-9)


def test_naswot_needs_an_activation() -> None:
    with pytest.raises(NotMeasurable, match="has none as a layer"):
        naswot(probe_of("linear(4); linear(outputs)"))


# --- jacob_cov ---------------------------------------------------------------------------------


def test_jacob_cov_of_gradients_that_do_not_correlate_and_of_equal_ones() -> None:
    apart = torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, -1]], dtype=torch.float64)
    assert of_gradients(apart) == pytest.approx(-2.0, abs=1e-4)  # both eigenvalues 1: -(0 + 1) each
    alike = of_gradients(apart[:1].repeat(2, 1))  # eigenvalues 2 and 0
    assert alike == pytest.approx(-(math.log(2) + 0.5 + math.log(1e-5) + 1e5), rel=1e-4)


def test_jacob_cov_refuses_constant_gradients() -> None:
    with pytest.raises(NotMeasurable, match="constant"):
        of_gradients(torch.zeros(3, 4))


# --- synflow -----------------------------------------------------------------------------------


def test_synflow_of_a_known_network() -> None:
    def set_weights(module: nn.Module) -> None:
        first, last = [one for one in module.modules() if isinstance(one, nn.Linear)]
        first.weight.data = torch.tensor([[1.0, -2.0], [3.0, 0.5]])
        last.weight.data = torch.tensor([[-1.0, 2.0], [0.0, 1.0], [1.0, 1.0]])

    probe = probe_of("linear(2, bias = no); relu; linear(outputs, bias = no)", 2, change=set_weights)
    # |W1| 1 = (3, 3.5); columns of |W2| sum to (2, 4); R = 2 * 3 + 4 * 3.5 = 20, and each layer has all of it.
    assert synflow(probe) == pytest.approx(math.log10(2 * 20))


def test_synflow_is_conserved_from_layer_to_layer() -> None:
    """Tanaka et al. 2020, theorem 2: each layer without bias carries the same flow."""
    probe = probe_of("linear(9, bias = no); relu; linear(7, bias = no); relu; linear(outputs, bias = no)")
    ones = {"input": torch.ones((1, 6), dtype=torch.float64)}
    whole, each = float(flow(probe.fresh(0), ones)), []
    for kept in range(3):
        module = probe.fresh(0)
        for place, one in enumerate(m for m in module.modules() if isinstance(m, nn.Linear)):
            one.weight.requires_grad_(place == kept)
        each.append(float(flow(module, ones)))
    assert each == pytest.approx([whole / 3] * 3)


def test_synflow_passes_norms_by() -> None:
    plain = synflow(probe_of("linear(8); relu; linear(outputs)"))
    assert synflow(probe_of("linear(8); batch_norm; relu; linear(outputs)")) == pytest.approx(plain)
    assert synflow(probe_of("linear(8); rms_norm; relu; linear(outputs)")) == pytest.approx(plain)


# --- zen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["", "batch_norm; "])
def test_zen_grows_by_the_logarithm_of_a_weights_scale_with_and_without_batch_norm(norm: str) -> None:
    """Lin et al. 2021: what batch norm divides by is put back."""
    probe = probe_of(f"linear(16, bias = no); {norm}relu; linear(outputs)")
    chance = torch.Generator().manual_seed(0)
    x = torch.randn((32, 6), generator=chance)
    changed = x + 0.01 * torch.randn((32, 6), generator=chance)
    module = probe.fresh(0).train()
    first = next(one for one in module.modules() if isinstance(one, nn.Linear))
    first.weight.data *= 100  # so that the norm's eps counts for nothing
    before = score(module, {"input": x}, {"input": changed})
    first.weight.data *= 3
    assert score(module, {"input": x}, {"input": changed}) - before == pytest.approx(math.log(3), abs=1e-3)


def test_zen_says_which_norm_it_does_not_know() -> None:
    with pytest.raises(NotMeasurable, match="LayerNorm"):
        PROXIES["zen"](probe_of("linear(8); layer_norm; relu; linear(outputs)"))


# --- gradients ---------------------------------------------------------------------------------


def test_grad_norm_of_one_layer_by_hand() -> None:
    probe = probe_of("linear(outputs)")
    module, x, y = probe.fresh(0), probe.batch.inputs["input"], probe.batch.targets["output"]
    (layer,) = (one for one in module.modules() if isinstance(one, nn.Linear))
    off = (layer(x).softmax(1) - nn.functional.one_hot(y, 3)) / len(x)
    expected = float(((off.T @ x).norm() + off.sum(0).norm()).detach())
    assert grad_norm(probe) == pytest.approx(expected, rel=1e-5)


def test_the_tangent_kernel_of_one_layer_is_that_of_its_inputs() -> None:
    probe = probe_of("linear(outputs)")
    x = probe.batch.inputs["input"][:4]
    expected = 3 * (x @ x.T + 1)  # each of three outputs has a row of weights and a bias
    assert torch.allclose(kernel(probe.fresh(0), {"input": x}), expected.double(), atol=1e-5)


def test_the_condition_of_a_kernel() -> None:
    assert log_condition(torch.diag(torch.tensor([2.0, 20.0]))) == pytest.approx(math.log(10))
    assert log_condition(torch.diag(torch.tensor([0.0, 1.0]))) == pytest.approx(12 * math.log(10))


# --- chi ---------------------------------------------------------------------------------------


def _scaled(variance: float) -> Callable[[nn.Module], None]:
    def change(module: nn.Module) -> None:
        for one in module.modules():
            if isinstance(one, nn.Linear):
                one.weight.data.normal_(0, math.sqrt(variance / one.in_features))
                nn.init.zeros_(one.bias)

    return change


@pytest.mark.parametrize(
    ("act", "variance", "critical"), [("relu; ", 2.0, 1.0), ("relu; ", 1.0, 0.5), ("", 1.0, 1.0)]
)
def test_chi_is_the_variance_of_weights_times_the_mean_squared_slope(
    act: str, variance: float, critical: float
) -> None:
    """Roberts et al. 2021: chi = C_W E[s'^2]; 1/2 of the slopes of relu are 1."""
    layers = f"linear(192); {act}" * 5 + "linear(outputs)"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = chi(probe_of(layers, 32, 192, change=_scaled(variance)))
    assert found == pytest.approx(critical, rel=0.06)


def test_chi_of_torchs_own_weights_vanishes() -> None:
    # Uniform within 1 / sqrt(fan in): C_W = 1/3, and half of the slopes are 1.
    found = chi(probe_of("linear(192); relu; " * 5 + "linear(outputs)", 32, 192))
    assert found == pytest.approx(1 / 6, rel=0.08)


def test_chi_needs_two_layers() -> None:
    with pytest.raises(NotMeasurable, match="has one"):
        chi(probe_of("linear(outputs)"))


# --- other data --------------------------------------------------------------------------------


def test_symbols_have_no_small_changes_but_other_proxies_work_on_them() -> None:
    space = nasdsl.parse(
        'task next_token on text("corpus.txt", context = 8)\n'
        "network { token_embedding(8); residual { layer_norm; attention(2, causal = yes) }; mlp(16); linear(outputs) }"
    ).with_task({"text": Shape((8,), "index")}, 16)
    point = space.sample(0)
    for name in ("jacob_cov", "zen"):
        with pytest.raises(NotMeasurable, match="symbols"):
            proxies(space, point, 0, [name])
    found = proxies(space, point, 0, ["naswot", "synflow", "grad_norm", "ntk_cond", "chi"])
    assert all(map(math.isfinite, found.values()))


def test_images_and_numbers_to_predict() -> None:
    space = nasdsl.parse(
        "task regression on shape(1, 8, 8)\n"
        "network { conv2d(4); batch_norm; relu; residual { conv2d(8); relu }; global_avg_pool; linear(outputs) }"
    )
    found = proxies(space, space.sample(0), 0, NAMES)
    assert set(found) == set(NAMES) and all(map(math.isfinite, found.values()))
