"""The parameters that routes share, with their bounds, and what is said about a wrong one.

Each is parsed and judged before a route runs: nothing is begun for a request that is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

from annotated_types import GroupedMetadata
from fastapi import Path
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticUseDefault

from azora_orchestrator._moments import MOMENT_RULE, moment_of, span_of_cursor
from azora_orchestrator.server.problems import HTTPProblem
from azora_orchestrator.vocabulary import EVENT_TYPES, STRATEGIES

MAX_PARAMETERS = 64
MAX_WAIT_MS = 600_000
MAX_HORIZON_MS = 2**31 - 1
MAX_LINES = 10_000
MAX_PAGE = 10_000
MAX_EVENT_NUMBER = 2**63 - 1

_TRUE = ("1", "true", "yes")
_FALSE = ("", "0", "false", "no")


def _rule(rule: str) -> PydanticCustomError:
    return PydanticCustomError("rule", "it must be {rule}", {"rule": rule})


def _read_flag(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise _rule("1 or 0")


class Rule(GroupedMetadata):
    """How a parameter's text is read, and what the OpenAPI document says of it."""

    def __init__(self, read: Callable[[Any], Any], schema: dict[str, Any]) -> None:
        self._parts = (BeforeValidator(read), WithJsonSchema(schema))

    def __iter__(self) -> Iterator[object]:
        return iter(self._parts)


def whole_number(low: int, high: int) -> Rule:
    """A whole number from `low` to `high`; an empty text is the default."""
    rule = f"{low} to {high}"

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not value:
            raise PydanticUseDefault
        # int() takes more than digits, and refuses thousands of them with an error of its own.
        if not (value.isascii() and value.isdigit() and len(value) <= 40):
            raise _rule(rule)
        if not low <= int(value) <= high:
            raise _rule(rule)
        return int(value)

    return Rule(read, {"type": "integer", "minimum": low, "maximum": high})


def word(*words: str) -> Rule:
    """A text that is one of these words; an empty text is the default."""

    def read(value: Any) -> Any:
        if value == "":
            raise PydanticUseDefault
        if isinstance(value, str) and value not in words:
            raise _rule(" or ".join(words))
        return value

    return Rule(read, {"type": "string", "enum": list(words)})


def _read_token(value: Any) -> Any:
    if value == "":
        return None
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9]{1,32}", value):
        raise _rule("1 to 32 letters and digits")
    return value


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


def _read_moment(value: Any) -> Any:
    if value == "":
        return None
    if isinstance(value, str) and moment_of(value, 0) is None:
        raise _rule(MOMENT_RULE)
    return value


def _read_cursor(value: Any) -> Any:
    if value == "":
        return None
    if isinstance(value, str) and span_of_cursor(value) is None:
        raise _rule("the `next` of the page before")
    return value


Flag = Annotated[bool, BeforeValidator(_read_flag), WithJsonSchema({"type": "boolean"})]
Text = Annotated[str | None, BeforeValidator(_empty_is_none), WithJsonSchema({"type": "string"})]
Token = Annotated[
    str | None,
    BeforeValidator(_read_token),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9]{1,32}$"}),
]
# The core judges these two and names what there is.
Strategy = Annotated[
    str | None,
    BeforeValidator(_empty_is_none),
    WithJsonSchema({"type": "string", "enum": list(STRATEGIES)}),
]
# One name, or several with commas between them; the parameter may be repeated.
EventTypes = Annotated[
    list[str],
    WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(EVENT_TYPES)}}),
]
# A type that is given twice has no services, as the seed has it.
OneType = Annotated[list[str], WithJsonSchema({"type": "string"})]
WaitMs = Annotated[int, whole_number(0, MAX_WAIT_MS)]
HorizonMs = Annotated[int, whole_number(0, MAX_HORIZON_MS)]
Lines = Annotated[int, whole_number(0, MAX_LINES)]
EventNumber = Annotated[int | None, whole_number(0, MAX_EVENT_NUMBER)]
# The number of an event, a time or an age.
Moment = Annotated[str | None, BeforeValidator(_read_moment), WithJsonSchema({"type": "string"})]
Cursor = Annotated[str | None, BeforeValidator(_read_cursor), WithJsonSchema({"type": "string"})]
PageSize = Annotated[int, whole_number(1, MAX_PAGE)]
Ready = Annotated[str | None, word("ready")]
Stopped = Annotated[str | None, word("stopped")]
Drained = Annotated[str | None, word("drained")]
Goal = Annotated[str, word("ready", "stopped")]
Names = Annotated[list[str], WithJsonSchema({"type": "array", "items": {"type": "string"}})]
LeaseMode = Annotated[str | None, word("auto", "none")]

ServiceId = Annotated[
    str, Path(description="Id of a service, or name of an entry: all its instances.")
]


def check_counts(pairs: Sequence[tuple[str, str]], once: frozenset[str]) -> None:
    """Refuses a query that gives one of the parameters `once` more often.

    Raises:
        HTTPProblem: 400.
    """
    names = [name for name, _ in pairs]
    for name in once:
        if (count := names.count(name)) > 1:
            raise HTTPProblem(400, "invalid_argument", f"{name}: given {count} times; give it once")


def refusal_of(errors: Sequence[Any]) -> HTTPProblem:
    """What FastAPI's judgement says, in our form."""
    parts = [
        f'{error["loc"][-1]}: is "{_shown(error["input"])}"; {error["msg"]}' for error in errors
    ]
    return HTTPProblem(400, "invalid_argument", "; ".join(parts))


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "..."
