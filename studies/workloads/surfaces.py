"""Surfaces of two parameters: what becomes of an optimizer in a ravine, at a saddle, on a plateau and so on."""

from studies.workloads.entry import Workload

_UNSTATED = (
    "Not in the paper, whose readers ask about such hazards. An epoch is one update; a seed sets the start, which is "
    "normal around a fixed point{}. train_loss is the function's value, without any noise."
)
_ZERO = "the function's value, whose minimum is 0"


def _surface(hazard: str, title: str, function: str, citation: str, drawn: str = "") -> Workload:
    return Workload(
        name=f"surface-{hazard}",
        title=title,
        citation=citation,
        dataset="none",
        model=f"f(x, y) = {function}",
        input_shape=(2,),
        n_classes=None,
        loss=_ZERO,
        metric=None,
        n_train=1,
        n_validation=0,
        n_test=0,
        batch_size=1,
        epochs=200,
        n_coordinates=2,
        train_label="f(x, y) − minimum",
        unstated=_UNSTATED.format(drawn),
    )


SURFACE_WORKLOADS: tuple[Workload, ...] = (
    _surface(
        "ravine",
        "A curved ravine: Rosenbrock's function",
        "(1 − x)² + 100 (y − x²)²",
        'Rosenbrock 1960, "An automatic method for finding the greatest or least value of a function"',
    ),
    _surface(
        "saddle",
        "A strict saddle between two minima",
        "(x² − 1)²/4 + y²/2",
        'Nesterov 2004, "Introductory Lectures on Convex Optimization", example 1.2.2, shifted by 1/4',
    ),
    _surface(
        "plateau",
        "A plateau: a saturated sigmoid unit with squared error",
        "[(σ(y + x) − σ(2))² + (σ(y − x) − σ(−2))²]/2, a unit of weight x and bias y",
        'After Goodfellow, Bengio & Courville 2016, "Deep Learning", section 6.2.2.2',
    ),
    _surface(
        "cliff",
        "A cliff: the error of a recurrent unit over 50 steps",
        "(σ(h₅₀) − 0.7)², hₜ = x σ(hₜ₋₁) + y, h₀ = 0.5",
        'Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural networks"',
    ),
    _surface(
        "local-minima",
        "Many local minima: Rastrigin's function",
        "20 + x² − 10 cos 2πx + y² − 10 cos 2πy",
        'Rastrigin 1974, "Systems of extremal control"',
    ),
    _surface(
        "sparse-gradients",
        "Sparse gradients on Beale's function",
        "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        'Beale 1958, "On an iterative method for finding a local minimum of a function of more than one variable"',
        ", and which partial derivatives an update sees, each with probability 0.1 and then times 10",
    ),
    _surface(
        "noisy-gradients",
        "Noisy gradients on an ill-conditioned bowl",
        "(x² + 25 y²)/2",
        'The noisy quadratic of Schaul, Zhang & LeCun 2013, "No More Pesky Learning Rates"',
        ", and normal noise of standard deviation 5 that is added to each partial derivative of an update",
    ),
)
