"""Settings of adaptive samplers, drawn after the claim, outside any transaction."""

from dataclasses import replace

from studies.db import leases
from studies.db.engine import Database
from studies.db.history import past_trials
from studies.db.records import Claim
from studies.samplers import draw_adaptive
from studies.spec import StudySpec


def drawn_for(db: Database, held: Claim, spec: StudySpec) -> Claim:
    """Return the claim with every trial's setting; what the sampler has to draw is drawn and committed first."""
    undrawn = [trial.number for trial in held.trials if trial.setting is None]
    if not undrawn:
        return held
    history = [past for past in past_trials(db, held.study_id) if past.number not in undrawn]
    drawn = dict(zip(undrawn, draw_adaptive(spec, history, undrawn), strict=True))
    leases.set_settings(db, held, spec, drawn)
    trials = tuple(
        replace(trial, setting=drawn[trial.number].setting) if trial.number in drawn else trial for trial in held.trials
    )
    return replace(held, trials=trials)
