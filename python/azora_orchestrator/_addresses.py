"""Which addresses are this machine's alone, and why a server refuses the others."""

from __future__ import annotations

import functools
import ipaddress


def numeric(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address `host` as an object, IPv4 inside IPv6 as IPv4; None if it is not numeric."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@functools.lru_cache(maxsize=1024)  # asked of every request
def is_loopback(host: str | None) -> bool:
    """Whether `host` is a numeric loopback address."""
    address = numeric(host) if host else None
    return address is not None and address.is_loopback


def is_network(host: str) -> bool:
    """Whether `host` is a numeric address that other machines may reach; a name is not judged."""
    address = numeric(host)
    return address is not None and not address.is_loopback


def in_the_clear(address: str) -> str:
    """Why such an address is refused."""
    return (
        f"{address} is not a loopback address, and this version has no TLS: tokens and answers "
        "would cross the network in the clear"
    )
