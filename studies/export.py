"""Trials and curves as files for other tools."""

import io
import json
import os
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from studies.errors import InputError


def render(frame: pd.DataFrame, format: Literal["csv", "parquet", "json"]) -> bytes:
    """Return a frame of trials, curves, diagnostics or trajectories as the content of a file of this format.

    Times are in UTC. Numbers keep every digit. JSON is a list of objects, in which what is missing or not finite is
    null; in CSV it is empty or `inf`.
    """
    if format == "json":
        finite = frame.replace([np.inf, -np.inf], np.nan).astype("object")
        records = finite.where(finite.notna(), None).to_dict("records")
        return (json.dumps(records, indent=1, default=_plain) + "\n").encode()
    if "other" in frame:
        frame = frame.assign(other=frame["other"].map(json.dumps, na_action="ignore"))
    if format == "csv":
        return frame.to_csv(index=False, lineterminator="\n").encode()
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)


def write_file(path: Path, content: bytes) -> None:
    """Write beside the file, then take its place; what is no file, such as a pipe, is written to as it is.

    Raises:
        InputError: the file cannot be written.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        try:
            part.write_bytes(content)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
