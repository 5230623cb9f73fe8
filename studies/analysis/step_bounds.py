"""How large an update can be, |Delta| / alpha: what the paper says, and what can be proved."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ADAM_LIKE = ("adam", "amsgrad")
_DECAYS = ("beta1_decay", "weight_decay")


def paper_bound(beta1: Array, beta2: Array) -> Array:
    """Return the bound that the paper prints for Adam: (1-beta1) / sqrt(1-beta2) where that is above 1, else 1.

    It is a heuristic: a single gradient among zeros obeys it, but gradients that grow by beta1/beta2 exceed it.

    Source: Kingma & Ba 2015, section 2.1.
    """
    return np.maximum((1 - beta1) / np.sqrt(1 - beta2), 1.0)


def provable_bound(beta1: Array, beta2: Array, steps: Array, corrected: Array) -> Array:
    """Return the largest |Delta_t| / alpha_t that any t gradients can give Adam with epsilon = 0 and a constant beta1.

    By the Cauchy-Schwarz inequality m_t is at most (1-beta1) / sqrt(1-beta2) sqrt(sum_(j<t) (beta1^2/beta2)^j)
    sqrt(v_t), which some gradients attain; it grows without end in t where beta1^2 >= beta2.

    Args:
        beta1: [n].
        beta2: [n].
        steps: t, [n], from 1.
        corrected: whether m and v are corrected for their bias, [n].
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        ratio = np.where(beta1 > 0, beta1**2 / beta2, 0.0)  # beta2 = 0 with beta1 > 0: no bound
        bound = (1 - beta1) / np.sqrt(1 - beta2) * np.sqrt(_geometric_sum(ratio, steps))
        factor = np.sqrt(-np.expm1(steps * np.log(beta2))) / -np.expm1(steps * np.log(beta1))
    return np.where(corrected, bound * factor, bound)


def adamax_bound(beta1: Array, beta2: Array, steps: Array) -> Array:
    """Return the largest |Delta_t| / alpha_t that any t gradients can give AdaMax; the paper says 1.

    Since u_t >= beta2^(t-i) |g_i|, it is (1-beta1) sum_(j<t) (beta1/beta2)^j / (1 - beta1^t).

    Source of the claim: Kingma & Ba 2015, section 7.1.
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        ratio = np.where(beta1 > 0, beta1 / beta2, 0.0)
        return (1 - beta1) * _geometric_sum(ratio, steps) / -np.expm1(steps * np.log(beta1))


def with_step_bounds(diagnostics: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Return the diagnostics with the columns `paper_bound` and `provable_bound` of their max_step.

    They are NaN for other rules than Adam, AMSGrad and AdaMax; the provable one also where beta1 decays, and with a
    decay of the weights, which may be part of the step.

    Args:
        diagnostics: with the columns of the view `diagnostics`.
        trials: with the columns of the view `results`, of the same studies.
    """
    columns = ["study_id", "trial", "optimizer", "beta1", "beta2", "bias_correction", "other"]
    settings = diagnostics[["study_id", "trial", "steps"]].merge(trials[columns], how="left", on=["study_id", "trial"])
    beta1, beta2, steps = (settings[name].to_numpy(np.float64) for name in ("beta1", "beta2", "steps"))
    decays = settings["other"].map(lambda other: isinstance(other, dict) and bool({*other} & {*_DECAYS}))
    adam = settings["optimizer"].isin(_ADAM_LIKE).to_numpy()
    adamax = (settings["optimizer"] == "adamax").to_numpy()
    corrected = settings["bias_correction"].fillna(True).to_numpy(np.bool_)
    paper = np.where(adam, paper_bound(beta1, beta2), np.where(adamax, 1.0, np.nan))
    provable = np.where(adam, provable_bound(beta1, beta2, steps, corrected), adamax_bound(beta1, beta2, steps))
    provable = np.where((adam | adamax) & ~decays.to_numpy(np.bool_), provable, np.nan)
    return diagnostics.assign(paper_bound=paper, provable_bound=provable)


def _geometric_sum(ratio: Array, n: Array) -> Array:
    """1 + ratio + ... + ratio^(n-1)."""
    return np.where(
        ratio == 1.0, n, np.where(n == 1.0, 1.0, np.where(ratio > 1e150, np.inf, (1 - ratio**n) / (1 - ratio)))
    )
