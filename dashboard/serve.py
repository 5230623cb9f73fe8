"""`python -m dashboard.serve OPTIONS`: Streamlit serves app.py while what the pages import is loaded ahead."""

import sys
from importlib import import_module
from pathlib import Path
from threading import Thread

from streamlit.web import cli

_VIEWS = ("home", "study", "compare", "new_study", "sql", "workers")


def main() -> None:
    """Serve the dashboard with Streamlit's options, until SIGTERM or Ctrl-C."""
    Thread(target=_load, daemon=True).start()
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]]
    cli.main()


def _load() -> None:
    for name in _VIEWS:
        import_module(f"dashboard.views.{name}")


if __name__ == "__main__":
    main()
