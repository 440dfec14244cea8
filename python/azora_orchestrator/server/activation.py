"""The listening socket that the program above hands over: systemd's socket activation.

Such a socket stays open while servers come and go. Connections wait in it for the next server, so
none is refused during an upgrade.
"""

from __future__ import annotations

import os
import socket

from azora_orchestrator._addresses import in_the_clear, is_network
from azora_orchestrator.errors import InvalidArgument

_FIRST = 3  # by the protocol: descriptors are handed over from this number on
_NAMES = ("LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES")


def handed_over() -> socket.socket | None:
    """The socket that was handed over to this process; None: there is none, or it was taken.

    The variables are removed from the environment: they are not for the processes that we start.

    Raises:
        InvalidArgument: There are several, or it is not a listening TCP socket. They stay open.
    """
    given = {name: os.environ.pop(name, "") for name in _NAMES}
    count = given["LISTEN_FDS"]
    if given["LISTEN_PID"] != str(os.getpid()) or count in ("", "0"):
        return None  # they are for another process, or there are none
    if count != "1":
        raise InvalidArgument(f"LISTEN_FDS is {count!r}; it must be 1, the socket to listen on")
    try:
        listener = socket.socket(fileno=_FIRST)
        if not _listens(listener):
            listener.detach()
            raise OSError
    except OSError:
        raise InvalidArgument(
            f"descriptor {_FIRST}, handed over by LISTEN_FDS, is not a listening TCP socket"
        ) from None
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener


def check_reach(listener: socket.socket, *, insecure_plaintext: bool) -> None:
    """Refuses a socket on an address that other machines may reach, unless that is wanted.

    Raises:
        InvalidArgument: It is one.
    """
    address = str(listener.getsockname()[0])
    if is_network(address) and not insecure_plaintext:
        raise InvalidArgument(in_the_clear(address))


def _listens(one: socket.socket) -> bool:
    return (
        one.family in (socket.AF_INET, socket.AF_INET6)
        and one.type == socket.SOCK_STREAM
        and one.proto == socket.IPPROTO_TCP
        and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    )
