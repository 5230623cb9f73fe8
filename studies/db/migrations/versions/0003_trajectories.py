"""Trajectories of workloads with one or two parameters, and the kind of data in the results."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# As of revision 0002, but for data; t, a, s, u: trial, array, study, suite.
_RESULTS = """
CREATE VIEW results AS
SELECT s.id AS study_id, s.name AS study, u.name AS suite, {workload} AS workload, COALESCE({data}, 'real') AS data,
    {optimizer} AS optimizer,
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

_TRAJECTORIES = """
CREATE VIEW trajectories AS
SELECT s.id AS study_id, s.name AS study, p.trial AS trial, p.replicate AS replicate, p.epoch AS epoch,
    e.steps AS steps, p.x AS x, p.y AS y
FROM result_trajectories p
JOIN result_trials t ON t.study_id = p.study_id AND t.number = p.trial
JOIN result_studies s ON s.id = p.study_id
JOIN result_epochs e ON e.study_id = p.study_id AND e.trial = p.trial AND e.replicate = p.replicate
    AND e.epoch = p.epoch
WHERE t.replaced_by IS NULL
"""


def upgrade() -> None:
    """Add the table, its view and the column of the view."""
    op.create_table(
        "result_trajectories",
        sa.Column("study_id", sa.String(16), primary_key=True),
        sa.Column("trial", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("replicate", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("x", sa.Double, nullable=False),
        sa.Column("y", sa.Double),
        sa.ForeignKeyConstraint(["study_id", "trial"], ["result_trials.study_id", "result_trials.number"]),
        sqlite_with_rowid=False,
    )
    op.execute("DROP VIEW results")
    keys = ("workload", "data", "optimizer", "objective", "n_seeds")
    read = "json_extract(s.spec, '$.{}')" if op.get_bind().dialect.name == "sqlite" else "(s.spec ->> '{}')"
    op.execute(_RESULTS.format(**{key: read.format(key) for key in keys}))
    op.execute(_TRAJECTORIES)
