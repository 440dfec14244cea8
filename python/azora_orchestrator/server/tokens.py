"""The token of this user's servers: one file, readable by that user alone."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

_FILE = "token"


def runtime_dir() -> Path:
    """The folder of the token: $XDG_RUNTIME_DIR/azora, else /tmp/azora-UID."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.path.isdir(base) and os.access(base, os.W_OK):
        return Path(base) / "azora"
    return Path("/tmp") / f"azora-{os.geteuid()}"  # noqa: S108 (checked by _is_private)


def _is_private(path: Path, kind: int) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_IFMT(found.st_mode) == kind
        and found.st_uid == os.geteuid()
        and not found.st_mode & 0o077
    )


def read_token() -> str | None:
    """AZORA_TOKEN, else the content of the token file; None if no token can be trusted."""
    given = os.environ.get("AZORA_TOKEN")
    if given:
        return given
    folder = runtime_dir()
    path = folder / _FILE
    if not (_is_private(folder, stat.S_IFDIR) and _is_private(path, stat.S_IFREG)):
        return None
    try:
        return path.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None


def ensure_token() -> str:
    """The token; makes one if there is none.

    Raises:
        PermissionError: Another user owns the folder of the token.
    """
    found = read_token()
    if found:
        return found
    folder = runtime_dir()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private(folder, stat.S_IFDIR):
        raise PermissionError(f"{folder} is not private to this user; remove it and try again")
    token = secrets.token_urlsafe(32)
    fresh = folder / f".{_FILE}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    try:
        os.link(fresh, folder / _FILE)  # never replaces a token that another server has just made
    except FileExistsError:
        if read_token() is None:
            os.replace(fresh, folder / _FILE)
            return token
    os.unlink(fresh)
    return read_token() or token


def is_token(given: str) -> bool:
    """Whether `given` is the token; the comparison takes the same time for every wrong one."""
    token = read_token()
    return token is not None and hmac.compare_digest(given.encode(), token.encode())
