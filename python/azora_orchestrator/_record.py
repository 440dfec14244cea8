"""What the models share: objects of the wire with typed attributes, and times of the wire."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Self

__all__ = ["Record", "milliseconds_of", "time_of", "time_of_ms"]


class Record(Mapping[str, Any]):
    """An object that came over the wire. Immutable; equal if the content is equal.

    Its attributes are the wire's keys in snake_case. It is also a mapping with the wire's own keys:
    `record["lastExit"]`.
    """

    __slots__ = ("_data",)

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = dict(data)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it from an object as the REST API spells it."""
        return cls(data)

    def to_dict(self) -> dict[str, Any]:
        """Return it as the REST API spells it: a copy that may be changed."""
        return copy.deepcopy(self._data)

    def __getitem__(self, key: str) -> Any:
        return copy.deepcopy(self._data[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._data,)

    def __repr__(self) -> str:
        said = ", ".join(f"{key}={value!r}" for key, value in self._data.items())
        return f"{type(self).__name__}({said:.200})"


def time_of(text: str | None) -> datetime | None:
    """A time as the wire spells it, in UTC; None: there is none."""
    return None if text is None else datetime.fromisoformat(text)


def time_of_ms(ms: int) -> datetime:
    """A time in milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def milliseconds_of(text: str | None) -> int:
    """The milliseconds since 1970 of a time as the wire spells it; 0: there is none."""
    at = time_of(text)
    return 0 if at is None else round(at.timestamp() * 1000)
