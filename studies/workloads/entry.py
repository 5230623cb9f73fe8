"""What the catalogue tells of a workload."""

from dataclasses import dataclass
from typing import Literal

from studies.data_files import DATA_FILES


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A model with its data set, loss and metric."""

    name: str
    title: str
    citation: str
    dataset: str  #: the data set's name in the worker's registry
    model: str  #: the model in words, shapes included
    input_shape: tuple[int, ...]  #: of one example
    n_classes: int | None  #: None where the labels are not used
    loss: str  #: what the losses are, in words, with the unit
    metric: str | None  #: what test_error and validation_error mean; None: no errors are counted
    n_train: int  #: training examples when nothing is held out
    n_validation: int  #: the last so many of them are held out when a validation objective is chosen
    n_test: int
    l2: float = 0.0  #: strength λ of the loss term λ/2 ‖W‖² (weights, not biases)
    dropout: float = 0.0  #: rate of the hidden units'
    input_dropout: float = 0.0  #: rate of the inputs'
    batch_size: int  #: the default
    epochs: int  #: the default
    schedule: Literal["inverse-sqrt", "constant"] = "constant"  #: of α, the default
    online: bool = False  #: whether examples come one a step in their order and train_loss is the average regret
    n_coordinates: int = 0  #: of the position that is stored after each epoch (1 or 2); 0: none is
    train_label: str = "training loss (nats)"  #: of axes that show train_loss
    unstated: str = ""  #: what the paper leaves open, and what is chosen here
    implementation: str | None = None  #: of a workload that is not the product's: package.module:object on the worker

    @property
    def download(self) -> bool:
        """Whether the data must be put under ADAM_STUDIES_DATA."""
        return self.implementation is None and self.dataset in DATA_FILES
