"""Checkpoints of trial arrays: files in one store, named by array and lease, written whole or not at all."""

import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from studies.db.records import Claim
from studies.errors import ServiceError

_log = logging.getLogger(__name__)


class CheckpointStore:
    """A folder of checkpoints; workers that see the same folder, on whatever host, see the same store."""

    def __init__(self, folder: Path) -> None:
        """Open the store, and give a new one its name.

        Raises:
            ServiceError: the folder cannot be written.
        """
        self._folder = folder
        marker = folder / "store-id"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not marker.exists():
                unique = folder / f".{secrets.token_hex(8)}"
                unique.write_text(secrets.token_hex(8))
                try:
                    os.link(unique, marker)  # the first of several workers that start at once wins
                except FileExistsError:
                    pass
                finally:
                    unique.unlink()
            self.name = marker.read_text()
        except OSError as error:
            raise ServiceError(f"ADAM_STUDIES_CHECKPOINTS: cannot write {folder}: {error.strerror}") from None

    def save(self, held: Claim, snapshot: Mapping[str, Any]) -> str | None:
        """Write a snapshot and return its name; None, with a line in the log, where the disk refuses it."""
        name = f"{held.study_id}-{held.array_id}-{secrets.token_hex(4)}.pt"
        partial = self._folder / f".{name}"
        try:
            with partial.open("wb") as file:
                torch.save(dict(snapshot), file)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self._folder / name)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk as a RuntimeError
            partial.unlink(missing_ok=True)
            _log.warning("no checkpoint of array %s: %s", held.array_id, error)
            return None
        return name

    def load(self, name: str) -> dict[str, Any] | None:
        """Return a snapshot; None, with a line in the log, where it is missing or corrupt."""
        try:
            loaded = torch.load(self._folder / name, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever a damaged file makes of the reader
            _log.warning("checkpoint %s cannot be read, its array starts anew: %s", name, error)
            return None
        return loaded if isinstance(loaded, dict) else None

    def remove(self, name: str) -> None:
        """Delete a checkpoint that nothing refers to any more."""
        (self._folder / name).unlink(missing_ok=True)
