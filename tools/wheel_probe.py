"""What the installed wheel's libcurl can do, asked where the wheel is installed.

Use: wheel_probe.py CERTIFICATE KEY   (with SSL_CERT_FILE=CERTIFICATE)
Fails unless the bundled libcurl speaks HTTP and HTTPS alone, with HTTP/2 and Unix sockets, and a
check over https of the installed package passes.
"""

from __future__ import annotations

import ctypes
import http.server
import ssl
import sys
import threading
from pathlib import Path

import azora_orchestrator
from azora_orchestrator import MasterOrchestrator

FEATURES = {
    "TLS": 1 << 2,
    "resolving on threads": 1 << 7,
    "HTTP/2": 1 << 16,
    "Unix sockets": 1 << 19,
}


class VersionInfo(ctypes.Structure):
    """curl_version_info_data, as far as it is read."""

    _fields_ = (
        ("age", ctypes.c_int),
        ("version", ctypes.c_char_p),
        ("version_num", ctypes.c_uint),
        ("host", ctypes.c_char_p),
        ("features", ctypes.c_int),
        ("ssl_version", ctypes.c_char_p),
        ("ssl_version_num", ctypes.c_long),
        ("libz_version", ctypes.c_char_p),
        ("protocols", ctypes.POINTER(ctypes.c_char_p)),
    )


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def look_at_libcurl() -> str:
    folder = Path(azora_orchestrator.__file__).parent.parent / "azora_orchestrator.libs"
    (file,) = folder.glob("libcurl-*")
    library = ctypes.CDLL(str(file))
    library.curl_version_info.restype = ctypes.POINTER(VersionInfo)
    info = library.curl_version_info(3).contents
    protocols: list[str] = []
    while info.protocols[len(protocols)]:
        protocols.append(info.protocols[len(protocols)].decode())
    if sorted(protocols) != ["http", "https"]:
        sys.exit(f"the bundled libcurl speaks {', '.join(protocols)}; http and https are wanted")
    if lacking := [name for name, bit in FEATURES.items() if not info.features & bit]:
        sys.exit(f"the bundled libcurl has no {', '.join(lacking)}")
    return f"libcurl {info.version.decode()} with {info.ssl_version.decode()}"


def check_over_https(certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with MasterOrchestrator() as orch:
        orch.register(
            {
                "id": "tls",
                "type": "core",
                "endpoint": f"https://localhost:{server.server_port}",
                "healthCheckPath": "/",
            }
        )
        orch.wait_ready("tls", timeout_ms=30_000)
        status = orch.service("tls").data["health"]["status"]
    server.shutdown()
    if status != "healthy":
        sys.exit(f"the check over https found {status}")


if __name__ == "__main__":
    found = look_at_libcurl()
    check_over_https(*sys.argv[1:])
    print(f"wheel: {found}; a check over https passes")
