"""The catalogue of workloads: what can be trained, on which data, and what the paper leaves unstated. Torch-free."""

from dataclasses import dataclass

from studies.errors import NotFoundError


@dataclass(frozen=True)
class Workload:
    """A model with its data set, loss and metric."""

    name: str
    title: str
    citation: str
    dataset: str  #: the data set's name in the worker's registry
    model: str  #: the model in words, shapes included
    n_train: int  #: training examples when nothing is held out
    n_validation: int  #: the last so many of them are held out when a validation objective is chosen
    n_test: int
    n_features: int
    n_classes: int
    l2: float  #: strength λ of the loss term λ/2 ‖W‖² (weights, not biases)
    batch_size: int  #: the default
    epochs: int  #: the default
    metric: str  #: what test_error means
    unstated: str  #: what the paper leaves open, and what is chosen here
    download: bool  #: whether the data must be put under ADAM_STUDIES_DATA


_SOFTMAX_REGRESSION = "L2-regularised softmax regression, {} inputs, {} classes"

_ENTRIES = (
    Workload(
        name="mnist-logistic",
        title="Softmax regression on MNIST",
        citation="Kingma & Ba 2015, section 6.1, Figure 1 left",
        dataset="mnist",
        model=_SOFTMAX_REGRESSION.format(784, 10),
        n_train=60_000,
        n_validation=10_000,
        n_test=10_000,
        n_features=784,
        n_classes=10,
        l2=1e-4,
        batch_size=128,
        epochs=10,
        metric="share of test images classified wrongly",
        unstated="The paper states neither the L2 strength (here 1e-4), nor the scaling of the pixels "
        "(here to [0, 1]), nor the initial weights (here normal with variance 1/inputs, biases 0).",
        download=True,
    ),
    Workload(
        name="digits-logistic",
        title="Softmax regression on scikit-learn's handwritten digits",
        citation="Model of Kingma & Ba 2015, section 6.1; data of Alpaydin & Kaynak 1998 (UCI), as in scikit-learn",
        dataset="digits",
        model=_SOFTMAX_REGRESSION.format(64, 10),
        n_train=1_437,
        n_validation=287,
        n_test=360,
        n_features=64,
        n_classes=10,
        l2=1e-4,
        batch_size=128,
        epochs=20,
        metric="share of test images classified wrongly",
        unstated="Not in the paper: the offline stand-in for mnist-logistic, with the same choices.",
        download=False,
    ),
)

WORKLOADS = {workload.name: workload for workload in _ENTRIES}


def find_workload(name: str) -> Workload:
    """Return the workload of this name.

    Raises:
        NotFoundError: no workload has it.
    """
    try:
        return WORKLOADS[name]
    except KeyError:
        raise NotFoundError(f"workload must be one of {', '.join(WORKLOADS)}, got {name!r}") from None
