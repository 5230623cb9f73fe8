"""Settings from Optuna's samplers, drawn in memory: Optuna's tables take no part in it.

Random, qmc and grid settings are a function of the seed and the trial's number alone, so they are all drawn at the
submit. Adaptive samplers see the trials that ended before.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, GridSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from studies.search_space import distributions, from_optuna
from studies.spec import ADAPTIVE_SAMPLERS, StudySpec

N_STARTUP = 10  #: trials that an adaptive sampler draws at random first

OPTUNA_STATES = {
    "waiting": TrialState.WAITING,
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "cancelled": TrialState.FAIL,
}


@dataclass(frozen=True)
class PastTrial:
    """What a sampler or pruner sees of a trial."""

    number: int
    state: str
    params: Mapping[str, float] | None  #: Optuna's names; None: not drawn yet
    objective: float | None
    attrs: Mapping[str, Any]  #: what the sampler and the pruner keep with the trial


@dataclass(frozen=True)
class Drawn:
    """A setting that an adaptive sampler drew, and what it wants to find again with the trial."""

    setting: dict[str, float]
    attrs: dict[str, Any]


def is_adaptive(spec: StudySpec) -> bool:
    """Whether the sampler looks at the trials that ended before."""
    return spec.sampler in ADAPTIVE_SAMPLERS


def max_in_flight(spec: StudySpec) -> int | None:
    """Return how many trials of the study may run at once; None: any number."""
    return max(N_STARTUP, spec.n_trials // 8) if is_adaptive(spec) else None


def draw_settings(spec: StudySpec, n_trials: int | None = None) -> list[dict[str, float]]:
    """Return the settings of trials 0, 1, ... that are known at the submit.

    They are the first settings (the default, the enqueued ones), then, unless the sampler is adaptive, the
    sampler's own. Asking for more trials only appends.
    """
    n_trials = spec.n_trials if n_trials is None else n_trials
    settings = spec.first_settings
    if is_adaptive(spec):
        return settings
    n_drawn = n_trials if spec.sampler == "grid" else n_trials - len(settings)
    drawn = _draw(spec, n_drawn)
    if spec.sampler == "grid":
        drawn = [setting for setting in drawn if setting not in settings]
    return (settings + drawn)[:n_trials]


def draw_adaptive(spec: StudySpec, history: Sequence[PastTrial], numbers: Sequence[int]) -> Iterator[Drawn]:
    """Yield settings for the trials of these numbers, drawn one after the other in view of `history`."""
    space = distributions(spec.search_space)
    with quiet():
        study = optuna.create_study(sampler=_adaptive_sampler(spec, numbers[0]))
    study.add_trials([frozen_trial(past, space) for past in history if past.params is not None])
    for _ in numbers:
        with quiet():
            trial = study.ask(space)
            attrs = dict(study.trials[trial.number].system_attrs)
        yield Drawn(from_optuna(spec.search_space, trial.params), attrs)


def frozen_trial(past: PastTrial, space: Mapping[str, BaseDistribution], **fields: Any) -> FrozenTrial:
    """Return Optuna's trial for ours; `fields` go to `optuna.trial.create_trial`."""
    state = OPTUNA_STATES[past.state]
    return create_trial(
        state=state,
        value=past.objective if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        params=dict(past.params or {}),
        distributions=dict(space) if past.params else {},
        system_attrs=dict(past.attrs),
        **fields,
    )


def _draw(spec: StudySpec, n_drawn: int) -> list[dict[str, float]]:
    space = distributions(spec.search_space)
    if not space:  # constants only: one trial, the first settings may already hold it
        return [from_optuna(spec.search_space, {})] * n_drawn
    with quiet():
        study = optuna.create_study(sampler=_fixed_sampler(spec, space))
    if spec.sampler == "qmc":  # the sequence starts with the second trial: Optuna reads the space off the first
        study.add_trial(create_trial(value=0.0, params=_any_point(space), distributions=space))
    with quiet():
        return [from_optuna(spec.search_space, study.ask(space).params) for _ in range(n_drawn)]


def _fixed_sampler(spec: StudySpec, space: Mapping[str, BaseDistribution]) -> BaseSampler:
    seed = _seed(spec)
    if spec.sampler == "grid":
        return GridSampler(
            {name: d.choices for name, d in space.items() if isinstance(d, CategoricalDistribution)}, seed
        )
    return QMCSampler(scramble=True, seed=seed) if spec.sampler == "qmc" else RandomSampler(seed)


def _adaptive_sampler(spec: StudySpec, number: int) -> BaseSampler:
    seed = (_seed(spec) + number) % 2**32
    if spec.sampler == "tpe":
        return TPESampler(n_startup_trials=N_STARTUP, seed=seed)
    if spec.sampler == "gp":
        return GPSampler(n_startup_trials=N_STARTUP, seed=seed)
    return CmaEsSampler(n_startup_trials=N_STARTUP, seed=seed)


def _seed(spec: StudySpec) -> int:
    """Fold the study's seed into the 32 bits that Optuna's generators take."""
    return (spec.seed ^ (spec.seed >> 32)) % 2**32


def _any_point(space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    return {name: d.low if isinstance(d, FloatDistribution) else d.choices[0] for name, d in space.items()}  # type: ignore[attr-defined]  # only these two kinds occur


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna's lines about studies that it makes, and about what it calls experimental, to itself."""
    verbosity = optuna.logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(verbosity)
