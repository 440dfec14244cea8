"""For which host names this server answers: those of loopback and those it was given.

A request for any other name is refused, since a foreign page can give a name of its own our
address (DNS rebinding). A numeric address cannot be such a name, but is a host like any other.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from azora_orchestrator.errors import InvalidArgument

ANY, ANY_ADDRESS = "*", "ip"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/?#@\s]+)(?::\d{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253})")
_RULE = 'give names without port such as "box.example", addresses, "ip" or "*"'


class Hosts:
    """The names of one app.

    Args:
        names: Besides those of loopback; "ip" allows any numeric address, "*" any host.

    Raises:
        InvalidArgument: `names` is one string, or a name has a form that could never match.
    """

    def __init__(self, names: Iterable[str] | None) -> None:
        if isinstance(names, str | bytes):
            raise InvalidArgument(
                f"allowed_hosts is the string {names!r}; it must be a list: [{names!r}]"
            )
        self._names = {"localhost"}
        self._addresses: set[ipaddress.IPv4Address | ipaddress.IPv6Address] = set()
        self._any = self._any_address = False
        for name in names or ():
            self.add(name)

    def add(self, name: str) -> None:
        """Allows one more.

        Raises:
            InvalidArgument: It has a form that could never match.
        """
        if name == ANY:
            self._any = True
        elif name == ANY_ADDRESS:
            self._any_address = True
        elif not isinstance(name, str):
            raise InvalidArgument(f"allowed_hosts: {name!r} is not a string; {_RULE}")
        elif (address := _address(name)) is not None:
            self._addresses.add(address)
        elif _NAME.fullmatch(name):
            self._names.add(_plain(name))
        else:
            why = "wildcards are not supported" if "*" in name else "it is not a host name"
            raise InvalidArgument(f'allowed_hosts: "{name}": {why}; {_RULE}')

    def allows(self, header: str) -> bool:
        """Whether a Host header (or the host of a target), with or without port, is one of ours."""
        if self._any:
            return True
        match = _HOST.fullmatch(header)
        if not match:
            return False
        name = _plain(match[1])
        if name in self._names or name.endswith(".localhost"):
            return True
        address = _address(name)
        if address is None:
            return False
        return address.is_loopback or self._any_address or address in self._addresses


def is_name(name: str) -> bool:
    """Whether a name has a form that Hosts takes."""
    return _address(name) is not None or name == ANY_ADDRESS or bool(_NAME.fullmatch(name))


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
