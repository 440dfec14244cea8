"""Who may ask, and who may change things (R45): one rule for every path.

It asks in this order: is the request meant for us (Host), does it come from a foreign web page
(Origin, Sec-Fetch-Site), and is it the owner's or does it have the token. The fast path in C++
answers only what this rule lets pass in any case: a local GET, as plain as NOT_PLAIN says, whose
Host passed here before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from azora_orchestrator._addresses import is_loopback
from azora_orchestrator._hosts import Hosts
from azora_orchestrator.errors import InvalidArgument
from azora_orchestrator.server import owner, tokens
from azora_orchestrator.server.problems import HTTPProblem

SAFE_METHODS = frozenset({"GET", "HEAD"})
# Headers that a proxy adds; one that ends with "*" stands for all that begin so.
FORWARDING = (
    b"x-forwarded*",
    b"forwarded*",
    b"via",
    b"x-real-ip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-original-*",
    b"x-envoy-*",
    b"true-client-ip",
    b"cf-connecting-ip",
)
# A request with one of these is judged here before it is answered: a proxy's, a page's (a pick may
# take a lease), and one with a body.
NOT_PLAIN = (
    *FORWARDING,
    b"origin",
    b"sec-fetch-site",
    b"content-length",
    b"transfer-encoding",
)
_FORWARDING = re.compile(
    b"|".join(re.escape(name[:-1]) + b".*" if name[-1:] == b"*" else name for name in FORWARDING)
)
_AUTHS = ("owner", "token", None)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_LEASING = "/loadbalancer/"

_SEND = "send it as `Authorization: Bearer TOKEN`"
HOW = f"the user who runs the server prints the token with `azora token`; {_SEND}"
FOREIGN = (
    "a page of another site may not change things here; a program sends neither `Origin` nor "
    f"`Sec-Fetch-Site`, and where it is not the owner's the token: {HOW}"
)


class Access:
    """The rules of one app.

    Args:
        auth: "owner" (processes of our own user need no token), "token" (every change needs it)
            or None (no question asked: for tests).
        allowed_hosts: Names a Host header may have besides the loopback ones; "*" allows any,
            "ip" any numeric address (which no rebound name can be).

    Raises:
        InvalidArgument: There is no such `auth`, or a host could never match.
    """

    def __init__(self, auth: str | None, allowed_hosts: Iterable[str] | None) -> None:
        if auth not in _AUTHS:
            raise InvalidArgument(f'auth is {auth!r}; it must be "owner", "token" or None')
        self.auth = auth
        self.hosts = Hosts(allowed_hosts)
        if auth is None:
            for name in ("testserver", "test"):  # the host names of test clients
                self.hosts.add(name)
        self.known_hosts: set[bytes] = set()  # Host headers that passed; their number is bounded

    def check(self, scope: Any, *, unsafe: bool) -> None:
        """Lets a request pass, or refuses it.

        Raises:
            HTTPProblem: 400, 401, 403 or 421, with what to do about it.
        """
        self._check_host(scope)
        if unsafe or _takes_lease(scope):
            _check_page(scope)
        if self.auth is not None and (unsafe or not _is_local(scope)):  # reads are open there
            self._check_caller(scope, unsafe=unsafe)

    def _check_host(self, scope: Any) -> None:
        """Refuses a request that is meant for another host (DNS rebinding)."""
        target = scope.get("azora.target_host")  # of a request in absolute form
        if target is not None and not self.hosts.allows(target.decode("latin-1")):
            raise _unknown_host()
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and hosts[0] in self.known_hosts:
            return
        if not hosts:
            if scope.get("http_version", "1.1") != "1.0":
                raise HTTPProblem(400, "invalid_request", "the Host header is missing")
            return
        if len(hosts) > 1:
            raise HTTPProblem(400, "invalid_request", "there is more than one Host header")
        if not self.hosts.allows(hosts[0].decode("latin-1")):
            raise _unknown_host()
        if len(self.known_hosts) < 64:
            self.known_hosts.add(hosts[0])

    def _check_caller(self, scope: Any, *, unsafe: bool) -> None:
        """Refuses callers without a right; changes, and reads that are off loopback, need one."""
        bearer = _bearer(scope)
        if bearer is not None:
            if tokens.is_token(bearer):
                return
            raise _unauthorized("this token is not the server's", scope)
        if _is_forwarded(scope):
            raise _unauthorized("a forwarded request needs a token", scope)
        if not _is_local(scope):
            who = "a caller" if unsafe else "a reader"
            raise _unauthorized(f"{who} on another machine needs a token", scope)
        if self.auth == "token":
            raise _unauthorized("this server requires a token for every change", scope)
        client, server = scope["client"], scope.get("server")
        if not owner.is_owner(tuple(client[:2]), tuple(server[:2]) if server else None):
            raise _unauthorized("only the user who started this server may change things", scope)


def _check_page(scope: Any) -> None:
    """Refuses what a page of another site asks; http and https are two sites."""
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None and site not in (b"same-origin", b"none"):
        raise HTTPProblem(403, "foreign_origin", FOREIGN)
    origin = headers.get(b"origin")
    if origin is None:
        return
    scheme: str = scope.get("scheme", "http")
    host = headers.get(b"host", b"").decode("latin-1").lower()
    usual = _DEFAULT_PORTS.get(scheme, "")
    ours = f"{scheme}://{host.removesuffix(usual)}"
    if not host or origin.decode("latin-1").lower().removesuffix(usual) != ours:
        raise HTTPProblem(403, "foreign_origin", FOREIGN)


def _takes_lease(scope: Any) -> bool:
    """Whether a read changes something: a pick with a lease counts as load for a while."""
    query = scope.get("query_string", b"")
    if not query or _LEASING not in scope["path"]:
        return False
    try:
        asked = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=64)
    except ValueError:  # too many; the route says so
        return True
    return any(name == "lease" and value == "auto" for name, value in asked)


def _is_forwarded(scope: Any) -> bool:
    return any(_FORWARDING.fullmatch(name) for name, _ in scope["headers"])


def _is_local(scope: Any) -> bool:
    """Whether the caller is on this machine; behind a proxy that is not known."""
    client = scope.get("client")
    return client is not None and is_loopback(client[0]) and not _is_forwarded(scope)


def _bearer(scope: Any) -> str | None:
    value = dict(scope["headers"]).get(b"authorization")
    if value is None:
        return None
    scheme, _, given = value.decode("latin-1").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _unknown_host() -> HTTPProblem:
    return HTTPProblem(
        421,
        "unknown_host",
        "this server does not answer to that Host; use a loopback address, or start it with the "
        "name in `allowed_hosts` (`allowedHosts` of [orchestrator] in a file)",
    )


def _unauthorized(why: str, scope: Any) -> HTTPProblem:
    how = f"{tokens.whereabouts()}; {_SEND}" if _is_local(scope) else HOW
    return HTTPProblem(
        401,
        "token_required",
        f"{why}: {how}",
        headers=[(b"www-authenticate", b'Bearer realm="azora"')],
    )
