"""Who may ask and who may change things (R40, R45, R46b)."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app, owner, tokens

SPEC = {"id": "a", "type": "core", "endpoint": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("AZORA_TOKEN", raising=False)
    return tmp_path


@pytest.fixture
def connected() -> Iterator[Callable[[str], tuple[socket.socket, socket.socket]]]:
    """Both ends of a loopback connection: the client's and the server's."""
    made: list[socket.socket] = []

    def connect(host: str) -> tuple[socket.socket, socket.socket]:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, 0), family=family) as listener:
            client = socket.create_connection(listener.getsockname()[:2])
            server, _ = listener.accept()
        made.extend((client, server))
        return client, server

    yield connect
    for one in made:
        one.close()


def ends(server: socket.socket) -> tuple[tuple[str, int], tuple[str, int]]:
    return server.getpeername()[:2], server.getsockname()[:2]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1"])
def test_the_kernel_names_the_owner_of_a_connection(host: str, connected: Any) -> None:
    try:
        _, server = connected(host)
    except OSError:
        pytest.skip(f"{host} is not there")
    assert owner.peer_uid(*ends(server)) == os.geteuid()
    assert owner.is_owner(*ends(server))


def test_an_ipv4_client_inside_ipv6_is_found(connected: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try:
            client = socket.socket(socket.AF_INET6)
        except OSError:
            pytest.skip("no IPv6")
        with client:
            client.connect(("::ffff:127.0.0.1", listener.getsockname()[1]))
            server, _ = listener.accept()
            with server:
                assert owner.is_owner(*ends(server))


def test_a_closed_client_is_nobody(connected: Any) -> None:
    client, server = connected("127.0.0.1")
    peer, own = ends(server)
    client.close()
    assert owner.peer_uid(peer, own) is None
    assert not owner.is_owner(peer, own)


def test_a_tuple_that_is_no_connection_is_nobody(connected: Any) -> None:
    _, server = connected("127.0.0.1")
    peer, own = ends(server)
    assert owner.peer_uid((peer[0], 1), own) is None
    assert owner.peer_uid(("127.0.0.2", peer[1]), own) is None
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # Only a listener bears this local end: it is not the other end of anything.
        assert owner.peer_uid(listening.getsockname(), own) is None
    assert not owner.is_owner(("10.0.0.1", 5), own)
    assert not owner.is_owner(None, own)


def test_the_overflow_uid_and_others_are_never_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert owner.is_ours(os.geteuid())
    assert not owner.is_ours(os.geteuid() + 1)
    assert not owner.is_ours(None)
    monkeypatch.setattr(os, "geteuid", lambda: 65_534)
    assert not owner.is_ours(65_534)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not owner.is_ours(0)


@pytest.mark.native
def test_the_owner_needs_no_token(serve: Callable[..., Any]) -> None:
    assert serve().register(SPEC).status == 200


@pytest.mark.native
@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP"]
)
def test_a_forwarded_request_is_not_the_owners(header: str, serve: Callable[..., Any]) -> None:
    answer = serve().ask("DELETE", "/services/a", headers={header: "1"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "azora token" in answer.json["error"]


@pytest.mark.native
def test_somebody_else_needs_a_token(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = serve()
    monkeypatch.setattr(owner, "peer_uid", lambda *_: 4711)
    assert api.ask("POST", "/orchestrator/start").status == 401
    assert api.get("/status").status == 200
    bearer = {"Authorization": f"Bearer {tokens.ensure_token()}"}
    assert api.ask("POST", "/orchestrator/start", headers=bearer).status == 200
    wrong = {"Authorization": "Bearer x"}
    assert api.ask("POST", "/orchestrator/start", headers=wrong).status == 401


@pytest.mark.native
def test_auth_token_asks_everybody(serve: Callable[..., Any]) -> None:
    api = serve(auth="token")
    assert api.ask("POST", "/orchestrator/start").status == 401
    assert api.get("/status").status == 200
    bearer = {"Authorization": f"bearer {tokens.ensure_token()}"}
    assert api.ask("POST", "/orchestrator/start", headers=bearer).status == 200


@pytest.mark.native
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_foreign_page_changes_nothing(headers: dict[str, str], serve: Callable[..., Any]) -> None:
    answer = serve(auth=None).ask("POST", "/orchestrator/stop", headers=headers)
    assert (answer.status, answer.json["code"]) == (403, "foreign_origin")
    assert "azora token" in answer.json["error"]


@pytest.mark.native
def test_a_page_of_ours_may(serve: Callable[..., Any]) -> None:
    api = serve()
    headers = {"Origin": f"http://127.0.0.1:{api.port}", "Sec-Fetch-Site": "same-origin"}
    assert api.ask("POST", "/orchestrator/start", headers=headers).status == 200


@pytest.mark.native
def test_an_unknown_host_is_421(serve: Callable[..., Any]) -> None:
    api = serve()
    for name in ("evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost:5000@evil", ""):
        assert api.ask("GET", "/health", headers={"Host": name}).status == 421, name
    for name in ("localhost", "LOCALHOST:5000", "127.0.0.1:9", "[::1]:5000", "a.localhost"):
        assert api.ask("GET", "/health", headers={"Host": name}).status == 200, name
    own = serve(allowed_hosts=["box.example"])
    assert own.ask("GET", "/health", headers={"Host": "box.example:80"}).status == 200


@pytest.mark.native
def test_http_1_0_without_host_passes(serve: Callable[..., Any]) -> None:
    with socket.create_connection(("127.0.0.1", serve().port), timeout=10) as raw:
        raw.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert raw.makefile("rb").readline().split()[1] == b"200"


@pytest.mark.native
def test_no_answer_allows_other_origins(serve: Callable[..., Any]) -> None:
    api = serve()
    for method in ("GET", "OPTIONS"):
        answer = api.ask(method, "/status", headers={"Origin": "http://evil.example"})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.native
def test_it_mounts_into_another_app(
    orch: MasterOrchestrator, serve_app: Callable[[Any], Any]
) -> None:
    outer = FastAPI()

    @outer.get("/mine")
    def mine() -> dict[str, bool]:
        return {"mine": True}

    outer.mount("/fleet", create_app(orch, auth=None))
    api = serve_app(outer)
    assert api.get("/mine").json == {"mine": True}
    assert api.get("/fleet/health").json["status"] == "ok"
    assert api.get("/fleet/status/detailed").json["totalServices"] == 0
    body = '{"id":"a","type":"core","endpoint":"http://127.0.0.1:1"}'
    headers = {"Content-Type": "application/json"}
    assert api.ask("POST", "/fleet/services/register/", body, headers).status == 200
    assert api.get("/fleet/services/a").json["config"]["id"] == "a"
    assert api.get("/fleet/none").json["code"] == "not_found"
    assert api.get("/fleet/none").json["error"].endswith("see /fleet/docs")
    assert api.get("/fleet/openapi.json").json["servers"] == [{"url": "/fleet"}]
    with api.stream("/fleet/events?since=0") as frames:
        assert next(frames)["event"] == "serviceRegistered"


def test_a_wrong_auth_is_refused() -> None:
    with pytest.raises(ValueError, match="auth"):
        create_app(None, auth="nobody")


def test_the_token_is_private_and_made_once(runtime: Path) -> None:
    first = tokens.ensure_token()
    assert tokens.ensure_token() == first
    file = runtime / "azora" / "token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert tokens.is_token(first)
    assert not tokens.is_token(first + "x")
    file.chmod(0o644)
    assert tokens.read_token() is None  # anybody may have read it, so it proves nothing
    assert not tokens.is_token(first)
    assert tokens.ensure_token() != first


ASK = """
import http.client, sys
for method, path in (("POST", "/orchestrator/start"), ("GET", "/status")):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
    connection.request(method, path)
    print(connection.getresponse().status)
"""


@pytest.mark.native
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_process_of_another_user_needs_a_token(serve: Callable[..., Any]) -> None:
    done = subprocess.run(
        ["python3", "-S", "-c", ASK, str(serve().port)],
        user=4711,
        group=4711,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"no Python that another user can run: {done.stderr}")
    assert done.stdout.split() == ["401", "200"]
