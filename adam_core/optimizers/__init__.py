"""The update rules as drop-in `torch.optim.Optimizer` classes."""

from adam_core.optimizers.adadelta import AdaDelta
from adam_core.optimizers.adagrad import AdaGrad
from adam_core.optimizers.adam import Adam
from adam_core.optimizers.adamax import AdaMax
from adam_core.optimizers.amsgrad import AMSGrad
from adam_core.optimizers.rmsprop import RMSProp
from adam_core.optimizers.sgd import SGD

__all__ = ["SGD", "AMSGrad", "AdaDelta", "AdaGrad", "AdaMax", "Adam", "RMSProp"]
