"""ConfigFault: one thing wrong with a configuration, and where."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ConfigFault"]


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing wrong (or, as a warning, odd) with a configuration.

    Attributes:
        file: The file; empty for a service that is in none.
        line: The line in the file, from 1; 0 for a service that is in none.
        field: The field, such as `healthCheck.timeout`; empty: the whole file.
        message: What is wrong and what to do.
    """

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        return where + (f"{self.field}: {self.message}" if self.field else self.message)
