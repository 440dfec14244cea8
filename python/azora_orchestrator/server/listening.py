"""The listening socket of a server: taken before anything else starts, on loopback or not at all.

There is no TLS in this version. What goes over a network goes in the clear, tokens too: such a
socket is made only for a caller who has said that this is wanted.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from azora_orchestrator._addresses import in_the_clear, is_network
from azora_orchestrator.errors import InvalidArgument

_BACKLOG = 2048
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (what such a server is asked at)


def bind(host: str, port: int, *, insecure_plaintext: bool = False) -> socket.socket:
    """A socket that listens.

    Args:
        host: A name or a numeric address.
        port: 0: any.
        insecure_plaintext: Also on an address that other machines may reach.

    Raises:
        InvalidArgument: The address is not a loopback address.
        OSError: The port is in use, the host is not known, and the like; it says so in words.
    """
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65_535:
        raise InvalidArgument(f"port is {port!r}; it must be 0 to 65535")
    if not isinstance(host, str):
        raise InvalidArgument(f"host is {host!r}; it must be a string")
    family, kind, protocol, address = _found(host, port)
    if is_network(str(address[0])) and not insecure_plaintext:
        raise InvalidArgument(in_the_clear(str(address[0])))
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        code = error.errno or errno.EINVAL
        if code == errno.EADDRINUSE:
            raise OSError(code, f"port {port} on {host} is in use") from None
        why = os.strerror(code)
        raise OSError(code, f"cannot listen on {host} port {port}: {why}") from None
    listener.setblocking(False)
    return listener


def address_of(host: str) -> str:
    """The numeric address at which a server of that host would listen.

    Raises:
        OSError: The host is not known.
    """
    return str(_found(host, 0)[3][0])


def _found(host: str, port: int) -> tuple[Any, Any, int, tuple[Any, ...]]:
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a host name"
        raise OSError(errno.EADDRNOTAVAIL, f"cannot listen on {host}: {why}") from None
    family, kind, protocol, _, address = found[0]
    return family, kind, protocol, address


def url_of(listener: socket.socket) -> str:
    """The URL of the server for a client on this machine."""
    host, port = listener.getsockname()[:2]
    host = _ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_any(listener: socket.socket) -> bool:
    """Whether it listens at every address of this machine."""
    return listener.getsockname()[0] in _ANY
