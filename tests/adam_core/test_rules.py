"""Every rule over lanes against the papers (reference.py), in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from adam_core import Schedule, kernels, make_rule, reference
from tests.adam_core.rule_runner import (
    CASES,
    F64,
    SETTINGS,
    WRAPPED_CASES,
    Case,
    Lane,
    case_id,
    given_gradients,
    reference_path,
    relative_gap,
    run,
    stack,
)

N_STEPS = 1000
CURVATURE = torch.tensor([1.0, 10.0, 0.1, 3.0], dtype=F64)
START = torch.tensor([1.0, -0.5, 2.0, 0.0], dtype=F64)
NOISE = torch.randn(N_STEPS, 4, generator=torch.Generator().manual_seed(1), dtype=F64)

#: SETTINGS, and lanes without bias correction, with a decaying beta1, and with both.
LANES: list[Lane] = [
    *({**lane, "bias_correction": 1.0, "beta1_decay": 1.0} for lane in SETTINGS),
    {**SETTINGS[0], "bias_correction": 0.0, "beta1_decay": 1.0},
    {**SETTINGS[0], "bias_correction": 1.0, "beta1_decay": 0.99},
    {**SETTINGS[2], "bias_correction": 0.0, "beta1_decay": 1 - 1e-8},
]

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(case_id, case)))


def gradient(theta: Tensor, t: int) -> Tensor:
    """A noisy quadratic's, of any array of lanes [..., 4]; the last coordinate sees its first gradient at step 6."""
    g = CURVATURE * theta + NOISE[t - 1]
    if t <= 5:
        g[..., 3] = 0.0
    return g


def numpy_gradient(theta: reference.Array, t: int) -> reference.Array:
    return gradient(torch.from_numpy(theta), t).numpy()


def alphas(case: Case, kind: str = "constant", n_steps: int = N_STEPS) -> Tensor:
    """alpha_t of the lanes, [T, K]; those of AdaDelta, whose default is 1, are 100 times as large."""
    scale = 100.0 if case[0] == "adadelta" else 1.0
    return scale * Schedule(kind, "step").alphas(stack(LANES)["alpha"], 100, 1, n_steps)


def array_path(case: Case, alpha: Tensor, first_step: int = 1) -> Tensor:
    optimizer, options = case
    rule = make_rule(optimizer, stack(LANES), **options)
    return run(rule, START.repeat(len(LANES), 1), gradient, alpha, first_step=first_step)


@pytest.mark.parametrize("kind", ["constant", "inverse-sqrt"])
@each_case
def test_lanes_equal_the_paper_for_1000_steps(case: Case, kind: str) -> None:
    alpha = alphas(case, kind)
    path = array_path(case, alpha)
    for k, lane in enumerate(LANES):
        # 1 - beta2^t itself, as the reference writes it, has lost 8 digits at beta2 = 1 - 1e-8
        tolerance = 1e-6 if case[0] in ("adam", "amsgrad") and lane["beta2"] > 0.99999 else 1e-10
        expected = reference_path(case, lane, START, numpy_gradient, alpha[:, k].tolist())
        assert relative_gap(path[:, k], expected) < tolerance, lane


