"""Diagnostics of updates, and bias correction as a parameter of a trial."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FIGURES = ("max_step", "signal_to_noise", "epsilon_share", "update_norm", "weight_norm", "gradient_norm")

# As of revision 0001, but for bias_correction: t, a, s, u: trial, array, study, suite.
_RESULTS = """
CREATE VIEW results AS
SELECT s.id AS study_id, s.name AS study, u.name AS suite, {workload} AS workload, {optimizer} AS optimizer,
    t.number AS trial, t.state AS state, t.diverged AS diverged, t.is_default AS is_default,
    t.alpha AS alpha, t.beta1 AS beta1, t.beta2 AS beta2, t.epsilon AS epsilon,
    CASE WHEN t.bias_correction IS NOT NULL THEN t.bias_correction WHEN {optimizer} IN ('adam', 'amsgrad') THEN TRUE END
        AS bias_correction, t.other AS other,
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

_DIAGNOSTICS = f"""
CREATE VIEW diagnostics AS
SELECT s.id AS study_id, s.name AS study, d.trial AS trial, d.replicate AS replicate, d.epoch AS epoch,
    e.steps AS steps, {", ".join(f"d.{name} AS {name}" for name in _FIGURES)}
FROM result_diagnostics d
JOIN result_trials t ON t.study_id = d.study_id AND t.number = d.trial
JOIN result_studies s ON s.id = d.study_id
JOIN result_epochs e ON e.study_id = d.study_id AND e.trial = d.trial AND e.replicate = d.replicate
    AND e.epoch = d.epoch
WHERE t.replaced_by IS NULL
"""


def upgrade() -> None:
    """Add the table and the column, and make the views anew."""
    op.create_table(
        "result_diagnostics",
        sa.Column("study_id", sa.String(16), primary_key=True),
        sa.Column("trial", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("replicate", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Double) for name in _FIGURES),
        sa.ForeignKeyConstraint(["study_id", "trial"], ["result_trials.study_id", "result_trials.number"]),
        sqlite_with_rowid=False,
    )
    op.execute("DROP VIEW results")
    op.add_column("result_trials", sa.Column("bias_correction", sa.Boolean))
    keys = ("workload", "optimizer", "objective", "n_seeds")
    read = "json_extract(s.spec, '$.{}')" if op.get_bind().dialect.name == "sqlite" else "(s.spec ->> '{}')"
    op.execute(_RESULTS.format(**{key: read.format(key) for key in keys}))
    op.execute(_DIAGNOSTICS)
