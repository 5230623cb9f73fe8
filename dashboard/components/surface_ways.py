"""The ways of several studies' trials over one surface."""

from collections.abc import Sequence

import pandas as pd

from dashboard import queries
from studies.analysis.entrants import labels
from studies.analysis.trials import complete_trials
from studies.db.aggregates import trajectories_of_trials
from studies.db.records import StudyRecord
from studies.figures.entrants import looks
from studies.figures.picks import picks
from studies.figures.trajectories import Path, TrajectoriesData, path_of
from studies.parameters import PARAMETERS
from studies.surfaces import SURFACES

DASHES = {"best": "solid", "default": "dash", "median": "dot", "diverged": "longdashdot"}  #: of trials, by their role
_OTHER_DASH = "dashdot"


def further_trials(studies: Sequence[StudyRecord], n_most: int) -> dict[str, tuple[str, int]]:
    """Return the study and the number of each study's best trials, by what they are called in a list."""
    found = {}
    names = labels(studies)
    for study in studies:
        table = complete_trials(study.spec, queries.trials(study))
        for index in table.order[:n_most]:
            number = int(table.numbers[index])
            found[f"{names[study.id]}, trial {number}: {table.objective[index]:.3g}"] = (study.id, number)
    return found


def surface_ways(
    studies: Sequence[StudyRecord], roles: Sequence[str], further: Sequence[tuple[str, int]]
) -> tuple[TrajectoriesData, pd.DataFrame]:
    """Return the ways of the studies' trials of some roles and of further ones, and a row about each.

    Args:
        studies: of one surface.
        roles: keys of `DASHES`.
        further: studies' ids with numbers of trials.
    """
    names = labels(studies)
    look, surface = looks(studies, names), SURFACES[studies[0].spec.workload.removeprefix("surface-")]
    paths, rows = list[Path](), list[dict[str, object]]()
    for study in studies:
        trials = queries.trials(study)
        wanted = {pick.trial: (pick.label, DASHES[pick.role]) for pick in picks(study, trials) if pick.role in roles}
        own = [number for study_id, number in further if study_id == study.id and number not in wanted]
        wanted |= {number: (f"trial {number}", _OTHER_DASH) for number in own}
        found = trajectories_of_trials(queries.database(), study.id, list(wanted))
        table = complete_trials(study.spec, trials)
        for number, (title, dash) in wanted.items():
            line = {"color": look[names[study.id]].colour, "width": 2.5, "dash": dash}
            path = path_of(f"{names[study.id]}: {title}", line, found[found["trial"] == number])
            if len(path.x):
                paths.append(path)
                index = int(table.numbers.searchsorted(number))
                setting = {PARAMETERS[key].symbol: value for key, value in table.setting(index).items()}
                end = {"steps": int(path.steps[-1]), "x": path.x[-1], "y": path.y[-1]}
                rows.append({"way": path.label, "study": study.name, "value": table.objective[index], **end, **setting})
    return TrajectoriesData(tuple(paths), surface), pd.DataFrame(rows)
