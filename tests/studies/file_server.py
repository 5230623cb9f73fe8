"""A real HTTP server on the loopback that gives files, and fails as it is told to."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Gives the contents of `files` by their names; what it does otherwise can be changed while it runs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.gives_ranges = True
        self.tells_length = True
        self.breaks_after: int | None = None  #: bytes of an answer after which it breaks off the connection
        self.status = 200  #: or an error
        self.asked: list[tuple[str, str | None]] = []  #: names and ranges

    def url(self, name: str) -> str:
        """Return the address of a file."""
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        name, wanted = self.path.removeprefix("/"), self.headers["Range"]
        self.server.asked.append((name, wanted))
        content = self.server.files.get(name)
        if content is None or self.server.status != 200:
            self.send_error(404 if content is None else self.server.status)
            return
        start = 0
        if wanted and self.server.gives_ranges:
            match = re.fullmatch(r"bytes=(\d+)-", wanted)
            assert match
            start = int(match[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content) if self.server.breaks_after is None else start + self.server.breaks_after
        with suppress(ConnectionError):  # the client may leave earlier
            self.wfile.write(content[start:end])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def file_server() -> Iterator[FileServer]:
    """Run a server until the context ends."""
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
