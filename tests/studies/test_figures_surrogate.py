"""Bars of what a surrogate says."""

import numpy as np

from studies.analysis.sensitivity import Sensitivity, sensitivity
from studies.analysis.trials import complete_trials
from studies.figures.tunability import tunability_data, tunability_figure
from studies.figures.variance import variance_data, variance_figure
from studies.spec import StudySpec
from tests.studies.frames import Setting, decades_from, drawn_study


def steep(setting: Setting) -> float:
    return 0.1 * 10 ** (decades_from(setting["alpha"], 1e-2) ** 2 / 2 + decades_from(1 - setting["beta1"], 1e-2) / 3)


def found_of(n_trials: int) -> tuple[StudySpec, Sensitivity]:
    spec, trials = drawn_study(steep, n_trials)
    return spec, sensitivity(spec, complete_trials(spec, trials))


def test_bars_and_whiskers() -> None:
    spec, found = found_of(60)
    data = variance_data(spec, found)
    assert data.first.labels[:2] == ("α", "β1")
    figure = variance_figure(data)
    first, total = figure.data
    assert (first.name, total.name) == ("alone (first order)", "with interactions (total)")
    for trace, bars in ((first, data.first), (total, data.total)):
        np.testing.assert_allclose(trace.x + np.array(trace.error_x.array), bars.highs)
        np.testing.assert_allclose(trace.x - np.array(trace.error_x.arrayminus), bars.lows)
    assert figure.layout.xaxis.title.text == "share of the variance of the log objective, 95 % interval"
    tuned = tunability_data(spec, found)
    assert tuned.bars.labels[0] == "α" and tuned.bars.labels[-1] == "all 4" and len(tuned.bars.labels) == 9
    drawn = tunability_figure(tuned)
    assert list(drawn.data[0].x) == list(tuned.bars.values)
    assert drawn.layout.xaxis.title.text == "gain over the default: training loss (nats) (95 % interval)"


def test_what_is_missing_is_written_in_place_of_bars() -> None:
    spec, found = found_of(20)
    for figure in (
        variance_figure(variance_data(spec, found)),
        tunability_figure(tunability_data(spec, found)),
    ):
        assert figure.layout.annotations[0].text == "A surrogate needs 10 more complete trials (30 in all)."
