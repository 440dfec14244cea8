"""Which server is meant: its URL and its token, found as every verb of `azora` finds them.

| | |
|---|---|
| URL | the argument, else AZORA_URL, else ORCHESTRATOR_PORT (5000) on 127.0.0.1 |
| token | the argument, else AZORA_TOKEN, else the user's token file, for the user's own server |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from azora_orchestrator.errors import InvalidArgument
from azora_orchestrator.server import owner, tokens

_PORT = "5000"


def server_url(given: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """The URL of the server, without a slash at its end.

    Raises:
        InvalidArgument: The URL or ORCHESTRATOR_PORT is not valid.
    """
    url = given or environ.get("AZORA_URL")
    if not url:
        port = environ.get("ORCHESTRATOR_PORT") or _PORT
        if not (port.isascii() and port.isdigit() and 0 < int(port) <= 65_535):
            raise InvalidArgument(f'ORCHESTRATOR_PORT is "{port}"; it must be a port, 1 to 65535')
        url = f"http://127.0.0.1:{port}"
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise InvalidArgument(f'"{url}" is not a valid URL of a server; use http://HOST:PORT')
    return url.rstrip("/")


def given_token(given: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The token that the caller or AZORA_TOKEN names: it goes with every request.

    Raises:
        InvalidArgument: It cannot be sent in a header.
    """
    token = given or environ.get("AZORA_TOKEN") or None
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise InvalidArgument("the token is not valid: it must be printable ASCII without spaces")
    return token


def own_token(peer: object, own: object) -> str | None:
    """The token of this user, if the server at the other end of a connection runs as this user.

    Args:
        peer: The server's address, as `getpeername()` returns it.
        own: Ours, as `getsockname()` returns it.
    """
    if not (isinstance(peer, tuple) and isinstance(own, tuple)):
        return None
    if not owner.is_owner(peer[:2], own[:2]):
        return None
    return tokens.read_token()
