"""What has to be known to read the figures of a study: plain text that stands below them, on a page or in a report."""

from studies.analysis.estimates import Estimate
from studies.analysis.fates import Divergence
from studies.analysis.step_diagnostics import StepDiagnostics
from studies.db.records import StudyRecord
from studies.figures.convergence import ConvergenceData
from studies.figures.pair_map import PairMapData
from studies.figures.sensitivity import MAX_WHISKERS, SensitivityData
from studies.objective import objective_column

IMPORTANCE = (
    "How much the best tenth of the trials differs along each hyperparameter from all trials, as shares that add up to "
    "1. 95 % intervals by subsampling; they allow for what chance gives to one without effect."
)
VARIANCE = (
    "Of the surrogate over the search space; the total index counts interactions too. 95 % intervals by bootstrap over "
    "the trials."
)
TUNABILITY = (
    "The surrogate's objective at the default less its least one when only these are tuned; 95 % intervals by "
    "bootstrap over the trials."
)
TIMED = (
    "A trial that missed the target is later than every other. Maps and the surrogate are of the steps spent until the "
    "target or the end of training, so what tuning gains is at least this."
)
REGRET = (
    "R(T) is the loss of the decisions up to step T less that of the best fixed one in hindsight, a mean over seeds, "
    "without an interval. The paper's theorem says that R(T)/√T stays bounded where its conditions hold."
)
TRAJECTORIES = (
    "Each way is that of a trial's first seed, or of the one that diverged first; other seeds start elsewhere and go "
    "other ways."
)
MEDIAN_TIMES = (
    "Medians by Kaplan-Meier with 95 % intervals, of all trials over the trials, of a setting over its seeds; of "
    "fewer than five there is none. ∞: half of them never reached it, however long they were watched. Seconds are of "
    "training alone, each trial's share of those of its array."
)


def convergence(data: ConvergenceData, n_begun: int) -> str:
    """Return the caption of the curves; `n_begun` is how many trials have any."""
    some = f" The {data.n_trials:,} trials were drawn at random." if data.n_trials < n_begun else ""
    return (
        "Medians; a trial counts by that over its seeds, and a seed that diverged as worse than every other, never as "
        f"absent.{some}"
    )


def sensitivity(data: SensitivityData) -> str:
    """Return the caption of the panels of each hyperparameter."""
    n = len(data.numbers)
    which = (
        f"{n:,} of {data.n_trials:,} complete trials, drawn at random, with lines of all," if n < data.n_trials else ""
    )
    return (
        f"{which or 'Every complete trial,'} whatever the other hyperparameters are; whiskers are 95 % intervals over "
        f"seeds, where at most {MAX_WHISKERS} trials are drawn."
    )


def pair_maps(data: PairMapData) -> str:
    """Return the caption of the maps."""
    mean = "Geometric means" if any(pair.is_log for pair in data.maps) else "Means"
    return (
        f"{mean} of the objective over the trials in each bin, whatever the other hyperparameters are; a bin without a "
        "trial is grey. Bins hold few trials, so single ones say little."
    )


def time_to_target(study: StudyRecord, target: float) -> str:
    """Return the caption of the time to a target."""
    origin = "which the spec sets" if study.spec.target is not None else "within 10 % of the best objective"
    n_pruned = study.counts.get("pruned", 0)
    pruned = f"; {n_pruned:,} pruned ones are left out, so the share looks too good" if n_pruned else ""
    return (
        f"Target: {objective_column(study.spec.objective)} at or below {target:.4g}, {origin}. A trial has reached it "
        "once at least half of its seeds have; the share left at the end never did. Kaplan-Meier with 95 % intervals "
        f"over the complete trials{pruned}."
    )


def survival(study: StudyRecord) -> str:
    """Return the caption of the survival of trials."""
    counts = study.counts
    return (
        f"Of {_trials(study.n_trials - counts.get('waiting', 0))} that began {study.n_diverged:,} diverged and "
        f"{counts.get('pruned', 0):,} were pruned. A trial leaves when its first seed diverges or when it is pruned; "
        "one that completes, runs or was cancelled is censored. Kaplan-Meier with 95 % intervals."
    )


def divergence(found: Divergence) -> str:
    """Return the caption of the share of trials that diverge."""
    return (
        f"In all {share(found.overall)} of {_trials(found.n_trials)} that completed or were pruned diverged in at "
        "least one seed. Bins are of equal width, whatever the other hyperparameters are; Wilson's 95 % intervals, bin "
        "by bin."
    )


def steps(found: StepDiagnostics, n_drawn: int, n_begun: int) -> str:
    """Return the caption of the sizes of steps, where `n_drawn` of the trials that began are drawn."""
    some = f" of {n_drawn:,} of {n_begun:,} trials, drawn at random," if n_drawn < n_begun else ""
    return (
        f"The last update of each epoch, over {found.n_replicates:,} replicates{some} until they diverge; bands from "
        f"the 10 % to the 90 % quantile, bounds are medians of the replicates' own. {_exceeded(found)}"
    )


def share(estimate: Estimate) -> str:
    """Return a share with its interval."""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.0%}"
    return f"{estimate.value:.0%} ({estimate.low:.0%} to {estimate.high:.0%})"


def _exceeded(found: StepDiagnostics) -> str:
    if found.above_paper is None:
        return "There is no bound for this optimizer or its options."
    line = f"{found.above_paper:.1%} of the updates exceed the paper's bound, which is a heuristic"
    if found.above_provable is None:
        return f"{line}."
    return f"{line}; {found.above_provable:.1%} the provable one, but for rounding."


def _trials(n: int) -> str:
    return f"{n:,} trial{'' if n == 1 else 's'}"
