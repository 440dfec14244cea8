"""A tiny real service for `azora demo`: answers /health with values that a check can read.

Uses few modules, all of the standard library, so that eleven of them start at once:
`python -I -S demo_service.py NAME PORT`, or `python -m azora_orchestrator.demo_service NAME PORT`.
"""

import os
import selectors
import signal
import socket
import sys
import time

_MAX_REQUEST = 16 * 1024
_STARTED = time.monotonic()


def _memory_percent() -> float:
    """Our resident memory as a percentage of the machine's memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return round(100 * resident / total, 2)


def _cpu_percent() -> float:
    used = sum(os.times()[:2])
    return round(100 * used / max(time.monotonic() - _STARTED, 0.001), 2)


def _answer(name: str, request: bytes) -> bytes:
    line = request.split(b"\r\n", 1)[0].split(b" ")
    method, target = (line[0], line[1].split(b"?")[0]) if len(line) > 1 else (b"", b"")
    status = b"200 OK"
    if target == b"/health":
        uptime = int((time.monotonic() - _STARTED) * 1000)
        body = (
            f'{{"status":"healthy","service":"{name}","pid":{os.getpid()},"uptime":{uptime},'
            f'"cpu":{_cpu_percent()},"memory":{_memory_percent()}}}'
        )
    elif target == b"/":
        body = f'{{"service":"{name}","pid":{os.getpid()}}}'
    else:
        status, body = b"404 Not Found", '{"error":"not found"}'
    content = body.encode()
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
        status,
        len(content),
    )
    return head if method == b"HEAD" else head + content


class _Service:
    """The listening sockets and the connections of one service."""

    def __init__(self, name: str, port: int) -> None:
        self._name = name
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._pending: dict[socket.socket, bytes] = {}
        self.stopping = False

    def listen(self) -> None:
        """Opens the port on both loopback addresses; IPv6 only where there is one."""
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            try:
                listener = socket.create_server((host, self._port), family=family, backlog=64)
            except OSError:
                if family == socket.AF_INET6:
                    continue
                raise
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ, True)

    def run(self) -> None:
        """Serves until told to stop."""
        while not self.stopping:
            for key, _ in self._selector.select():
                if key.data:
                    self._accept(key.fileobj)  # type: ignore[arg-type]
                else:
                    self._read(key.fileobj)  # type: ignore[arg-type]

    def wake_on_signal(self) -> None:
        """SIGTERM ends run()."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno())
        self._writer = writer
        self._selector.register(reader, selectors.EVENT_READ, False)
        self._pending[reader] = b""

        def stop(*_: object) -> None:
            self.stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.settimeout(5)
        self._pending[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, False)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(4096)
            buffer = self._pending[connection] + data
            while b"\r\n\r\n" in buffer:
                request, buffer = buffer.split(b"\r\n\r\n", 1)
                connection.sendall(_answer(self._name, request))
        except OSError:
            data, buffer = b"", b""
        if not data or len(buffer) > _MAX_REQUEST:
            self._selector.unregister(connection)
            del self._pending[connection]
            connection.close()
        else:
            self._pending[connection] = buffer


def main(arguments: list[str]) -> int:
    """Runs one service: NAME PORT."""
    if len(arguments) != 2 or not arguments[1].isdigit():
        sys.stderr.write("usage: demo_service NAME PORT\n")
        return 2
    name, port = arguments[0], int(arguments[1])
    service = _Service(name, port)
    service.wake_on_signal()
    try:
        service.listen()
    except OSError as error:
        sys.stderr.write(f"{name}: port {port}: {error.strerror}\n")
        return 1
    sys.stdout.write(f"{name} answers on port {port}\n")
    sys.stdout.flush()
    service.run()
    sys.stdout.write(f"{name} stopped\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
