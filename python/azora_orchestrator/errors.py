"""Every error of this package, distinguished by class or by code, never by message.

::

    AzoraError
    ├── InvalidSpec            invalid_spec         400   also a ValueError; see .faults
    ├── InvalidJson            invalid_json         400   also a ValueError
    ├── InvalidArgument        invalid_argument     400   also a ValueError
    ├── DependencyCycle        dependency_cycle     400   the message has the path
    ├── PoolConflict           pool_conflict        400   a group has the name of a type
    ├── ExecForbidden          exec_forbidden       403   a command to run came over REST
    ├── UnknownService         unknown_service      404   also a LookupError
    ├── NoHealthyInstance      no_healthy_instance  503   nothing eligible in the pool
    ├── HealingUnavailable     healing_unavailable  409   we have no action for this service
    ├── NotComing              not_coming           409   what is waited for cannot become so
    ├── NotRunning             not_running          503   the orchestrator is stopped
    ├── TimedOut               timed_out            504   also a TimeoutError
    ├── OrchestratorClosed     closed               503   close() was called
    ├── LimitReached           limit_reached        429   the message names the limit
    ├── KeeperFailed           keeper_failed        500   the keeper could not be started
    ├── StorageFailed          storage_failed       503   the store could not be written or read
    ├── StorageFull            storage_full         507   the store has no room
    ├── InternalError          internal             500   our bug
    ├── ForkedHandle           forked_handle        500   the handle is of the parent process
    ├── ServerUnreachable      unreachable          503   Client: no server answers at that URL
    └── AccessDenied           access_denied        401   Client: the server asks for a token
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from azora_orchestrator import _core

__all__ = [
    "ERRORS",
    "AccessDenied",
    "AzoraError",
    "DependencyCycle",
    "ErrorRow",
    "ExecForbidden",
    "Fault",
    "ForkedHandle",
    "HealingUnavailable",
    "InternalError",
    "InvalidArgument",
    "InvalidJson",
    "InvalidSpec",
    "KeeperFailed",
    "LimitReached",
    "NoHealthyInstance",
    "NotComing",
    "NotRunning",
    "OrchestratorClosed",
    "PoolConflict",
    "ServerUnreachable",
    "StorageFailed",
    "StorageFull",
    "TimedOut",
    "UnknownService",
    "error_from_code",
]


class Fault(NamedTuple):
    """One thing wrong with one field: `healthCheck.timeout`, `is 0; it must be ..`."""

    field: str
    message: str


class AzoraError(_core.CoreError):
    """Base of all errors of this package."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    message: str
    faults: tuple[Fault, ...]
    problem: Mapping[str, Any] | None = None
    """The whole answer (problem+json), when a `Client` raised this for what a server said."""

    def __init__(self, message: str = "", faults: Sequence[tuple[str, str]] = ()) -> None:
        # By name: for TimedOut, OSError would come first and read the arguments as errno and text.
        Exception.__init__(self, self.code, message, list(faults))
        self.message = message
        self.faults = tuple(Fault(*fault) for fault in faults)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.faults)


class InvalidSpec(AzoraError, ValueError):
    """A service is described wrongly; nothing was changed. `faults` names every fault."""

    code = "invalid_spec"
    status = 400


class InvalidJson(AzoraError, ValueError):
    """A text is not acceptable JSON."""

    code = "invalid_json"
    status = 400


class InvalidArgument(AzoraError, ValueError):
    """A parameter of a call is wrong."""

    code = "invalid_argument"
    status = 400


class DependencyCycle(AzoraError):
    """The registration would close a cycle of dependencies."""

    code = "dependency_cycle"
    status = 400


class PoolConflict(AzoraError):
    """An explicit group has the name of a type in use, or the reverse."""

    code = "pool_conflict"
    status = 400


class ExecForbidden(AzoraError):
    """A command to run came in a request."""

    code = "exec_forbidden"
    status = 403


class UnknownService(AzoraError, LookupError):
    """There is no service with this id."""

    code = "unknown_service"
    status = 404


class NoHealthyInstance(AzoraError):
    """Nothing in the pool may be picked at this moment."""

    code = "no_healthy_instance"
    status = 503


class HealingUnavailable(AzoraError):
    """The service has only a URL, so Azora cannot start, stop or restart it."""

    code = "healing_unavailable"
    status = 409


class NotComing(AzoraError):
    """What is waited for cannot become so without an operator; the message has the reason."""

    code = "not_coming"
    status = 409


class NotRunning(AzoraError):
    """The orchestrator is stopped; `start()` it."""

    code = "not_running"
    status = 503


class TimedOut(AzoraError, TimeoutError):
    """What was waited for did not happen within `timeout_ms`."""

    code = "timed_out"
    status = 504


class OrchestratorClosed(AzoraError):
    """The orchestrator was closed."""

    code = "closed"
    status = 503


class LimitReached(AzoraError):
    """A documented limit was reached; the message names it."""

    code = "limit_reached"
    status = 429


class KeeperFailed(AzoraError):
    """The keeper of the processes could not be started or reached."""

    code = "keeper_failed"
    status = 500


class StorageFailed(AzoraError):
    """The store failed: a change may be in effect, but would not survive a crash."""

    code = "storage_failed"
    status = 503


class StorageFull(AzoraError):
    """The store has no room: a change may be in effect, but would not survive a crash."""

    code = "storage_full"
    status = 507


class InternalError(AzoraError):
    """A bug of ours."""


class ForkedHandle(AzoraError):
    """The handle was made before `os.fork()` and belongs to the parent process."""

    code = "forked_handle"
    status = 500


class ServerUnreachable(AzoraError, ConnectionError):
    """No Azora server responds at the URL of the `Client`."""

    code = "unreachable"
    status = 503


class AccessDenied(AzoraError, PermissionError):
    """The server does not let this `Client` do it; the message says what it takes."""

    code = "access_denied"
    status = 401


class ErrorRow(NamedTuple):
    """One row of the table of errors: class, code on the wire, REST status."""

    error: type[AzoraError]
    code: str
    status: int


ERRORS: tuple[ErrorRow, ...] = tuple(
    ErrorRow(error, error.code, error.status)
    for error in (
        InvalidSpec,
        InvalidJson,
        InvalidArgument,
        DependencyCycle,
        PoolConflict,
        ExecForbidden,
        UnknownService,
        NoHealthyInstance,
        HealingUnavailable,
        NotComing,
        NotRunning,
        TimedOut,
        OrchestratorClosed,
        LimitReached,
        KeeperFailed,
        StorageFailed,
        StorageFull,
        InternalError,
        ForkedHandle,
        ServerUnreachable,
        AccessDenied,
    )
)

_BY_CODE = {row.code: row.error for row in ERRORS}


def error_from_code(code: str, message: str, faults: Sequence[tuple[str, str]] = ()) -> AzoraError:
    """Make the error that has `code`; an unknown code is an `InternalError`."""
    return _BY_CODE.get(code, InternalError)(message, faults)


_core.set_error_factory(error_from_code)
