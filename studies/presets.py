"""Studies and suites that can be submitted by name."""

from dataclasses import dataclass

from studies.errors import NotFoundError
from studies.optimizers import OPTIMIZERS
from studies.schedule import Schedule
from studies.search_space import Dimension, Range
from studies.spec import Spec, StudySpec, SuiteSpec
from studies.workloads.online import COUNTEREXAMPLE_SLOPE
from studies.workloads.surfaces import SURFACE_WORKLOADS

#: Reaches above the default space: with α/√t per step the best α lies near 0.5 on the digits.
_ALPHA_ON_DIGITS = Range(low=1e-4, high=10.0, scale="log")
#: Five decades too, where the best α lies elsewhere.
_ALPHAS_ON_DIGITS = {
    "sgd": Range(low=1e-3, high=100.0, scale="log"),
    "adadelta": Range(low=1e-2, high=1e3, scale="log"),
}
_ALPHA_ON_MNIST = Range(low=1e-4, high=1.0, scale="log")
_EPSILON = Range(low=1e-10, high=1.0, scale="log")
#: Below √(1 − β2), as the counterexample wants it.
_ALPHAS_THAT_FAIL = (0.05, 0.1, 0.2, 0.4, 0.8)
_BETA2_THAT_FAILS = 1 / (1 + COUNTEREXAMPLE_SLOPE**2)
#: Reaches above the default space: 200 updates of a constant α are not many.
_ALPHA_ON_SURFACES = Range(low=1e-3, high=1.0, scale="log")


@dataclass(frozen=True)
class Preset:
    """A spec with a name."""

    name: str
    title: str
    description: str
    spec: Spec


def _digits(name: str, optimizer: str, n_trials: int = 64, **space: Dimension) -> StudySpec:
    return StudySpec(
        name=name,
        workload="digits-logistic",
        optimizer=optimizer,
        search_space={"alpha": _ALPHAS_ON_DIGITS.get(optimizer, _ALPHA_ON_DIGITS), **space},
        n_trials=n_trials,
        epochs=20,
        schedule=Schedule(alpha="constant"),  # 240 steps: α/√t would leave the paper's default at its start
    )


def _mnist(name: str, optimizer: str) -> StudySpec:
    return StudySpec(
        name=name,
        workload="mnist-logistic",
        optimizer=optimizer,
        search_space={"alpha": _ALPHA_ON_MNIST},
        n_trials=128,
        epochs=10,
    )


def _counterexample(name: str, optimizer: str, beta1: float, beta2: float) -> StudySpec:
    return StudySpec(
        name=name,
        workload="reddi-counterexample",
        optimizer=optimizer,
        search_space={"alpha": _ALPHAS_THAT_FAIL, "beta1": beta1, "beta2": beta2, "epsilon": 1e-8},
        sampler="grid",
    )


def _surface(workload: str, optimizer: str, **space: Dimension) -> StudySpec:
    return StudySpec(
        name=f"{optimizer}-on-{workload.removeprefix('surface-')}",
        workload=workload,
        optimizer=optimizer,
        search_space={"alpha": _ALPHA_ON_SURFACES, **space},
        n_trials=16,
    )


_ENTRIES = (
    Preset(
        name="quickstart",
        title="Adam and AdaMax on handwritten digits",
        description="Softmax regression on scikit-learn's digits, 64 settings of a constant α, β1, β2 and ε with "
        "3 seeds for each optimizer; ε of AdaMax is torch's, inside the maximum (epsilon_mode in-max). Needs no "
        "download; under a minute on two cores.",
        spec=SuiteSpec(
            suite="quickstart",
            studies=(
                _digits("adam-on-digits", "adam"),
                _digits("adamax-in-max-on-digits", "adamax", epsilon=_EPSILON),
            ),
        ),
    ),
    Preset(
        name="digits-optimizers",
        title="All optimizers on handwritten digits",
        description="Softmax regression on scikit-learn's digits, 32 settings of a constant α and each optimizer's "
        "other parameters with 3 seeds; α spans five decades for each. Needs no download; about a minute on two cores.",
        spec=SuiteSpec(
            suite="digits-optimizers",
            studies=tuple(_digits(f"{optimizer}-on-digits", optimizer, n_trials=32) for optimizer in OPTIMIZERS),
        ),
    ),
    Preset(
        name="mnist-adam-vs-adamax",
        title="Adam and AdaMax on MNIST",
        description="The softmax regression of the paper's Figure 1 (batch 128, α/√t per step), 128 settings with "
        "3 seeds and 10 epochs for each optimizer; AdaMax without ε, as the paper prints it. Needs MNIST.",
        spec=SuiteSpec(
            suite="mnist-adam-vs-adamax",
            studies=(
                _mnist("adam-on-mnist", "adam"),
                _mnist("adamax-on-mnist", "adamax"),
            ),
        ),
    ),
    Preset(
        name="reddi-counterexample",
        title="The online problem on which Adam fails and AMSGrad does not",
        description="The counterexample of Reddi, Kale & Kumar 2018 with C = 3 and α/√t: Adam at β1 = 0 and "
        "β2 = 1/(1 + C²) goes to the worst point, AMSGrad to the best, and so does Adam at β1 = 0.9, β2 = 0.999; five "
        "α below √(1 − β2) with 3 seeds each. Needs no download; half a minute on two cores.",
        spec=SuiteSpec(
            suite="reddi-counterexample",
            studies=(
                _counterexample("adam-where-it-fails", "adam", 0.0, _BETA2_THAT_FAILS),
                _counterexample("amsgrad-where-adam-fails", "amsgrad", 0.0, _BETA2_THAT_FAILS),
                _counterexample("adam-with-its-defaults", "adam", 0.9, 0.999),
            ),
        ),
    ),
    Preset(
        name="surfaces",
        title="Adam and AdaMax on surfaces of two parameters",
        description="A ravine, a saddle, a plateau, a cliff, local minima, sparse and noisy gradients: 16 settings of "
        "α, β1 and β2 with 3 seeds and 200 updates of each, and the trajectories. Needs no download; about a minute "
        "on two cores.",
        spec=SuiteSpec(
            suite="surfaces",
            studies=tuple(
                study
                for workload in SURFACE_WORKLOADS
                for study in (_surface(workload.name, "adam", epsilon=1e-8), _surface(workload.name, "adamax"))
            ),
        ),
    ),
)

PRESETS = {preset.name: preset for preset in _ENTRIES}


def find_preset(name: str) -> Preset:
    """Return the preset of this name.

    Raises:
        NotFoundError: no preset has it.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise NotFoundError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}") from None
