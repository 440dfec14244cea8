"""The CLI's way to a running server: one small HTTP client, standard library only."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from collections.abc import Generator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from azora_orchestrator.server import owner, tokens

# Exit codes of every verb.
OK, UNHEALTHY, USAGE, UNREACHABLE = 0, 1, 2, 3

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0


class Failure(Exception):
    """A verb that ends with a message and an exit code."""

    def __init__(self, exit_code: int, message: str, body: Any = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.body = body


def server_url(given: str | None) -> str:
    """`--url`, else AZORA_URL, else ORCHESTRATOR_PORT on loopback."""
    url = given or os.environ.get("AZORA_URL")
    if not url:
        port = os.environ.get("ORCHESTRATOR_PORT") or "5000"
        if not port.isdigit():
            raise Failure(USAGE, f'ORCHESTRATOR_PORT is "{port}"; it must be a port')
        url = f"http://127.0.0.1:{port}"
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise Failure(USAGE, f'"{url}" is no URL of a server; use http://HOST:PORT')
    return url.rstrip("/")


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _own_token(connection: http.client.HTTPConnection) -> str | None:
    """The token, if this is a server of this user: no other user's process may get it."""
    if os.environ.get("AZORA_TOKEN") or connection.sock is None:
        return None
    peer, own = connection.sock.getpeername()[:2], connection.sock.getsockname()[:2]
    return tokens.read_token() if owner.is_owner(peer, own) else None


class Client:
    """Talks to one server.

    Fails: with Failure, whose exit code tells unreachable (3) from refused (1 or 2).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._parts = urlsplit(url)

    def get(self, *path: str, **query: Any) -> Any:
        """The JSON of a read."""
        return self._json("GET", path, query)

    def post(self, *path: str, seconds: float = _ANSWER_SECONDS, **query: Any) -> Any:
        """The JSON of a change; `seconds` is how long the answer may take."""
        return self._json("POST", path, query, seconds)

    def seq(self) -> int:
        """The number of the last event."""
        response, connection = self._ask("GET", ("healthz",), {}, {}, _ANSWER_SECONDS)
        with contextlib.closing(connection):
            text = response.headers.get("Azora-Seq", "")
        if not text.isdigit():
            raise Failure(UNREACHABLE, f"{self.url} does not answer as Azora does")
        return int(text)

    def _json(
        self,
        method: str,
        path: tuple[str, ...],
        query: dict[str, Any],
        seconds: float = _ANSWER_SECONDS,
    ) -> Any:
        response, connection = self._ask(method, path, query, {}, seconds)
        try:
            return json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Failure(
                UNREACHABLE, f"{self.url} does not answer as Azora does: {error}"
            ) from None
        finally:
            connection.close()

    def lines(
        self, *path: str, headers: dict[str, str] | None = None, **query: Any
    ) -> Generator[str]:
        """The lines of an answer that may never end."""
        response, connection = self._ask("GET", path, query, headers or {}, None)
        try:
            for line in response:
                yield line.decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            raise Failure(UNREACHABLE, f"{self.url} went away") from None
        finally:
            connection.close()

    def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        query: dict[str, Any],
        headers: dict[str, str],
        seconds: float | None,
    ) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        target = self._parts.path + "/" + "/".join(quote(part, safe="@") for part in path)
        asked = {name: value for name, value in query.items() if value is not None}
        if asked:
            target += "?" + urlencode(asked, doseq=True)
        connection = self._connection()
        try:
            connection.connect()
            connection.sock.settimeout(seconds)
            given = os.environ.get("AZORA_TOKEN")
            connection.request(method, target, headers={**_bearer(given), **headers})
            response = connection.getresponse()
            if response.status == 401 and (own := _own_token(connection)):
                response.read()
                connection.request(method, target, headers={**_bearer(own), **headers})
                response = connection.getresponse()
            if response.status < 400:
                return response, connection
            refusal = self._refused(response.status, path, response.read())
        except socket.gaierror as error:
            raise Failure(UNREACHABLE, f"{self.url}: {error.strerror}") from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Failure(
                UNREACHABLE,
                f"no server answers at {self.url} ({said}); start one with `azora serve`",
            ) from None
        connection.close()
        raise refusal

    def _connection(self) -> http.client.HTTPConnection:
        https = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
        host = self._parts.hostname or ""
        return kind(host, self._parts.port, timeout=_CONNECT_SECONDS)

    def _refused(self, status: int, path: tuple[str, ...], raw: bytes) -> Failure:
        try:
            body = json.loads(raw)
            message = str(body["error"])
        except (ValueError, KeyError, TypeError):
            return Failure(
                UNREACHABLE, f"{self.url} does not answer as Azora does (HTTP status {status})"
            )
        usage = status in (400, 401, 403, 404, 413, 415, 421)
        if body.get("code") == "unknown_service" and len(path) > 1:
            message = f'there is no service "{path[1]}" at {self.url}; `azora services` lists them'
        return Failure(USAGE if usage else UNHEALTHY, message, body)
