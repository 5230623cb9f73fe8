"""The settings, read from the environment in this one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studies.errors import InputError

DEVICES = ("any", "gpu", "cpu")


@dataclass(frozen=True)
class Settings:
    """Where things live; every field can be set by the environment variable that its comment names."""

    home: Path  #: ADAM_STUDIES_HOME: the embedded database, Redis, logs and prepared data sets
    database_url: str  #: ADAM_STUDIES_DATABASE_URL: SQLAlchemy URL of the study database
    broker_url: str | None  #: ADAM_STUDIES_BROKER_URL: Redis URL; None: the embedded Redis of this home
    data_dir: Path  #: ADAM_STUDIES_DATA: the data sets
    checkpoint_dir: Path  #: ADAM_STUDIES_CHECKPOINTS: the checkpoints of trial arrays
    device: str  #: ADAM_STUDIES_DEVICE: any, gpu or cpu
    workload_modules: tuple[str, ...]  #: ADAM_STUDIES_WORKLOAD_MODULES: modules whose workloads a spec may name

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the SQLite file of this home."""
        return self.database_url == _embedded_url(self.home)

    @property
    def cache_dir(self) -> Path:
        """The data sets as workers read them, prepared once from the files of `data_dir`."""
        return self.home / "prepared"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; a name that is absent or empty takes its default.

        Raises:
            InputError: a value that cannot be used, named with what is allowed.
        """
        home = Path(environ.get("ADAM_STUDIES_HOME") or ".adam-studies").expanduser().absolute()
        device = environ.get("ADAM_STUDIES_DEVICE") or "any"
        if device not in DEVICES:
            raise InputError(f"ADAM_STUDIES_DEVICE must be one of {', '.join(DEVICES)}, got {device!r}")
        return cls(
            home=home,
            database_url=_database_url(environ.get("ADAM_STUDIES_DATABASE_URL") or _embedded_url(home)),
            broker_url=_broker_url(environ.get("ADAM_STUDIES_BROKER_URL")),
            data_dir=Path(environ.get("ADAM_STUDIES_DATA") or home / "data").expanduser().absolute(),
            checkpoint_dir=Path(environ.get("ADAM_STUDIES_CHECKPOINTS") or home / "checkpoints")
            .expanduser()
            .absolute(),
            device=device,
            workload_modules=_modules(environ.get("ADAM_STUDIES_WORKLOAD_MODULES") or ""),
        )


def _embedded_url(home: Path) -> str:
    return f"sqlite:///{home / 'studies.db'}"


def _database_url(url: str) -> str:
    """Return the URL with the driver that this package installs.

    The plain names that other tools print (`postgres://`, `postgresql://`) mean psycopg here.
    """
    for plain in ("postgres://", "postgresql://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        scheme = url.partition(":")[0]
        raise InputError(
            f"ADAM_STUDIES_DATABASE_URL must start with sqlite:/// or postgresql://, got the scheme {scheme!r}"
        )
    return url


def _broker_url(url: str | None) -> str | None:
    if url and not url.startswith(("redis://", "rediss://", "unix://", "redis+socket://")):
        scheme = url.partition(":")[0]
        raise InputError(f"ADAM_STUDIES_BROKER_URL must start with redis:// or rediss://, got the scheme {scheme!r}")
    return url or None


def _modules(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise InputError(
                f"ADAM_STUDIES_WORKLOAD_MODULES must be package.module, or several with commas between, got {name!r}"
            )
    return names
