"""What database, broker and workers cost and bear when only the training itself is left out."""
