"""Who may ask, and who may change things (R45).

It asks in this order: is the request meant for us (Host), does it come from a foreign web page
(Origin, Sec-Fetch-Site), and is it the owner's or does it have the token.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from azora_orchestrator.server import owner, tokens
from azora_orchestrator.server.answers import Refusal

SAFE_METHODS = frozenset({"GET", "HEAD"})
_FORWARDED = re.compile(rb"x-forwarded-.*|forwarded|via|x-real-ip")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/?#@\s]+)(?::\d{1,5})?")
_AUTHS = ("owner", "token", None)

HOW = (
    "the user who runs the server prints the token with `azora token`; "
    "send it as `Authorization: Bearer TOKEN`"
)
FOREIGN = f"a page of another site may not change things here; programs may, with the token: {HOW}"


class Access:
    """The rules of one app.

    Args:
        auth: "owner" (processes of our own user need no token), "token" (every change needs it)
            or None (no question asked: for tests).
        allowed_hosts: Names a Host header may have besides the loopback ones; "*" allows any,
            "ip" any numeric address (which no rebound name can be).
    """

    def __init__(self, auth: str | None, allowed_hosts: Iterable[str] | None) -> None:
        if auth not in _AUTHS:
            raise ValueError(f'auth is {auth!r}; it must be "owner", "token" or None')
        self.auth = auth
        names = {name.lower().rstrip(".") for name in allowed_hosts or ()}
        names.add("localhost")
        if auth is None:
            names |= {"testserver", "test"}  # the host names of test clients
        self._any_host = "*" in names
        self._any_ip = "ip" in names
        self._names = names
        self.known_hosts: set[bytes] = set()  # Host headers that passed; their number is bounded

    def check(self, scope: Any, *, unsafe: bool) -> None:
        """Lets a request pass, or refuses it.

        Raises:
            Refusal: 400, 401, 403 or 421, with what to do about it.
        """
        self._check_host(scope)
        if unsafe:
            headers = dict(scope["headers"])
            self._check_page(headers)
            self._check_caller(scope, headers, unsafe=True)
        elif self.auth is not None and not _is_local(scope):  # a local reader needs no right
            self._check_caller(scope, dict(scope["headers"]), unsafe=False)

    def _check_host(self, scope: Any) -> None:
        """Refuses a request that is meant for another host (DNS rebinding)."""
        target = scope.get("azora.target_host")  # of a request in absolute form
        if target is not None and not self._allows(target.decode("latin-1")):
            raise _unknown_host()
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and hosts[0] in self.known_hosts:
            return
        if not hosts:
            if scope.get("http_version", "1.1") != "1.0":
                raise Refusal(400, "invalid_request", "the Host header is missing")
            return
        if len(hosts) > 1:
            raise Refusal(400, "invalid_request", "there is more than one Host header")
        if not self._allows(hosts[0].decode("latin-1")):
            raise _unknown_host()
        if len(self.known_hosts) < 64:
            self.known_hosts.add(hosts[0])

    def _allows(self, header: str) -> bool:
        if self._any_host:
            return True
        match = _HOST.fullmatch(header)
        if not match:
            return False
        name = match[1].lower().rstrip(".")
        if name in self._names or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return address.is_loopback or self._any_ip

    def _check_caller(self, scope: Any, headers: dict[bytes, bytes], *, unsafe: bool) -> None:
        """Refuses callers without a right; changes, and reads that are off loopback, need one."""
        if self.auth is None:
            return
        bearer = _bearer(headers)
        if bearer is not None:
            if tokens.is_token(bearer):
                return
            raise _unauthorized("this token is not the server's")
        if not unsafe:
            raise _unauthorized("a reader on another machine needs a token")
        if self.auth == "token":
            raise _unauthorized("this server wants a token for every change")
        if not _is_local(scope):
            raise _unauthorized("a caller from another machine needs a token")
        if any(_FORWARDED.fullmatch(name) for name in headers):
            raise _unauthorized("a forwarded request needs a token")
        client, server = scope["client"], scope.get("server")
        if not owner.is_owner(tuple(client[:2]), tuple(server[:2]) if server else None):
            raise _unauthorized("only the user who started this server may change things")

    @staticmethod
    def _check_page(headers: dict[bytes, bytes]) -> None:
        site = headers.get(b"sec-fetch-site")
        if site is not None and site not in (b"same-origin", b"none"):
            raise Refusal(403, "foreign_origin", FOREIGN)
        origin = headers.get(b"origin")
        if origin is None:
            return
        try:
            authority = urlsplit(origin.decode("ascii")).netloc.lower()
        except (UnicodeDecodeError, ValueError):
            authority = ""
        if not authority or authority != headers.get(b"host", b"").decode("latin-1").lower():
            raise Refusal(403, "foreign_origin", FOREIGN)


def _is_local(scope: Any) -> bool:
    client = scope.get("client")
    return client is not None and owner.is_loopback(client[0])


def _bearer(headers: dict[bytes, bytes]) -> str | None:
    value = headers.get(b"authorization")
    if value is None:
        return None
    scheme, _, given = value.decode("latin-1").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _unknown_host() -> Refusal:
    return Refusal(
        421,
        "unknown_host",
        "this server does not answer to that Host; "
        "name it in allowedHosts of [orchestrator], or use a loopback address",
    )


def _unauthorized(why: str) -> Refusal:
    return Refusal(
        401,
        "token_required",
        f"{why}: {HOW}",
        headers=[(b"www-authenticate", b'Bearer realm="azora"')],
    )
