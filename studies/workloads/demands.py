"""What a workload demands of a study on it."""

from studies.workloads.entry import Workload


def check_demands(workload: Workload, data: str, batch_size: int, objective: str) -> None:
    """Refuse what cannot be asked of the workload.

    Raises:
        ValueError: the message names the spec's key, what is allowed, and the value.
    """
    name = workload.name
    if data == "synthetic" and not workload.download:
        raise ValueError(f"data: must be real for {name}, whose data need no download, got synthetic")
    if workload.online and batch_size != 1:
        raise ValueError(f"batch_size: must be 1 for {name}, an online problem, got {batch_size}")
    if objective.startswith("validation") and not workload.n_validation:
        allowed = "train_loss or epochs_to_target"
        raise ValueError(f"objective: must be {allowed} for {name}, which has no examples to hold out, got {objective}")
    if objective == "validation_error" and workload.metric is None:
        raise ValueError(f"objective: must not be validation_error for {name}, which counts no errors, got it")
