"""The revisions of the study database, oldest first; a published one is never edited."""