@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
@pytest.mark.parametrize("case", [case for case in CASES if case[0] in ("adam", "adamax")], ids=str)
def test_compiled_updates_are_those_of_plain_torch(
    case: Case, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit, so that what is shown of one holds of the other."""
    optimizer, options = case
    rule = make_rule(optimizer, stack(LANES), **options)
    start = START.repeat(len(LANES), 1).to(dtype)
    paths = []
    for _ in range(2):
        paths.append(run(rule, start, lambda theta, t: gradient(theta.double(), t).to(dtype), alphas(case)))
        for name in ("adam_", "adamax_"):
            monkeypatch.setattr(kernels, name, lambda *args: False)
    assert torch.equal(*paths)


@pytest.mark.parametrize("mistake", ["t off by one", "no correction"])
@pytest.mark.parametrize("optimizer", ["adam", "adamax", "amsgrad"])
def test_a_wrong_bias_correction_would_be_seen(optimizer: str, mistake: str) -> None:
    alpha = alphas((optimizer, {}))
    path = array_path((optimizer, {}), alpha, first_step=2 if mistake == "t off by one" else 10**9)
    expected = reference_path((optimizer, {}), LANES[0], START, numpy_gradient, alpha[:, 0].tolist())
    assert relative_gap(path[:, 0], expected) > 1e-5


@each_case
def test_modes_differ(case: Case) -> None:
    """A mode that did nothing would pass every comparison of a reference that made the same mistake."""
    others = [other for other in CASES if other[0] == case[0] and other != case]
    alpha = alphas(case, n_steps=20)
    mine = array_path(case, alpha)
    for other in others:
        assert not torch.equal(mine, array_path(other, alpha)), other


def test_scalars_are_computed_in_float64() -> None:
    """In float32, 1 - 0.9999 is 1.7e-4 off, and 1 - 0.9999^t as well."""
    rule = make_rule("adam", stack([{"beta1": 0.9, "beta2": 0.9999, "epsilon": 0.0}]))
    coefficients = rule.coefficients(1, torch.full((1, 1), 1e-3, dtype=F64))
    assert coefficients.shape == (1, 6, 1) and coefficients.dtype == F64
    single = coefficients[0, :, 0].float().tolist()
    assert single[5] == pytest.approx(1e-4, rel=1e-7)
    assert single[0] == pytest.approx(1e-3 * 1e-2 / 0.1, rel=1e-7)


@pytest.mark.parametrize("case", WRAPPED_CASES, ids=lambda case: "-".join(map(case_id, case)))
def test_coefficients_of_slices_join(case: Case) -> None:
    optimizer, options = case
    alpha = alphas(case, "inverse-sqrt", 60)
    rule = make_rule(optimizer, stack(LANES), **options)
    whole = rule.coefficients(1, alpha)
    assert whole.dtype == F64 and whole.shape[0] == 60 and whole.shape[2] == len(LANES)
    assert torch.equal(whole[25:], rule.coefficients(26, alpha[25:]))


@each_case
def test_float32_follows_float64(case: Case) -> None:
    """Within 1e-5 over 100 steps of given gradients."""
    optimizer, options = case
    # A variance of gradients that nearly cancels is a matter of the last digits: Graves has epsilon = 1e-4 for it.
    lanes = [{**lane, "epsilon": max(lane["epsilon"], 1e-4)} if "centered" in options else lane for lane in LANES]
    alpha = stack(lanes)["alpha"].repeat(100, 1)
    rule = make_rule(optimizer, stack(lanes), **options)
    start = START.repeat(len(lanes), 1)
    double = run(rule, start, given_gradients(NOISE), alpha)
    single = run(rule, start.float(), given_gradients(NOISE.float()), alpha)
    assert single.dtype == torch.float32
    assert relative_gap(single.double(), double) < 1e-5


@pytest.mark.parametrize("case", WRAPPED_CASES, ids=lambda case: "-".join(map(case_id, case)))
def test_an_update_is_in_place_and_only_reads_the_gradient(case: Case) -> None:
    optimizer, options = case
    rule = make_rule(optimizer, stack(SETTINGS[:1]), **options)
    theta, g = torch.ones(1, 3), torch.tensor([[1.0, -2.0, 0.0]])
    state = rule.init(theta)
    assert len(state) == len(rule.state_names) == len(set(rule.state_names))
    assert all(tensor.shape == theta.shape and not tensor.any() for tensor in state)
    pointers = [tensor.data_ptr() for tensor in (theta, *state)]
    coefficients = rule.coefficients(1, torch.full((1, 1), 0.1, dtype=F64))[0].float()
    rule.update_(theta, g, state, coefficients[..., None])
    assert [tensor.data_ptr() for tensor in (theta, *state)] == pointers
    assert torch.equal(g, torch.tensor([[1.0, -2.0, 0.0]]))
    assert theta[0, 0] < 1.0 != theta[0, 1]
    assert all(tensor.any() for tensor in state)


def test_the_first_step_of_adam() -> None:
    rule = make_rule("adam", stack(SETTINGS[:1]))
    path = run(
        rule, torch.ones(1, 3), given_gradients(torch.tensor([[1.0, -2.0, 0.0]])), torch.full((1, 1), 0.1).double()
    )
    torch.testing.assert_close(path[1], torch.tensor([[0.9, 1.1, 1.0]]))


number = st.floats(-1e3, 1e3, allow_nan=False).map(lambda g: 0.0 if abs(g) < 1e-6 else g)
beta = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 0.9999]) | st.floats(0.0, 0.9999)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    # a centered second moment that nearly cancels is a matter of the last digits
    case=st.sampled_from([case for case in CASES if not case[1].get("centered")]),
    lane=st.fixed_dictionaries(
        {
            "alpha": st.floats(1e-6, 1.0),
            "beta1": beta,
            "beta2": beta,
            "epsilon": st.sampled_from([1e-10, 1e-8, 1e-3, 1.0]),
            "momentum": beta,
            "rho": beta,
            "bias_correction": st.sampled_from([0.0, 1.0]),
            "beta1_decay": st.sampled_from([1.0, 1 - 1e-8, 0.9]),
        }
    ),
    gradients=st.lists(number, min_size=1, max_size=20),
)
def test_any_setting_equals_the_paper(case: Case, lane: Lane, gradients: list[float]) -> None:
    optimizer, options = case
    alphas = [lane["alpha"]] * len(gradients)
    expected = reference_path(case, lane, torch.zeros(1, dtype=F64), lambda _, t: np.array([gradients[t - 1]]), alphas)
    rule = make_rule(optimizer, stack([lane]), **options)
    alpha = torch.tensor(alphas, dtype=F64)[:, None]
    path = run(rule, torch.zeros(1, 1, dtype=F64), given_gradients(torch.tensor(gradients, dtype=F64)), alpha)
    np.testing.assert_allclose(path[:, 0].numpy(), expected.numpy(), rtol=1e-9, atol=1e-10 * lane["alpha"])
