"""Checkpoints of trial arrays: files in one store, named by array and content, written whole or not at all."""

import hashlib
import logging
import os
import secrets
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any

import torch

from studies.db.records import Claim
from studies.errors import ServiceError

#: A file that no array names is swept when it is so old: its worker may be about to name it.
ORPHAN_SECONDS = 3600.0

_log = logging.getLogger(__name__)


class CheckpointStore:
    """A folder of one study database's checkpoints; workers that see it, on whatever host, see the same store."""

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
        unique = f"{held.study_id}-{held.array_id}-{secrets.token_hex(4)}"
        partial = self._folder / f".{unique}.pt"
        try:
            with partial.open("w+b") as file:
                torch.save(dict(snapshot), file)
                file.flush()
                os.fsync(file.fileno())
                name = f"{unique}-{_digest(file)}.pt"
            partial.rename(self._folder / name)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk as a RuntimeError
            partial.unlink(missing_ok=True)
            _log.warning("no checkpoint of array %s: %s", held.array_id, error)
            return None
        return name

    def load(self, name: str) -> dict[str, Any] | None:
        """Return a snapshot; None, with a line in the log, where it is missing or corrupt."""
        try:
            with (self._folder / name).open("rb") as file:
                if not name.endswith(f"-{_digest(file)}.pt"):  # torch takes wrong numbers for numbers
                    raise ValueError("its content is not what was written")
                loaded = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever a damaged file makes of the reader
            _log.warning("checkpoint %s cannot be read, its array starts anew: %s", name, error)
            return None
        return loaded if isinstance(loaded, dict) else None

    def remove(self, name: str) -> None:
        """Delete a checkpoint that nothing refers to any more."""
        (self._folder / name).unlink(missing_ok=True)

    def sweep(self, named: Collection[str]) -> None:
        """Delete the files, half-written ones included, that are not named here and were not written lately.

        Arrays end without their last holder, which would have deleted them: where it died, or its study was deleted.
        """
        oldest = time.time() - ORPHAN_SECONDS
        for file in self._folder.glob("*.pt"):
            try:
                if file.name not in named and file.stat().st_mtime < oldest:
                    file.unlink()
                    _log.info("deleted the checkpoint %s, which no array needs any more", file.name)
            except OSError as error:  # other workers sweep too
                _log.debug("%s stays: %s", file.name, error.strerror)


def _digest(file: IO[bytes]) -> str:
    """Return what a file's content is known by, and go back to its start."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]  # type: ignore[arg-type]
    file.seek(0)
    return digest
