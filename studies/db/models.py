"""Our tables. All carry the prefix result_, since Optuna owns plain names such as `trials` in the same database.

Times that people read are timestamps in UTC; leases and heartbeats are seconds since 1970 on the database's clock.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Double, ForeignKey, ForeignKeyConstraint, Index, String, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


class Base(DeclarativeBase):
    """The metadata that the migrations are checked against."""

    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads this class attribute, it is not instance state
        dict[str, Any]: JSON(none_as_null=True),
        datetime: DateTime(timezone=True),
        float: Double(),
    }


class SuiteRow(Base):
    """Several studies submitted together."""

    __tablename__ = "result_suites"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())


class StudyRow(Base):
    """A study: its spec, what its user wishes, and the lane block that its first claim measured."""

    __tablename__ = "result_studies"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    suite_id: Mapped[str | None] = mapped_column(ForeignKey("result_suites.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    spec: Mapped[dict[str, Any]]
    wish: Mapped[str] = mapped_column(String(8))  #: run, pause or cancel
    n_trials: Mapped[int]
    n_mirrored: Mapped[int]  #: trials that Optuna's tables hold already, always the first ones
    block_width: Mapped[int | None]
    problem: Mapped[str | None] = mapped_column(Text)  #: why the last worker that looked could not train it
    notes: Mapped[str | None] = mapped_column(Text)  #: what users write down about it
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())


class ArrayRow(Base):
    """A trial array and the lease on it; whoever knows the token may write for it."""

    __tablename__ = "result_arrays"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("result_studies.id"), index=True)
    token: Mapped[str] = mapped_column(String(32))
    worker_id: Mapped[str] = mapped_column(String(64))
    lease_expires_at: Mapped[float]
    epoch: Mapped[int]  #: last epoch recorded; -1 before the metrics at initialisation
    lost_leases: Mapped[int]  #: leases lost since the last new epoch
    error: Mapped[str | None] = mapped_column(Text)  #: what the last holder failed with
    checkpoint: Mapped[str | None] = mapped_column(String(200))
    store: Mapped[str | None] = mapped_column(String(200))  #: the checkpoint store that holds it
    finished: Mapped[bool]


class TrialRow(Base):
    """A trial: its setting, its state and its final figures."""

    __tablename__ = "result_trials"
    __table_args__ = (Index("ix_result_trials_state", "study_id", "state"),)

    study_id: Mapped[str] = mapped_column(ForeignKey("result_studies.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16))  #: waiting, running, complete, pruned, failed or cancelled
    is_default: Mapped[bool]
    params: Mapped[dict[str, Any] | None]  #: Optuna's names and values; None until drawn
    alpha: Mapped[float | None]
    beta1: Mapped[float | None]
    beta2: Mapped[float | None]
    epsilon: Mapped[float | None]
    bias_correction: Mapped[bool | None]  #: None where the study does not name it
    other: Mapped[dict[str, Any] | None]
    sampler_attrs: Mapped[dict[str, Any] | None]  #: what an adaptive sampler wants to find again
    array_id: Mapped[int | None] = mapped_column(ForeignKey("result_arrays.id"), index=True)
    diverged: Mapped[bool | None]
    objective: Mapped[float | None]
    objective_std: Mapped[float | None]
    epochs_done: Mapped[int | None]
    train_loss: Mapped[float | None]
    validation_loss: Mapped[float | None]
    validation_error: Mapped[float | None]
    test_loss: Mapped[float | None]
    test_error: Mapped[float | None]
    seconds: Mapped[float | None]
    device: Mapped[str | None] = mapped_column(String(100))
    error: Mapped[str | None] = mapped_column(Text)
    replaced_by: Mapped[int | None]  #: the trial that `retry` added for this one
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class _EpochOfReplicate:
    """The key of what is recorded once for each epoch of each replicate: its columns come first."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        key = ForeignKeyConstraint(["study_id", "trial"], ["result_trials.study_id", "result_trials.number"])
        return key, {"sqlite_with_rowid": False}

    study_id: Mapped[str] = mapped_column(String(16), primary_key=True, sort_order=-1)
    trial: Mapped[int] = mapped_column(primary_key=True, sort_order=-1, autoincrement=False)
    replicate: Mapped[int] = mapped_column(primary_key=True, sort_order=-1, autoincrement=False)
    epoch: Mapped[int] = mapped_column(primary_key=True, sort_order=-1, autoincrement=False)


class EpochRow(_EpochOfReplicate, Base):
    """The metrics of one replicate at the end of one epoch; epoch 0 is the initialisation."""

    __tablename__ = "result_epochs"

    steps: Mapped[int]
    train_loss: Mapped[float | None]
    validation_loss: Mapped[float | None]
    validation_error: Mapped[float | None]
    test_loss: Mapped[float | None]
    test_error: Mapped[float | None]
    seconds: Mapped[float]
    diverged: Mapped[bool]


class DiagnosticsRow(_EpochOfReplicate, Base):
    """What the last update of an epoch looked like, of one replicate; where the study asks for it."""

    __tablename__ = "result_diagnostics"

    max_step: Mapped[float | None]
    signal_to_noise: Mapped[float | None]
    epsilon_share: Mapped[float | None]
    update_norm: Mapped[float | None]
    weight_norm: Mapped[float | None]
    gradient_norm: Mapped[float | None]


class TrajectoryRow(_EpochOfReplicate, Base):
    """Where one replicate stands at the end of one epoch; of workloads with one or two parameters."""

    __tablename__ = "result_trajectories"

    x: Mapped[float]
    y: Mapped[float | None]  #: None of one parameter


class CalibrationRow(Base):
    """The lane block measured for a kind of study, so that all studies of the kind have the same bits."""

    __tablename__ = "result_calibrations"

    kind: Mapped[str] = mapped_column(String(300), primary_key=True)
    block_width: Mapped[int]


class WorkerRow(Base):
    """A worker process, alive while its heartbeat is fresh."""

    __tablename__ = "result_workers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(String(200))
    pid: Mapped[int]
    device: Mapped[str] = mapped_column(String(100))
    is_gpu: Mapped[bool]
    store: Mapped[str] = mapped_column(String(200))
    study_id: Mapped[str | None] = mapped_column(String(16))  #: what it trains at present
    heartbeat_at: Mapped[float]
    started_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
