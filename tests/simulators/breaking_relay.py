"""A line between a client and a server that breaks: relays TCP, and cuts, damages, slows or refuses as it is told."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Listens on 127.0.0.1. What is set holds from the next bytes on; byte counts are of what clients sent."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.cut_after: int | None = None
        """Bytes after which each connection is cut."""
        self.pause_s = 0.0
        """Wait before each piece of at most 64 KiB."""
        self.damage_at: int | None = None
        """Position among all bytes of the one that is damaged, once."""
        self.largest_body: int | None = None
        """Requests that announce more are answered 413, as a proxy does."""
        self.swallow_answer_to: bytes | None = None
        """Cut, once, instead of passing on the answer to the first request that begins so."""
        self.sent = 0
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        swallow = threading.Event()
        threading.Thread(target=self._down, args=(client, server, swallow), daemon=True).start()
        passed = 0
        with suppress(OSError):
            while data := client.recv(64 << 10):
                if self.pause_s:
                    time.sleep(self.pause_s)
                if self.largest_body is not None and _announced(data) > self.largest_body:
                    client.sendall(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    time.sleep(0.2)
                    break
                if self.swallow_answer_to and data.startswith(self.swallow_answer_to):
                    self.swallow_answer_to = None
                    swallow.set()
                if self.damage_at is not None and self.sent <= self.damage_at < self.sent + len(data):
                    at = self.damage_at - self.sent
                    data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
                    self.damage_at = None
                server.sendall(data)
                self.sent += len(data)
                passed += len(data)
                if self.cut_after is not None and passed >= self.cut_after:
                    break
        _reset(client)
        _reset(server)

    @staticmethod
    def _down(client: socket.socket, server: socket.socket, swallow: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(64 << 10):
                if swallow.is_set():
                    break
                client.sendall(data)
        _reset(client)
        _reset(server)


@contextmanager
def relaying(target: int) -> Iterator[Relay]:
    relay = Relay(target)
    try:
        yield relay
    finally:
        relay.close()


def _announced(data: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: *(\d+)", data.partition(b"\r\n\r\n")[0], re.IGNORECASE) if data.startswith(b"PATCH ") else None
    return int(found[1]) if found else 0


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
