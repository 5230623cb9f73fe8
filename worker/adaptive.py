"""Settings of adaptive samplers, drawn after the claim, outside any transaction."""

import time
from collections.abc import Callable
from dataclasses import replace

from studies.db import leases
from studies.db.engine import Database
from studies.db.history import past_trials
from studies.db.records import Claim
from studies.samplers import Drawn, draw_adaptive
from studies.spec import StudySpec

COMMIT_SECONDS = 2.0  #: draws can be slow: so often they are committed, the lease renewed and the wish read


def drawn_for(db: Database, held: Claim, spec: StudySpec, must_stop: Callable[[], bool]) -> Claim | None:
    """Return the claim with every trial's setting; what the sampler has to draw is drawn and committed first.

    None where the study's wish or `must_stop` ended it: what was drawn by then is kept for the next holder.
    """
    undrawn = [trial.number for trial in held.trials if trial.setting is None]
    if not undrawn:
        return held
    history = [past for past in past_trials(db, held.study_id) if past.number not in undrawn]
    drawn: dict[int, Drawn] = {}
    settings: dict[int, dict[str, float]] = {}
    committed = time.monotonic()
    for number, found in zip(undrawn, draw_adaptive(spec, history, undrawn), strict=True):
        drawn[number], settings[number] = found, found.setting
        if time.monotonic() - committed > COMMIT_SECONDS:
            leases.set_settings(db, held, spec, drawn)
            drawn, committed = {}, time.monotonic()
            if must_stop() or leases.renew(db, held) != "run":
                return None
    leases.set_settings(db, held, spec, drawn)
    trials = (replace(trial, setting=settings.get(trial.number, trial.setting)) for trial in held.trials)
    return replace(held, trials=tuple(trials))
