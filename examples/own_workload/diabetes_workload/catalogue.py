"""What the workload is, for the command and the dashboard: no torch here."""

from studies.workloads import Workload

DIABETES_RESIDUAL = Workload(
    name="diabetes-residual",
    title="Residual network on the diabetes data",
    citation="Data of Efron, Hastie, Johnstone & Tibshirani 2004, as in scikit-learn",
    dataset="diabetes",
    model="10-32 linear, 2 x [layer norm, 32 ReLU, 32], 1",
    input_shape=(10,),
    n_classes=None,
    loss="squared error in units of the target's variance",
    metric=None,
    n_train=342,
    n_validation=60,
    n_test=100,
    batch_size=32,
    epochs=20,
    train_label="training loss (squared error)",
    implementation="diabetes_workload.model:IMPLEMENTATION",
)
