"""Online convex optimisation: regret, and the case in which Adam has too much of it."""

from studies.workloads.entry import Workload

_REGRET = (
    "the average regret R(T)/T over the T updates so far, R(T) = Σ [f_t(θ_{t−1}) − f_t(θ*)], θ* the best fixed point "
    "of the box in hindsight; at epoch 0 that of staying at the start"
)
_PROJECTED = "Every update is followed by a projection onto the box, and an epoch is a pass over the sequence."
_REGRET_LABEL = "average regret R(T)/T"

#: C of the counterexample: Adam fails at β1 = 0 and β2 = 1/(1 + C²) with α/√t, α < √(1 − β2).
COUNTEREXAMPLE_SLOPE = 3

ONLINE: tuple[Workload, ...] = (
    Workload(
        name="online-convex",
        title="Online logistic regression on a sparse stream",
        citation="Kingma & Ba 2015, section 4 (Theorem 4.1, Corollary 4.2)",
        dataset="sparse-stream",
        model="logistic regression, 64 binary features of which feature i is present with probability min(1/2, 2/i), "
        "parameters in [−1, 1]",
        input_shape=(64,),
        n_classes=None,
        loss=f"train_loss: {_REGRET}; test_loss: cross-entropy in nats per example",
        metric="share of the examples whose label is the less likely one",
        n_train=1_000,
        n_validation=0,
        n_test=1_000,
        batch_size=1,
        epochs=20,
        schedule="inverse-sqrt",
        online=True,
        train_label=_REGRET_LABEL,
        unstated=f"The paper has the theorem and no experiment. {_PROJECTED} The stream is drawn once, with labels of "
        "a logistic model whose weights are normal of standard deviation 2, so that the best fixed point lies on the "
        "box's border; a seed sets the start, uniform in [−0.1, 0.1].",
    ),
    Workload(
        name="reddi-counterexample",
        title="The online problem on which Adam fails",
        citation='Reddi, Kale & Kumar 2018, "On the Convergence of Adam and Beyond", section 3',
        dataset="counterexample",
        model=f"f_t(x) = {COUNTEREXAMPLE_SLOPE}x if t mod 3 = 1, else −x, with x in [−1, 1]: the best x is −1",
        input_shape=(1,),
        n_classes=None,
        loss=_REGRET,
        metric=None,
        n_train=300,
        n_validation=0,
        n_test=0,
        batch_size=1,
        epochs=30,
        schedule="inverse-sqrt",
        online=True,
        n_coordinates=1,
        train_label=_REGRET_LABEL,
        unstated=f"Not in the paper. {_PROJECTED} Adam fails at β1 = 0, β2 = 1/(1 + C²) = 0.1 and α < √(1 − β2), and "
        "does not at β1 = 0.9, β2 = 0.999; a seed sets the start, uniform in [−0.1, 0.1].",
    ),
)
