"""Times that may be censored: the Kaplan-Meier curve with its interval, and the median that it gives."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from studies.analysis.estimates import LEVEL, BoolArray, Estimate, FloatArray, IntArray

MIN_FOR_MEDIAN = 5  #: observations: all of fewer lie above the median, or below it, in more than 5 % of cases


@dataclass(frozen=True)
class Survival:
    """The share to which the event has not happened yet, from each time on; arrays are [E], by ascending time."""

    times: FloatArray  #: at which events happen
    share: FloatArray  #: just after each time; it is 1 before the first
    low: FloatArray  #: 95 % interval, time by time
    high: FloatArray
    n_at_risk: IntArray  #: just before each time
    n_events: int
    n: int
    end: float  #: the last time at which anything was observed; 0 without observations

    @property
    def low_before(self) -> float:
        """Return the lower end of the interval before the first event: Clopper and Pearson's for none of n."""
        return float(((1 - LEVEL) / 2) ** (1 / self.n)) if self.n else 0.0

    def at(self, places: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the share and the ends of its interval at times [G], [G] each."""
        index = np.searchsorted(self.times, places, side="right")
        first = ((1.0, self.share), (self.low_before, self.low), (1.0, self.high))
        share, low, high = (np.concatenate([[before], values])[index] for before, values in first)
        return share, low, high

    @property
    def median(self) -> Estimate:
        """Return the first time at which no more than half are left, infinite where that was not seen.

        The interval is that of Brookmeyer and Crowley (1982, Biometrics 38), on the scale of the curve's; an upper
        bound that was not seen is infinite. None as bounds of fewer than five observations.
        """
        median = self._first_at_half(self.share)
        if self.n < MIN_FOR_MEDIAN:
            return Estimate(median, None, None)
        return Estimate(median, self._first_at_half(self.low), self._first_at_half(self.high))

    def _first_at_half(self, bound: FloatArray) -> float:
        below = np.flatnonzero(bound <= 0.5 + 1e-12)  # 1 - 0.5 rounded is not below a half
        return float(self.times[below[0]]) if len(below) else np.inf


def kaplan_meier(times: FloatArray, happened: BoolArray) -> Survival:
    """Return the product-limit estimate of Kaplan and Meier (1958).

    The interval is Greenwood's on the scale log(-log S), which stays within 0 and 1 (Kalbfleisch & Prentice 2002,
    section 1.4); where nobody is left it keeps its last upper bound and reaches to 0.

    Args:
        times: when the event happened, or until when it was known not to have, [N]; infinite where it cannot happen.
        happened: whether it did; otherwise the time is censored, [N].
    """
    ends = np.unique(times[happened])
    ordered = np.sort(times)
    at_risk = len(times) - np.searchsorted(ordered, ends, side="left")
    events = np.searchsorted(np.sort(times[happened]), ends, side="right")
    events = np.diff(events, prepend=0)
    share: FloatArray = np.cumprod(1 - events / at_risk, dtype=np.float64)
    low, high = _greenwood(share, events, at_risk)
    finite = times[np.isfinite(times)]
    end = float(finite.max()) if len(finite) else 0.0
    return Survival(ends, share, low, high, at_risk, int(events.sum()), len(times), end)


def _greenwood(share: FloatArray, events: IntArray, at_risk: IntArray) -> tuple[FloatArray, FloatArray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(events / (at_risk * (at_risk - events)))
        power = stats.norm.ppf(0.5 + LEVEL / 2) * np.sqrt(variance) / np.abs(np.log(share))
        low, high = share ** np.exp(power), share ** np.exp(-power)
    is_left = share > 0
    seen = high[is_left]
    last = float(seen[-1]) if len(seen) else 1.0
    return np.where(is_left, low, 0.0), np.where(is_left, high, last)
