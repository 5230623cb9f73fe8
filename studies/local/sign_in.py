"""Whether the dashboard's users sign in, as Streamlit's secrets.toml says; else only this machine is served."""

import ipaddress
import tomllib
from pathlib import Path

from studies.errors import InputError

#: Serve others than this machine without sign-in; also an argument of the dashboard's program.
WITHOUT_SIGN_IN = "--without-sign-in"
_NEEDED = ("redirect_uri", "cookie_secret")


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches what listens on an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def require_sign_in(address: str) -> None:
    """Refuse an address that others reach unless users have to sign in.

    Raises:
        InputError: nobody has to, or what says so cannot be used.
    """
    if is_loopback(address):
        return
    # where Streamlit looks; later files win
    found: dict[str, object] = {}
    for folder in (Path.home(), Path.cwd()):
        found |= _auth(folder / ".streamlit" / "secrets.toml")
    if not found:
        raise InputError(
            f"address must be of the loopback, such as 127.0.0.1, while nobody has to sign in, got {address}: set up "
            f"[auth] in .streamlit/secrets.toml (docs/deploy.md), or add {WITHOUT_SIGN_IN} where something else keeps "
            "strangers out"
        )
    for key in _NEEDED:
        if not found.get(key):
            raise InputError(f"[auth] in .streamlit/secrets.toml must have {key}, and has {', '.join(found)}")


def _auth(path: Path) -> dict[str, object]:
    """Return the table [auth] of a file; empty where there is none."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    found = given.get("auth", {})
    return found if isinstance(found, dict) else {}
