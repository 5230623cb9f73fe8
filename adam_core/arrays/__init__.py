"""Trial arrays: many lanes of one model, trained together."""
