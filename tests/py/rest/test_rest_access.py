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

from azora_orchestrator import InvalidArgument, MasterOrchestrator
from azora_orchestrator._hosts import Hosts
from azora_orchestrator.server import create_app, owner, tokens
from azora_orchestrator.server.access import Access
from azora_orchestrator.server.problems import HTTPProblem

SPEC = {"id": "a", "type": "core", "endpoint": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AZORA_TOKEN_FILE", str(tmp_path / "azora" / "token"))
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
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/health", "/services/a", "/status", "/events", "/no/path"])
def test_a_forwarded_read_needs_the_token_on_every_path(
    method: str, path: str, serve: Callable[..., Any]
) -> None:
    api = serve()
    assert api.register(SPEC).status == 200
    assert api.get("/health").status == 200  # its Host is known from here on
    for header in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP"):
        refused = api.ask(method, path, headers={header: "203.0.113.9"})
        assert (refused.status, refused.headers["WWW-Authenticate"]) == (
            401,
            'Bearer realm="azora"',
        ), header
        assert b"azora/token" not in refused.body  # no path of ours for the world
    bearer = {"Via": "1.1 proxy", "Authorization": f"Bearer {tokens.ensure_token()}"}
    if path in ("/health", "/services/a", "/status"):
        assert api.ask(method, path, headers=bearer).status == 200


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
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "ftp://127.0.0.1:{port}"},
        {"Origin": "127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:{port}/"},
    ],
)
def test_a_foreign_page_changes_nothing(headers: dict[str, str], serve: Callable[..., Any]) -> None:
    api = serve(auth=None)
    headers = {name: value.replace("{port}", str(api.port)) for name, value in headers.items()}
    answer = api.ask("POST", "/orchestrator/stop", headers=headers)
    assert (answer.status, answer.json["code"]) == (403, "foreign_origin")
    assert "azora token" in answer.json["error"]


@pytest.mark.native
def test_a_foreign_page_is_refused_with_the_token_too_and_told_why(
    serve: Callable[..., Any],
) -> None:
    bearer = {"Authorization": f"Bearer {tokens.ensure_token()}"}
    api = serve(auth="token")
    refused = api.ask(
        "POST", "/orchestrator/stop", headers=bearer | {"Origin": "http://evil.example"}
    )
    assert refused.status == 403
    assert "sends neither `Origin` nor `Sec-Fetch-Site`" in refused.json["error"]
    assert api.ask("POST", "/orchestrator/stop", headers=bearer).status == 200


@pytest.mark.native
@pytest.mark.parametrize("query", ["lease=auto", "key=1&lease=auto", "%6Cease=%61uto"])
@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}], ids=str
)
def test_a_foreign_page_takes_no_lease(
    query: str, headers: dict[str, str], serve: Callable[..., Any], orch: MasterOrchestrator
) -> None:
    api = serve()
    api.register(SPEC)
    refused = api.ask("GET", f"/loadbalancer/core?{query}", headers=headers)
    assert (refused.status, refused.json["code"]) == (403, "foreign_origin")
    assert "azora_leases_taken_total 0" in orch.metrics()
    # A pick that counts nothing may be asked, though no page can read the response.
    assert api.ask("GET", "/loadbalancer/core?lease=none", headers=headers).status == 503
    assert api.ask("GET", f"/loadbalancer/core?{query}").status == 503


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
    own = serve(allowed_hosts=["box.example", "2001:db8::5", "[2001:DB8::6]", "192.0.2.7"])
    for name in ("box.example:80", "[2001:db8::5]:5000", "[2001:db8:0::6]", "192.0.2.7:1"):
        assert own.ask("GET", "/health", headers={"Host": name}).status == 200, name
    for name in ("[2001:db8::7]", "192.0.2.8", "x.box.example"):
        assert own.ask("GET", "/health", headers={"Host": name}).status == 421, name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("box.example", r"it must be a list: \['box.example'\]"),
        (["*.example.com"], r'"\*\.example\.com": wildcards are not supported'),
        (["box.example:80"], "it is not a host name"),
        (["http://box.example"], "it is not a host name"),
        ([""], "it is not a host name"),
        ([5], "5 is not a string"),
    ],
)
def test_a_host_that_could_never_match_is_refused(given: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        create_app(None, allowed_hosts=given)


def test_any_host_and_any_address() -> None:
    assert Hosts(["*"]).allows("evil.example")
    assert Hosts(["ip"]).allows("[2001:db8::1]:80")
    assert not Hosts(["ip"]).allows("evil.example")


def origin_passes(scheme: str, host: bytes, origin: bytes) -> bool:
    headers = [(b"host", host), (b"origin", origin)]
    scope = {"type": "http", "scheme": scheme, "headers": headers, "path": "/", "query_string": b""}
    try:
        Access(None, ["box.example"]).check(scope, unsafe=True)
    except HTTPProblem as refusal:
        return refusal.code != "foreign_origin"
    return True


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "passes"),
    [
        ("http", b"box.example", b"http://box.example", True),
        ("http", b"box.example:80", b"http://box.example", True),
        ("http", b"BOX.example", b"http://box.example:80", True),
        ("https", b"box.example:443", b"https://box.example", True),
        ("https", b"box.example", b"https://box.example", True),
        ("https", b"box.example", b"http://box.example", False),
        ("http", b"box.example", b"https://box.example", False),
        ("http", b"box.example:443", b"https://box.example", False),
        ("http", b"box.example:8080", b"http://box.example", False),
        ("http", b"box.example", b"http://box.example.evil.example", False),
        ("http", b"box.example", b"http://\xff", False),
        ("http", b"[::1]:5000", b"http://[::1]:5000", True),
    ],
)
def test_an_origin_counts_with_its_scheme(
    scheme: str, host: bytes, origin: bytes, passes: bool
) -> None:
    assert origin_passes(scheme, host, origin) is passes


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
    with pytest.raises(InvalidArgument, match=r'auth is "nobody"|auth is \'nobody\''):
        create_app(None, auth="nobody")


@pytest.mark.native
def test_a_local_caller_is_told_which_file_has_the_token(
    serve: Callable[..., Any], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = serve(auth="token")
    refused = api.ask("POST", "/orchestrator/start")
    assert refused.status == 401
    assert f"the token is in {runtime}/azora/token" in refused.json["error"]
    assert not (runtime / "azora").exists()  # nothing is made for a refused caller
    monkeypatch.setenv("AZORA_TOKEN", "s3cret")
    refused = api.ask("POST", "/orchestrator/start")
    assert "the token is what AZORA_TOKEN held" in refused.json["error"]
    assert "s3cret" not in refused.json["error"]
    bearer = {"Authorization": "Bearer s3cret"}
    assert api.ask("POST", "/orchestrator/start", headers=bearer).status == 200


def test_the_token_lies_in_one_place_whatever_the_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AZORA_TOKEN_FILE")
    places = set()
    for base in (None, str(tmp_path), "/run/user/1"):
        for name in ("XDG_RUNTIME_DIR", "HOME", "TMPDIR"):
            if base is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, base)
        places.add(tokens.token_file())
    assert places == {Path(f"/tmp/azora-{os.geteuid()}/token")}


def test_a_folder_others_can_write_to_holds_no_token(runtime: Path) -> None:
    folder = runtime / "azora"
    first = tokens.ensure_token()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert tokens.read_token() is None
    with pytest.raises(PermissionError, match="is not private to this user"):
        tokens.ensure_token()
    folder.chmod(0o755)  # others can look, but put nothing there
    assert tokens.ensure_token() == first
    assert [file.name for file in folder.iterdir()] == ["token"]


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
