"""Whose socket is at the other end of a loopback connection?

Asks the kernel over NETLINK_SOCK_DIAG for the client's own socket by its exact four-tuple, as
identd does. If the answer is not certain, the caller is refused.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import socket
import struct
import threading

from azora_orchestrator._addresses import is_loopback, numeric

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLMSG_HEADER = struct.Struct("=IHHII")
# sdiag_family, sdiag_protocol, idiag_ext, pad, idiag_states
_REQUEST = struct.Struct("=BBBBI")
# sport, dport in network order; src, dst; interface; cookie (all ones: no cookie)
_SOCKET_ID = struct.Struct("!HH16s16s")
_SOCKET_ID_TAIL = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
# idiag_family, state, timer, retrans | id (48 bytes) | expires, rqueue, wqueue, uid, inode
_REPLY_HEAD = struct.Struct("=BBBB")
_REPLY_TAIL = struct.Struct("=IIIII")
_LISTEN = 10
_ONE_SECOND = struct.pack("@ll", 1, 0)

Address = tuple[str, int]


@functools.lru_cache(maxsize=1024)
def _packed(host: str) -> tuple[int, bytes] | None:
    """Family and padded address of a numeric host; None if it is not numeric."""
    address = numeric(host)
    if address is None:
        return None
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return family, address.packed.ljust(16, b"\0")


class _Netlink:
    """A socket to the kernel, kept: opening one costs more than the question."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._turn = 0
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG
        )
        # The kernel answers at once. With this timeout a question takes two system calls, not four.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _ONE_SECOND)
        self._socket.connect((0, 0))  # to and from the kernel alone

    def ask(self, request: bytes) -> bytes | None:
        """The kernel's answer to exactly this question; None: the owner is not known."""
        self._turn = self._turn % 0xFFFFFFFF + 1
        size = _NLMSG_HEADER.size + len(request)
        header = _NLMSG_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, self._turn, 0)
        self._socket.send(header + request)
        reply = self._socket.recv(8192)
        if len(reply) < _NLMSG_HEADER.size or _NLMSG_HEADER.unpack_from(reply)[3] != self._turn:
            return None
        return reply

    def __del__(self) -> None:
        if hasattr(self, "_socket"):
            self._socket.close()


class _Here(threading.local):
    netlink: _Netlink | None = None  # this thread's


_here = _Here()


def _ask_kernel(request: bytes) -> bytes | None:
    netlink, _here.netlink = _here.netlink, None  # kept again only after success
    try:
        if netlink is None or netlink.pid != os.getpid():  # a forked child must not share it
            netlink = _Netlink()
        reply = netlink.ask(request)
    except OSError:
        return None
    if reply is not None:
        _here.netlink = netlink
    return reply


def peer_uid(client: Address, server: Address) -> int | None:
    """The uid that owns the client's end of a local connection; None when unknown."""
    source, target = _packed(client[0]), _packed(server[0])
    if source is None or target is None or source[0] != target[0]:
        return None
    wanted = _SOCKET_ID.pack(client[1], server[1], source[1], target[1])
    request = _REQUEST.pack(source[0], socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF)
    reply = _ask_kernel(request + wanted + _SOCKET_ID_TAIL)
    return None if reply is None else _read_reply(reply, client, server)


def _read_reply(reply: bytes, client: Address, server: Address) -> int | None:
    least = _NLMSG_HEADER.size + _REPLY_HEAD.size + 48 + _REPLY_TAIL.size
    if len(reply) < least or _NLMSG_HEADER.unpack_from(reply)[1] != _SOCK_DIAG_BY_FAMILY:
        return None
    offset = _NLMSG_HEADER.size
    family, state, _, _ = _REPLY_HEAD.unpack_from(reply, offset)
    sport, dport, src, dst = _SOCKET_ID.unpack_from(reply, offset + _REPLY_HEAD.size)
    _, _, _, uid, inode = _REPLY_TAIL.unpack_from(reply, offset + _REPLY_HEAD.size + 48)
    # The kernel falls back to a listening socket when there is no connection of that name.
    if state == _LISTEN or inode == 0:
        return None
    if (_host(family, src), sport) != (_packed(client[0]), client[1]):
        return None
    if (_host(family, dst), dport) != (_packed(server[0]), server[1]):
        return None
    return int(uid)


def _host(family: int, raw: bytes) -> tuple[int, bytes] | None:
    """An address from a reply, in the form that _packed() returns."""
    if family == socket.AF_INET:
        return family, raw[:4].ljust(16, b"\0")
    return _packed(str(ipaddress.IPv6Address(raw)))


def _overflow_uid() -> int:
    try:
        with open("/proc/sys/fs/overflowuid", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 65534


_OVERFLOW_UID = _overflow_uid()


def is_ours(uid: int | None) -> bool:
    """Whether `uid` is the one this server runs as. The kernel's overflow uid never is."""
    return uid is not None and uid != _OVERFLOW_UID and uid == os.geteuid()


def is_owner(client: Address | None, server: Address | None) -> bool:
    """Whether the loopback connection comes from a process of our own uid."""
    if client is None or server is None or not is_loopback(client[0]):
        return False
    return is_ours(peer_uid(client, server))
