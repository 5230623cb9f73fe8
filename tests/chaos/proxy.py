"""A TCP proxy on loopback whose link can be cut: with the ends told, or with silence."""

import socket
import threading
from contextlib import suppress


class Proxy:
    """Passes every connection on to a port of the loopback while the link is up."""

    def __init__(self, target_port: int) -> None:
        """Listen on a free port."""
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._passes = threading.Event()
        self._passes.set()
        self._refuses = False
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Let nothing through, and tell nobody: what is sent arrives once the link is healed."""
        self._passes.clear()

    def drop(self) -> None:
        """Cut all connections and refuse new ones."""
        self._refuses = True
        for end in list(self._sockets):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        """Let everything through again."""
        self._refuses = False
        self._passes.set()

    def close(self) -> None:
        """End the proxy and its connections."""
        self._listener.close()
        self.drop()
        self._passes.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                if self._refuses:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            self._sockets |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._passes.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._sockets.discard(source)
        source.close()
