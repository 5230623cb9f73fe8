"""First tables and views."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# t, a, s, u: trial, array, study, suite. {workload} and the like read a key of the study's spec.
_RESULTS = """
CREATE VIEW results AS
SELECT s.id AS study_id, s.name AS study, u.name AS suite, {workload} AS workload, {optimizer} AS optimizer,
    t.number AS trial, t.state AS state, t.diverged AS diverged, t.is_default AS is_default,
    t.alpha AS alpha, t.beta1 AS beta1, t.beta2 AS beta2, t.epsilon AS epsilon,
    CASE WHEN {optimizer} = 'adam' THEN TRUE END AS bias_correction, t.other AS other,
    {objective} AS objective_name, t.objective AS objective, t.objective_std AS objective_std,
    CAST({n_seeds} AS INTEGER) AS n_seeds,
    CASE WHEN t.state <> 'running' THEN COALESCE(t.epochs_done, 0) WHEN a.epoch > 0 THEN a.epoch ELSE 0 END
        AS epochs_done,
    t.train_loss AS train_loss, t.validation_loss AS validation_loss, t.validation_error AS validation_error,
    t.test_loss AS test_loss, t.test_error AS test_error, t.seconds AS seconds, t.device AS device,
    t.started_at AS started_at, t.finished_at AS finished_at, t.error AS error
FROM result_trials t
JOIN result_studies s ON s.id = t.study_id
LEFT JOIN result_suites u ON u.id = s.suite_id
LEFT JOIN result_arrays a ON a.id = t.array_id
WHERE t.replaced_by IS NULL
"""

_CURVES = """
CREATE VIEW curves AS
SELECT s.id AS study_id, s.name AS study, e.trial AS trial, e.replicate AS replicate, e.epoch AS epoch,
    e.steps AS steps, e.train_loss AS train_loss, e.validation_loss AS validation_loss,
    e.validation_error AS validation_error, e.test_loss AS test_loss, e.test_error AS test_error,
    e.seconds AS seconds, e.diverged AS diverged
FROM result_epochs e
JOIN result_trials t ON t.study_id = e.study_id AND t.number = e.trial
JOIN result_studies s ON s.id = e.study_id
WHERE t.replaced_by IS NULL
"""


def upgrade() -> None:
    """Create the tables and the views."""
    _create_studies()
    _create_trials()
    _create_epochs()
    _create_workers()
    keys = ("workload", "optimizer", "objective", "n_seeds")
    read = "json_extract(s.spec, '$.{}')" if op.get_bind().dialect.name == "sqlite" else "(s.spec ->> '{}')"
    op.execute(_RESULTS.format(**{key: read.format(key) for key in keys}))
    op.execute(_CURVES)


def _create_studies() -> None:
    op.create_table(
        "result_suites",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        _created("created_at"),
    )
    op.create_table(
        "result_studies",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("suite_id", sa.String(16), sa.ForeignKey("result_suites.id"), index=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("spec", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("wish", sa.String(8), nullable=False),
        sa.Column("n_trials", sa.Integer, nullable=False),
        sa.Column("n_mirrored", sa.Integer, nullable=False),
        sa.Column("block_width", sa.Integer),
        sa.Column("problem", sa.Text),
        _created("created_at"),
    )


def _create_trials() -> None:
    op.create_table(
        "result_arrays",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study_id", sa.String(16), sa.ForeignKey("result_studies.id"), nullable=False, index=True),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("worker_id", sa.String(64), nullable=False),
        sa.Column("lease_expires_at", sa.Double, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("lost_leases", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("checkpoint", sa.String(200)),
        sa.Column("store", sa.String(200)),
        sa.Column("finished", sa.Boolean, nullable=False),
    )
    op.create_table(
        "result_trials",
        sa.Column("study_id", sa.String(16), sa.ForeignKey("result_studies.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("params", sa.JSON(none_as_null=True)),
        *(sa.Column(name, sa.Double) for name in ("alpha", "beta1", "beta2", "epsilon")),
        sa.Column("other", sa.JSON(none_as_null=True)),
        sa.Column("sampler_attrs", sa.JSON(none_as_null=True)),
        sa.Column("array_id", sa.Integer, sa.ForeignKey("result_arrays.id"), index=True),
        sa.Column("diverged", sa.Boolean),
        sa.Column("objective", sa.Double),
        sa.Column("objective_std", sa.Double),
        sa.Column("epochs_done", sa.Integer),
        *_metrics(),
        sa.Column("seconds", sa.Double),
        sa.Column("device", sa.String(100)),
        sa.Column("error", sa.Text),
        sa.Column("replaced_by", sa.Integer),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_result_trials_state", "result_trials", ["study_id", "state"])


def _create_epochs() -> None:
    keys = ("trial", "replicate", "epoch")
    op.create_table(
        "result_epochs",
        sa.Column("study_id", sa.String(16), primary_key=True),
        *(sa.Column(name, sa.Integer, primary_key=True, autoincrement=False) for name in keys),
        sa.Column("steps", sa.Integer, nullable=False),
        *_metrics(),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("diverged", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["study_id", "trial"], ["result_trials.study_id", "result_trials.number"]),
        sqlite_with_rowid=False,
    )


def _create_workers() -> None:
    op.create_table(
        "result_calibrations",
        sa.Column("kind", sa.String(300), primary_key=True),
        sa.Column("block_width", sa.Integer, nullable=False),
    )
    op.create_table(
        "result_workers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(200), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("device", sa.String(100), nullable=False),
        sa.Column("is_gpu", sa.Boolean, nullable=False),
        sa.Column("store", sa.String(200), nullable=False),
        sa.Column("study_id", sa.String(16)),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
        _created("started_at"),
    )


def _created(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.current_timestamp(), nullable=False)


def _metrics() -> list[sa.Column[float]]:
    names = ("train_loss", "validation_loss", "validation_error", "test_loss", "test_error")
    return [sa.Column(name, sa.Double) for name in names]
