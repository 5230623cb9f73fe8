"""Update rules over many trials at once, and drop-in `torch.optim` classes over the same rules."""

from adam_core.optimizers import SGD, AdaDelta, AdaGrad, Adam, AdaMax, AMSGrad, RMSProp
from adam_core.rules import Rule, make_rule
from adam_core.schedules import Schedule

__all__ = [
    "SGD",
    "AMSGrad",
    "AdaDelta",
    "AdaGrad",
    "AdaMax",
    "Adam",
    "RMSProp",
    "Rule",
    "Schedule",
    "make_rule",
]
