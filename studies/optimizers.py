"""The catalogue of optimizers: hyperparameters, defaults and whose they are, search spaces, options. Torch-free."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from studies.errors import NotFoundError

OptionValue = str | bool


@dataclass(frozen=True)
class Optimizer:
    """An update rule that a study can ask for."""

    name: str
    title: str
    citation: str
    defaults: Mapping[str, float]  #: of every parameter; of an optional one the value without effect, if there is one
    defaults_from: str  #: whose they are, as a possessive
    default_space: Mapping[str, object]  #: dimensions of the parameters that a spec does not name
    note: str
    #: Of parameters whose default is somebody else's, whose.
    other_defaults: Mapping[str, str] = field(default_factory=dict)
    #: Parameters that take part only where a spec names them, each with a dimension to offer.
    optional: Mapping[str, object] = field(default_factory=dict)
    #: Modes of the rule with their values, the default first.
    options: Mapping[str, tuple[OptionValue, ...]] = field(default_factory=dict)
    #: Optional parameters that take part by an option: its name, and the values with which they do.
    switches: Mapping[str, tuple[str, tuple[OptionValue, ...]]] = field(default_factory=dict)

    @property
    def default_label(self) -> str:
        """What a figure calls the default setting."""
        return f"{self.defaults_from.removeprefix('the ')} default"


_ALPHA = {"low": 1e-5, "high": 1e-1, "scale": "log"}
_ALPHA_OF_SGD = {"low": 1e-4, "high": 1.0, "scale": "log"}
_BETA1 = {"low": 0.0, "high": 0.999, "scale": "log1m"}
_BETA2 = {"low": 0.9, "high": 0.9999, "scale": "log1m"}
_RHO = {"low": 0.5, "high": 0.9999, "scale": "log1m"}
_EPSILON = {"low": 1e-10, "high": 1.0, "scale": "log"}
_BETA1_DECAY = {"low": 0.99, "high": 0.99999999, "scale": "log1m"}
_ADAM_SPACE = {"alpha": _ALPHA, "beta1": _BETA1, "beta2": _BETA2, "epsilon": _EPSILON}
_MOMENTUM_SPACE = {"alpha": _ALPHA_OF_SGD, "momentum": _BETA1}

_RULES = (
    Optimizer(
        name="adam",
        title="Adam",
        citation="Kingma & Ba 2015, Algorithm 1",
        defaults={
            **{"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
            **{"bias_correction": True, "beta1_decay": 1.0},
        },
        defaults_from="the paper's",
        default_space=_ADAM_SPACE,
        optional={"bias_correction": [True, False], "beta1_decay": _BETA1_DECAY},
        options={"epsilon_mode": ("outside", "hat", "root")},
        note="ε is added to the root of the bias-corrected second moment, as the paper prints it; epsilon_mode hat "
        "adds it to the uncorrected root, as TensorFlow does, root puts it inside the root.",
    ),
    Optimizer(
        name="adamax",
        title="AdaMax",
        citation="Kingma & Ba 2015, Algorithm 2",
        defaults={"alpha": 0.002, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "beta1_decay": 1.0},
        defaults_from="the paper's",
        default_space={"alpha": _ALPHA, "beta1": _BETA1, "beta2": _BETA2},
        other_defaults={"epsilon": "ε is torch's"},
        optional={"epsilon": _EPSILON, "beta1_decay": _BETA1_DECAY},
        options={"epsilon_mode": ("none", "in-max", "added")},
        switches={"epsilon": ("epsilon_mode", ("in-max", "added"))},
        note="Without ε, as the paper prints it; a spec that names epsilon takes torch's form, "
        "u = max(β2·u, |g| + ε) (epsilon_mode in-max), or Keras's, u + ε (added).",
    ),
    Optimizer(
        name="amsgrad",
        title="AMSGrad",
        citation="Reddi, Kale & Kumar 2018, arXiv 1904.09237",
        defaults={
            **{"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
            **{"bias_correction": True, "beta1_decay": 1.0},
        },
        defaults_from="torch's",
        default_space=_ADAM_SPACE,
        optional={"bias_correction": [True, False], "beta1_decay": _BETA1_DECAY},
        options={"maximum_of": ("v", "v_hat")},
        note="Adam with the greatest second moment so far: of the raw one as in torch and Keras, or of the "
        "bias-corrected one as in optax (maximum_of v_hat). Reddi et al. have no bias correction.",
    ),
    Optimizer(
        name="sgd",
        title="SGD",
        citation="Robbins & Monro 1951",
        defaults={"alpha": 0.001},
        defaults_from="torch's",
        default_space={"alpha": _ALPHA_OF_SGD},
        note="Stochastic gradient descent, θ − α·g.",
    ),
    Optimizer(
        name="sgd-momentum",
        title="SGD with momentum",
        citation="Polyak 1964; Sutskever et al. 2013",
        defaults={"alpha": 0.001, "momentum": 0.9},
        defaults_from="torch's",
        default_space=_MOMENTUM_SPACE,
        other_defaults={"momentum": "μ is customary"},
        note="b = μ·b + g, θ − α·b, as in torch, which has no momentum unless asked; μ = 0.9 is customary.",
    ),
    Optimizer(
        name="sgd-nesterov",
        title="SGD-Nesterov",
        citation="Nesterov 1983; Sutskever et al. 2013",
        defaults={"alpha": 0.001, "momentum": 0.9},
        defaults_from="torch's",
        default_space=_MOMENTUM_SPACE,
        other_defaults={"momentum": "μ is customary"},
        note="b = μ·b + g, θ − α·(g + μ·b), as in torch; μ = 0.9 is customary.",
    ),
    Optimizer(
        name="adagrad",
        title="AdaGrad",
        citation="Duchi, Hazan & Singer 2011",
        defaults={"alpha": 0.01, "epsilon": 1e-10},
        defaults_from="torch's",
        default_space={"alpha": _ALPHA_OF_SGD, "epsilon": {"low": 1e-12, "high": 1.0, "scale": "log"}},
        options={"epsilon_mode": ("outside", "root")},
        note="θ − α·g / (√s + ε) of the sum s of squared gradients, as in torch; epsilon_mode root is √(s + ε), as in "
        "Keras.",
    ),
    Optimizer(
        name="rmsprop",
        title="RMSProp",
        citation="Tieleman & Hinton 2012; centered: Graves 2013",
        defaults={"alpha": 0.01, "rho": 0.99, "momentum": 0.0, "epsilon": 1e-8},
        defaults_from="torch's",
        default_space={"alpha": _ALPHA, "rho": _RHO, "epsilon": _EPSILON},
        optional={"momentum": _BETA1},
        options={"epsilon_mode": ("outside", "root"), "centered": (False, True)},
        note="θ − α·g / (√r + ε) of the average r of squared gradients, as in torch, whose ρ is 0.99 (Hinton's: 0.9); "
        "epsilon_mode root is √(r + ε), as in Keras. Momentum, where a spec names it, is on the rescaled gradient.",
    ),
    Optimizer(
        name="adadelta",
        title="AdaDelta",
        citation="Zeiler 2012, arXiv 1212.5701",
        defaults={"alpha": 1.0, "rho": 0.95, "epsilon": 1e-6},
        defaults_from="Zeiler's",
        default_space={"alpha": {"low": 1e-2, "high": 1e2, "scale": "log"}, "rho": _RHO, "epsilon": _EPSILON},
        note="Zeiler's step, multiplied by α as in torch; Zeiler has none, which is α = 1. torch's ρ is 0.9.",
    ),
)


#: Options that every optimizer has.
WRAPPER_OPTIONS: Mapping[str, tuple[OptionValue, ...]] = {
    "weight_decay_mode": ("none", "l2", "decoupled"),
    "averaging": ("none", "polyak", "exponential"),
}


def _wrapped(rule: Optimizer) -> Optimizer:
    """Return the rule with what each can have: weight decay, and averaging, which brings a β2 where there is none."""
    defaults, optional, switches = {**rule.defaults}, {**rule.optional}, {**rule.switches}
    if "beta2" not in defaults:
        defaults["beta2"], optional["beta2"], switches["beta2"] = 0.999, _BETA2, ("averaging", ("exponential",))
    defaults["weight_decay"], optional["weight_decay"] = 0.0, {"low": 1e-6, "high": 1e-1, "scale": "log"}
    switches["weight_decay"] = ("weight_decay_mode", ("l2", "decoupled"))
    options = {**rule.options, **WRAPPER_OPTIONS}
    return replace(rule, defaults=defaults, optional=optional, options=options, switches=switches)


OPTIMIZERS = {rule.name: _wrapped(rule) for rule in _RULES}


def find_optimizer(name: str) -> Optimizer:
    """Return the optimizer of this name.

    Raises:
        NotFoundError: no optimizer has it.
    """
    try:
        return OPTIMIZERS[name]
    except KeyError:
        raise NotFoundError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {name!r}") from None
