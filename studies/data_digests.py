"""Checksums of files, remembered where computing them takes a while."""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

#: Smaller files are hashed in milliseconds, and are hashed again each time.
_REMEMBERED_BYTES = 8 * 2**20


class Digests:
    """The sha256 of files, those of large ones kept in a file beside the prepared data sets.

    A digest is taken from memory while the file's path, size and time of modification stay the same.
    """

    def __init__(self, cache_dir: Path) -> None:
        """Remember in this folder; where it cannot be written, each process hashes anew."""
        self._path = cache_dir / "digests.json"

    def sha256(self, path: Path) -> str:
        """Return the file's sha256 in hexadecimal.

        Raises:
            OSError: it cannot be read.
        """
        found = path.stat()
        if found.st_size < _REMEMBERED_BYTES:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        mark = f"{found.st_size} {found.st_mtime_ns}"
        known = self._load().get(str(path.resolve()))
        if known is not None and known[0] == mark:
            return known[1]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._keep(str(path.resolve()), [mark, digest])
        return digest

    def _load(self) -> dict[str, list[str]]:
        try:
            known = json.loads(self._path.read_text("utf-8"))
            return {str(path): [str(mark), str(digest)] for path, (mark, digest) in known.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}  # not there yet, or damaged: everything is hashed again

    def _keep(self, path: str, entry: list[str]) -> None:
        """Write it down; what two processes write at the same time may cost one of them a digest."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({**self._load(), path: entry}, indent=1)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".digests-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(temporary, self._path)
