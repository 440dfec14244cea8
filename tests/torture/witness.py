"""A service of the tortured fleet, which tells the truth about itself.

It holds a lock on ID.lock as long as it lives: a second copy cannot get it and writes `twice`. Each
life is a line in ID.lives. Usage: witness.py FOLDER ID PORT
"""

from __future__ import annotations

import fcntl
import http.server
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every GET with its process id."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Any path."""
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


def main(folder: str, id: str, port: str) -> None:
    """Serves until it is ended."""
    lock = os.open(f"{folder}/{id}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    lives = os.open(f"{folder}/{id}.lives", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.write(lives, b"twice\n")
        raise
    os.write(lives, f"{os.getpid()} {os.environ['AZORA_INCARNATION']}\n".encode())
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
