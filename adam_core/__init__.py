"""Update rules of Adam and AdaMax over many trials at once, and drop-in `torch.optim` classes over the same rules."""

from adam_core.optimizers import Adam, AdaMax
from adam_core.rules import Rule, make_rule
from adam_core.schedules import alpha_schedule

__all__ = ["AdaMax", "Adam", "Rule", "alpha_schedule", "make_rule"]
