"""The token of this user's servers: one file, readable by that user alone.

It lies in one place, whatever the environment of a session is: a server that cron, sudo or a unit
started reads the same file as `azora token` in a shell.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

TOKEN_VARIABLE = "AZORA_TOKEN"  # noqa: S105 (its name)
FILE_VARIABLE = "AZORA_TOKEN_FILE"


def token_file() -> Path:
    """Where the token is: $AZORA_TOKEN_FILE, else /tmp/azora-UID/token."""
    given = os.environ.get(FILE_VARIABLE)
    if given:
        return Path(given)
    return Path("/tmp") / f"azora-{os.geteuid()}" / "token"  # noqa: S108 (checked by _is_private)


def whereabouts() -> str:
    """For a caller on this machine: where the token of this server is to be found."""
    if os.environ.get(TOKEN_VARIABLE):
        return f"the token is what {TOKEN_VARIABLE} held when this server was started"
    return (
        f"the token is in {token_file()}; the user who runs the server prints it with `azora token`"
    )


def _is_private_folder(path: Path) -> bool:
    """Whether only our user (and root) can put files there."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid in (os.geteuid(), 0)
        and not found.st_mode & 0o022
    )


def _is_private_file(path: Path) -> bool:
    """Whether only our user (and root) can have read it or written to it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    )


def read_token() -> str | None:
    """AZORA_TOKEN, else the content of the token file; None if no token can be trusted."""
    given = os.environ.get(TOKEN_VARIABLE)
    if given:
        return given
    path = token_file()
    if not (_is_private_folder(path.parent) and _is_private_file(path)):
        return None
    try:
        return path.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None


def ensure_token() -> str:
    """The token; makes one if there is none.

    Raises:
        OSError: There is no room for it, or others can write to its folder.
    """
    found = read_token()
    if found:
        return found
    path = token_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private_folder(path.parent):
        raise PermissionError(f"{path.parent} is not private to this user; remove it and try again")
    token = secrets.token_urlsafe(32)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
        os.link(fresh, path)  # never replaces a token that another server has just made
    except FileExistsError:
        if read_token() is None:
            os.replace(fresh, path)
            return token
    finally:
        fresh.unlink(missing_ok=True)
    return read_token() or token


def is_token(given: str) -> bool:
    """Whether `given` is the token; the comparison takes the same time for every wrong one."""
    token = read_token()
    return token is not None and hmac.compare_digest(given.encode(), token.encode())
