"""The catalogue of optimizers: hyperparameters, the paper's defaults and default search spaces. Torch-free."""

from collections.abc import Mapping
from dataclasses import dataclass

from studies.errors import NotFoundError


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter: its domain, the scales it may be searched on, and its name in Optuna."""

    name: str
    symbol: str
    low: float  #: smallest value allowed
    low_open: bool  #: whether `low` itself is refused
    high: float  #: every value lies strictly below it
    scales: tuple[str, ...]  #: the first is the default
    optuna_name: str

    @property
    def is_decay(self) -> bool:
        """Whether it is an averaging rate β, which Optuna and plots see as 1−β."""
        return self.optuna_name != self.name

    def check(self, value: float) -> str | None:
        """Return what is allowed, as words, if the value is not; None if it is."""
        inside = (value > self.low or (value == self.low and not self.low_open)) and value < self.high
        if inside:
            return None
        left = "(" if self.low_open else "["
        return f"must be in {left}{self.low:g}, {self.high:g})"


ALPHA = Parameter("alpha", "α", 0.0, True, float("inf"), ("log", "linear"), "alpha")
BETA1 = Parameter("beta1", "β1", 0.0, False, 1.0, ("log1m", "linear"), "one_minus_beta1")
BETA2 = Parameter("beta2", "β2", 0.0, False, 1.0, ("log1m", "linear"), "one_minus_beta2")
EPSILON = Parameter("epsilon", "ε", 0.0, False, float("inf"), ("log", "linear"), "epsilon")

PARAMETERS = {parameter.name: parameter for parameter in (ALPHA, BETA1, BETA2, EPSILON)}


@dataclass(frozen=True)
class Optimizer:
    """An update rule that a study can ask for."""

    name: str
    title: str
    citation: str
    defaults: Mapping[str, float]  #: the paper's values, every parameter in it
    default_space: Mapping[str, object]  #: dimensions of the parameters that a spec does not name
    optional: tuple[str, ...]  #: parameters that take part only where the spec names them
    note: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The hyperparameters, in the order that listings show."""
        return tuple(PARAMETERS[name] for name in self.defaults)

    def options(self, parameters: Mapping[str, object]) -> dict[str, str]:
        """Return the modes of the update rule that a search space over these parameters implies."""
        if self.name == "adamax":
            return {"epsilon_mode": "in-max" if "epsilon" in parameters else "none"}
        return {}


_ALPHA_SPACE = {"low": 1e-5, "high": 1e-1, "scale": "log"}
_BETA1_SPACE = {"low": 0.0, "high": 0.999, "scale": "log1m"}
_BETA2_SPACE = {"low": 0.9, "high": 0.9999, "scale": "log1m"}
_EPSILON_SPACE = {"low": 1e-10, "high": 1.0, "scale": "log"}

_ENTRIES = (
    Optimizer(
        name="adam",
        title="Adam",
        citation="Kingma & Ba 2015, Algorithm 1",
        defaults={"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        default_space={
            "alpha": _ALPHA_SPACE,
            "beta1": _BETA1_SPACE,
            "beta2": _BETA2_SPACE,
            "epsilon": _EPSILON_SPACE,
        },
        optional=(),
        note="ε is added to the root of the bias-corrected second moment, as the paper prints it.",
    ),
    Optimizer(
        name="adamax",
        title="AdaMax",
        citation="Kingma & Ba 2015, Algorithm 2",
        defaults={"alpha": 0.002, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        default_space={"alpha": _ALPHA_SPACE, "beta1": _BETA1_SPACE, "beta2": _BETA2_SPACE},
        optional=("epsilon",),
        note="Without ε, as the paper prints it; a spec that names epsilon takes torch's form, "
        "u = max(β2·u, |g| + ε) (epsilon_mode in-max).",
    ),
)

OPTIMIZERS = {optimizer.name: optimizer for optimizer in _ENTRIES}


def find_optimizer(name: str) -> Optimizer:
    """Return the optimizer of this name.

    Raises:
        NotFoundError: no optimizer has it.
    """
    try:
        return OPTIMIZERS[name]
    except KeyError:
        raise NotFoundError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {name!r}") from None
