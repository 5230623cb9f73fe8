"""The hyperparameters that optimizers have: domains, scales to search on, and names in Optuna. Torch-free."""

from dataclasses import dataclass
from decimal import Decimal

_INF = float("inf")


def complement(value: float) -> float:
    """Return 1 − value, rounded once from the decimal digits that people write: 0.999 gives 0.001 and back."""
    return float(1 - Decimal(repr(value)))


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter: its domain, the scales it may be searched on, and its name in Optuna."""

    name: str
    symbol: str  #: or a word, where the field has no symbol
    optuna_name: str
    low: float  #: smallest value
    high: float  #: greatest value
    scales: tuple[str, ...]  #: the first is the default; none: it is true or false
    low_open: bool = False  #: whether `low` itself is refused
    high_open: bool = True

    @property
    def is_boolean(self) -> bool:
        """Whether it is true or false instead of a number."""
        return not self.scales

    @property
    def is_decay(self) -> bool:
        """Whether it is a rate of decay such as β, which Optuna and plots see as 1−β."""
        return self.optuna_name.startswith("one_minus_")

    def check(self, value: float) -> str | None:
        """Return what is allowed, as words, if the value is not; None if it is."""
        if isinstance(value, bool) or self.is_boolean:
            allowed = "must be true or false" if self.is_boolean else "must be a number"
            return None if isinstance(value, bool) and self.is_boolean else allowed
        above = value > self.low or (value == self.low and not self.low_open)
        below = value < self.high or (value == self.high and not self.high_open)
        if above and below:
            return None
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"must be in {left}{self.low:g}, {self.high:g}{right}"

    def coordinate(self, value: float) -> float:
        """Return what Optuna and plots see of a value, 1−β of a rate of decay, or the value of what they see."""
        return complement(value) if self.is_decay else value

    def text(self, value: float) -> str:
        """Return a value as people read it: four digits, of a rate near 1 three digits of its distance from 1."""
        if self.is_boolean:
            return "true" if value else "false"
        if self.is_decay and 0.999 < value < 1:
            return str(complement(float(f"{complement(value):.3g}")))
        return f"{value:.4g}"


_DECAY_SCALES = ("log1m", "linear")
_SCALES = ("log", "linear")

_ENTRIES = (
    Parameter("alpha", "α", "alpha", 0.0, _INF, _SCALES, low_open=True),
    Parameter("beta1", "β1", "one_minus_beta1", 0.0, 1.0, _DECAY_SCALES),
    Parameter("beta2", "β2", "one_minus_beta2", 0.0, 1.0, _DECAY_SCALES),
    Parameter("momentum", "μ", "one_minus_momentum", 0.0, 1.0, _DECAY_SCALES),
    Parameter("rho", "ρ", "one_minus_rho", 0.0, 1.0, _DECAY_SCALES),
    Parameter("epsilon", "ε", "epsilon", 0.0, _INF, _SCALES),
    Parameter("weight_decay", "weight decay", "weight_decay", 0.0, _INF, _SCALES),
    Parameter("bias_correction", "bias correction", "bias_correction", 0.0, 1.0, ()),
    Parameter("beta1_decay", "λ", "one_minus_beta1_decay", 0.0, 1.0, _DECAY_SCALES, low_open=True, high_open=False),
)

PARAMETERS = {parameter.name: parameter for parameter in _ENTRIES}
