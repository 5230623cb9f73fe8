"""What holds of every rule, mode and wrapper for any shape, dtype, extreme hyperparameters and extreme gradients."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from adam_core import Rule, make_rule
from tests.adam_core.rule_runner import F64, WRAPPED_CASES, Case, Lane, given_gradients, run, stack

N_STEPS = 4

betas = st.sampled_from([0.0, 1e-300, 0.5, 0.9, 0.9999, 1 - 1e-8])
lanes = st.fixed_dictionaries(
    {
        "alpha": st.sampled_from([0.0, 1e-300, 1e-8, 1e-3, 1.0]),
        "beta1": betas,
        "beta2": betas,
        "epsilon": st.sampled_from([0.0, 1e-300, 1e-8, 1.0, 1e10]),
        "momentum": betas,
        "rho": betas,
        "weight_decay": st.sampled_from([0.0, 1e-300, 1e-4, 1.0]),
        "bias_correction": st.sampled_from([0.0, 1.0]),
        "beta1_decay": st.sampled_from([1e-300, 0.5, 1 - 1e-8, 1.0]),
    }
)
shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
dtypes = st.sampled_from([torch.float32, F64])
cases = st.sampled_from(WRAPPED_CASES)
#: Zero, denormal in float32 and in float64, ordinary, near the largest of float32, not finite.
EXTREMES = (0.0, 1e-45, -1e-310, 1e-30, 1.0, -1e-4, 1e4, -1e20, 3e38, float("inf"), -float("inf"), float("nan"))
seeds = st.integers(0, 2**32)
examples = settings(max_examples=300, deadline=None, derandomize=True)


def rule_of(case: Case, lane: Lane) -> Rule:
    optimizer, options = case
    return make_rule(optimizer, stack([lane]), **options)


def drawn(values: tuple[float, ...], shape: tuple[int, ...], dtype: torch.dtype, seed: int) -> Tensor:
    """Gradients [N_STEPS, 1, *shape] of these values, the lane's axis first."""
    generator = torch.Generator().manual_seed(seed)
    choice = torch.randint(len(values), (N_STEPS, 1, *shape), generator=generator)
    return torch.tensor(values, dtype=F64)[choice].to(dtype)


def path(case: Case, lane: Lane, start: Tensor, gradients: Tensor, evaluated: bool = False) -> Tensor:
    alpha = torch.full((N_STEPS, 1), lane["alpha"], dtype=F64)
    return run(rule_of(case, lane), start, given_gradients(gradients), alpha, evaluated=evaluated)


def random_start(shape: tuple[int, ...], dtype: torch.dtype, seed: int) -> Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed), dtype=F64).to(dtype)


@examples
@given(case=cases, lane=lanes, shape=shapes, dtype=dtypes, seed=seeds)
def test_shapes_dtypes_and_layouts_are_kept(
    case: Case, lane: Lane, shape: tuple[int, ...], dtype: torch.dtype, seed: int
) -> None:
    gradients = drawn(EXTREMES, shape, dtype, seed)
    before = gradients.clone()
    rule = rule_of(case, lane)
    theta = random_start(shape, dtype, seed).transpose(0, -1)
    state = rule.init(theta)
    for t, row in enumerate(rule.coefficients(1, torch.full((N_STEPS, 1), lane["alpha"], dtype=F64))):
        coefficients = row.to(dtype).reshape(-1, *[1] * theta.dim())
        rule.update_(theta, gradients[t].transpose(0, -1), state, coefficients)
        for tensor in (*state, rule.evaluated(theta, state, coefficients)):
            assert (tensor.shape, tensor.dtype, tensor.stride()) == (theta.shape, dtype, theta.stride())
    assert torch.equal(gradients.nan_to_num(7.0), before.nan_to_num(7.0))


@examples
@given(case=cases, lane=lanes, dtype=dtypes, seed=seeds)
def test_a_coordinate_without_gradients_stays(case: Case, lane: Lane, dtype: torch.dtype, seed: int) -> None:
    """Whatever the hyperparameters, epsilon = 0 with them: 0/0 is 0. Only a decay of weights moves it, towards 0."""
    start = random_start((5,), dtype, seed)
    final = path(case, lane, start, torch.zeros(N_STEPS, 1, 5, dtype=dtype))[-1]
    assert not final.isnan().any()
    if case[1]["weight_decay_mode"] == "none":
        assert torch.equal(final, start)
    elif case[1]["weight_decay_mode"] == "decoupled" and lane["alpha"] * lane["weight_decay"] <= 1.0:
        assert (final.abs() <= start.abs()).all()


@examples
@given(case=cases, lane=lanes, dtype=dtypes, seed=seeds)
def test_a_gradient_that_is_not_finite_shows_and_harms_its_own_coordinate_only(
    case: Case, lane: Lane, dtype: torch.dtype, seed: int
) -> None:
    start = random_start((8,), dtype, seed)
    gradients = drawn(EXTREMES[:-3], (8,), dtype, seed)
    clean = path(case, lane, start, gradients)
    gradients[1, :, 3] = EXTREMES[-3 + seed % 3]
    for evaluated in (False, True):
        poisoned = path(case, lane, start, gradients, evaluated)
        assert not poisoned[2:, :, 3].isfinite().any()
        if not evaluated:
            others = [0, 1, 2, 4, 5, 6, 7]
            assert torch.equal(poisoned[:, :, others].nan_to_num(7.0), clean[:, :, others].nan_to_num(7.0))


@examples
@given(case=cases, lane=lanes, dtype=dtypes, seed=seeds)
def test_ordinary_gradients_give_finite_parameters(case: Case, lane: Lane, dtype: torch.dtype, seed: int) -> None:
    """Where second moments last at least a few steps: at beta2 = 0, a gradient of 0 after others divides by 0."""
    lane = {**lane, "beta2": max(lane["beta2"], 0.5), "rho": max(lane["rho"], 0.5)}
    gradients = drawn((0.0, 1.0, -1e-4, 1e4, -1e3), (8,), dtype, seed)
    for evaluated in (False, True):
        assert path(case, lane, random_start((8,), dtype, seed), gradients, evaluated).isfinite().all()


@examples
@given(case=cases, lane=lanes, dtype=dtypes, seed=seeds)
def test_a_run_goes_on_from_any_step(case: Case, lane: Lane, dtype: torch.dtype, seed: int) -> None:
    """The state and the step's number are all that an update depends on: a rule made anew gives the same bits."""
    gradients = drawn(EXTREMES[:-6], (5,), dtype, seed)
    start = random_start((5,), dtype, seed)
    whole = path(case, lane, start, gradients)
    theta, alpha = start.clone(), torch.full((1, 1), lane["alpha"], dtype=F64)
    state = rule_of(case, lane).init(theta)
    for t in range(N_STEPS):
        rule = rule_of(case, lane)
        rule.update_(theta, gradients[t], state, rule.coefficients(t + 1, alpha)[0, :, :, None].to(dtype))
        state = tuple(tensor.clone() for tensor in state)
    assert torch.equal(theta.nan_to_num(7.0), whole[-1].nan_to_num(7.0))
