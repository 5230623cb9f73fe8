"""The free form of a new study: a field for every key of a spec."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.components.fields import choice_field, number_field, text_field
from dashboard.components.space_form import space_form
from dashboard.components.workload_cards import workload_cards
from studies.db.speed import Speed
from studies.optimizers import OPTIMIZERS
from studies.spec import ADAPTIVE_SAMPLERS
from studies.workloads import Workload

_SAMPLERS = {
    "qmc": "qmc · scrambled Sobol points",
    "random": "random",
    "grid": "grid · every combination of lists",
    "tpe": "tpe · learns from ended trials",
    "gp": "gp · learns from ended trials",
    "cmaes": "cmaes · learns from ended trials",
}
_PRUNERS = {name: name for name in ("none", "successive-halving", "hyperband", "median")}
_OBJECTIVES = {
    "train_loss": "training loss",
    "validation_loss": "validation loss",
    "validation_error": "validation error",
    "epochs_to_target": "epochs to a target loss",
}
_SCHEDULES = {"inverse-sqrt": "α / √t", "constant": "constant α", "step-decay": "steps down", "cosine": "cosine to 0"}
_OWN_SCHEDULE = "own"
_UNITS = {"step": "steps", "epoch": "epochs"}
_DATA = {"real": "the real data set", "synthetic": "synthetic, of the same shapes"}
_DATA_HELP = "Synthetic data need no download; results on them are labelled so."
_DEVICES = {"any": "any", "gpu": "GPU", "cpu": "CPU"}
_PRUNER_HELP = "Pruned trials end early, where they look bad: that saves work and biases what is said of sensitivity."
_DIAGNOSTICS_HELP = "Once an epoch: the size of the step against α, signal to noise, the share of ε, norms."


def study_form(speeds: Sequence[Speed]) -> dict[str, Any]:
    """Return what the form holds, as the mapping that a YAML file would give: a suite of several optimizers.

    Args:
        speeds: what was measured, for the costs of workloads.
    """
    st.subheader("What is trained", anchor=False)
    workload = workload_cards(speeds)
    data = choice_field("Data", "new_data", _DATA, help=_DATA_HELP) if workload.download else "real"
    optimizers = [OPTIMIZERS[name] for name in _optimizers()]
    name = _name(workload, [optimizer.name for optimizer in optimizers])
    st.subheader("Search space", anchor=False)
    forms = space_form(optimizers)
    st.subheader("Search and training", anchor=False)
    shared = {"workload": workload.name, "data": data, **_search(), **_training(workload), **_objective()}
    if not optimizers:
        return {"name": name, **shared}  # which the spec refuses with the words for it
    studies = [{"name": name, "optimizer": optimizer, **form} for optimizer, form in forms.items()]
    if len(studies) == 1:
        return {**studies[0], **shared}
    named = [{**study, "name": f"{name}-{study['optimizer']}"} for study in studies]
    return {"suite": name, "defaults": shared, "studies": named}


def _optimizers() -> Sequence[str]:
    st.session_state.setdefault("new_optimizers", ["adam"])
    chosen: list[str] = st.pills(
        "Optimizers (several make a suite, to be compared)",
        list(OPTIMIZERS),
        selection_mode="multi",
        key="new_optimizers",
        format_func=lambda name: OPTIMIZERS[name].title,
        persist_state="session",
    )
    for name in chosen:
        st.caption(f"**{OPTIMIZERS[name].title}** ({OPTIMIZERS[name].citation}): {OPTIMIZERS[name].note}")
    return chosen


def _name(workload: Workload, optimizers: Sequence[str]) -> str:
    what = "-vs-".join(optimizers) if len(optimizers) <= 3 else f"{len(optimizers)}-optimizers"
    suggestion = f"{what}-on-{workload.name}"
    typed = text_field(
        "Name", "new_name", placeholder=suggestion, help="Left empty, the name is the one shown in grey."
    )
    return typed or suggestion


def _search() -> dict[str, Any]:
    sampler_column, pruner_column, trials_column, seeds_column = st.columns((2.2, 1.6, 1, 1))
    with sampler_column:
        sampler = choice_field("Sampler", "new_sampler", _SAMPLERS)
    with pruner_column:
        pruner = choice_field("Pruner", "new_pruner", _PRUNERS, help=_PRUNER_HELP)
    is_grid = sampler == "grid"
    with trials_column:
        n_trials = number_field(
            "Trials", "new_n_trials", "128", disabled=is_grid, help="A grid has as many as it has points."
        )
    with seeds_column:
        n_seeds = number_field("Seeds", "new_n_seeds", "3", help="Training runs of each trial.")
    if sampler in ADAPTIVE_SAMPLERS:
        st.caption(
            "This sampler draws a trial in view of those that ended, so the preview shows only the first settings."
        )
    return {"sampler": sampler, "pruner": pruner, **({} if is_grid else {"n_trials": n_trials}), "n_seeds": n_seeds}


def _training(workload: Workload) -> dict[str, Any]:
    epochs_column, batch_column, schedule_column, per_column = st.columns(4)
    with epochs_column:
        epochs = number_field("Epochs", "new_epochs", placeholder=str(workload.epochs))
    with batch_column:
        batch_size = number_field("Batch size", "new_batch_size", placeholder=str(workload.batch_size))
    with schedule_column:
        own = {_OWN_SCHEDULE: f"the workload's: {_SCHEDULES[workload.schedule]}"}
        alpha = choice_field("Schedule of α", "new_schedule", {**own, **_SCHEDULES})
    with per_column:
        per = choice_field("t counts", "new_per", _UNITS, disabled=alpha in (_OWN_SCHEDULE, "constant"))
    schedule = {"alpha": alpha, "per": per, **(_step_decay(per) if alpha == "step-decay" else {})}
    diagnostics = st.toggle(
        "Record diagnostics of the updates", key="new_diagnostics", help=_DIAGNOSTICS_HELP, persist_state="session"
    )
    given = {"epochs": epochs, "batch_size": batch_size}
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value != ""}
    if alpha != _OWN_SCHEDULE:
        chosen["schedule"] = schedule
    return {**chosen, "diagnostics": diagnostics}


def _step_decay(per: str) -> dict[str, Any]:
    factor_column, every_column, _ = st.columns((1, 1, 2))
    with factor_column:
        factor = number_field("α times", "new_factor", "0.5")
    with every_column:
        every = number_field(f"every so many {_UNITS[per]}", "new_every", "5")
    return {"factor": factor, "every": every}


def _objective() -> dict[str, Any]:
    objective_column, target_column, seed_column, device_column = st.columns(4)
    with objective_column:
        objective = choice_field("Objective", "new_objective", _OBJECTIVES)
    aims = objective == "epochs_to_target"
    with target_column:
        target = number_field("Target training loss", "new_target", "0.3", disabled=not aims)
    with seed_column:
        seed = number_field("Random seed", "new_seed", "0", help="All studies of a suite share it.")
    with device_column:
        device = choice_field("Device", "new_device", _DEVICES)
    return {"objective": objective, **({"target": target} if aims else {}), "seed": seed, "device": device}
