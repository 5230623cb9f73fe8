"""The study database: our tables beside Optuna's, reached only through the functions of this package."""
