"""Judges configuration without an orchestrator: files, and services as Python describes them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from azora_orchestrator._fault_names import in_python_names
from azora_orchestrator._shown import shown
from azora_orchestrator._wire import split, text_of_file, texts_of
from azora_orchestrator.config import Config, load, load_text
from azora_orchestrator.config_fault import ConfigFault
from azora_orchestrator.errors import Fault, InvalidArgument, InvalidSpec
from azora_orchestrator.service_config import ServiceConfig

__all__ = ["ConfigReport", "check_config", "config_of_file"]

_logger = logging.getLogger("azora_orchestrator")


@dataclass(frozen=True, slots=True)
class ConfigReport:
    """What is wrong with a configuration, and what is odd.

    Attributes:
        faults: What is wrong: `azora serve` and `register()` would refuse it. Each has `file` and
            `line` (empty and 0 for services that are in no file), `field` and `message`.
        warnings: What is odd but allowed, such as a dependency that is not registered with it.
    """

    faults: tuple[ConfigFault, ...]
    warnings: tuple[ConfigFault, ...]

    @property
    def ok(self) -> bool:
        """Whether there are no faults."""
        return not self.faults

    def raise_for_faults(self) -> None:
        """Raise `InvalidSpec`, which names every fault, if there are any."""
        if self.faults:
            raise InvalidSpec(
                "\n".join(map(str, self.faults)),
                [(fault.field, fault.message) for fault in self.faults],
            )

    def __str__(self) -> str:
        warnings = [f"warning: {warning}" for warning in self.warnings]
        return "\n".join([*map(str, self.faults), *warnings]) or "no faults"


_Described = ServiceConfig | Mapping[str, Any]


def check_config(
    source: str | os.PathLike[str] | _Described | Iterable[_Described],
    *,
    host: str | None = None,
    port: int | None = None,
) -> ConfigReport:
    """Check a configuration as `azora check` does, without an orchestrator.

    Args:
        source: A configuration file (.toml, .json, .yaml), or a mapping of the same shape; or a
            service, or several, each a `ServiceConfig` or a mapping in the wire's spelling.
        host: Address on which `azora serve` is to listen. Default: as the file says, 127.0.0.1.
        port: Port on which it is to listen, which no process service may have. Default: as the
            file says, 5000.

    Returns:
        Every fault, each with its line and field. A file that cannot be read is a fault, too.

    Raises:
        InvalidArgument: `source` is none of these.

    Example:
        >>> report = check_config(ServiceConfig(id="a", type="core", endpoint="ftp://x"))
        >>> report.ok, report.faults[0].field
        (False, 'endpoint')
    """
    if isinstance(source, str | os.PathLike):
        config = load(source, host=host, port=port)
        return ConfigReport(tuple(config.faults), tuple(config.warnings))
    if isinstance(source, Mapping) and "services" in source and "id" not in source:
        return _whole(source, host, port)
    if isinstance(source, ServiceConfig | Mapping):
        source = [source]
    if not isinstance(source, Iterable):
        raise InvalidArgument(f"check_config: {shown(source)} is neither a file nor services")
    services = list(source)
    try:
        texts = texts_of([split(service)[0] for service in services])
    except InvalidSpec as error:
        told = in_python_names(error, services)
        return ConfigReport(tuple(ConfigFault("", 0, *fault) for fault in told.faults), ())
    # One service a line, so that the line of a fault says which service it is about.
    text = '{"services":[\n' + ",\n".join(texts) + "\n]}"
    config = load_text(text, "services.json", Path.cwd(), host=host, port=port)
    return ConfigReport(
        tuple(_placed(fault, services) for fault in config.faults),
        tuple(_placed(fault, services) for fault in config.warnings),
    )


def _whole(source: Mapping[str, Any], host: str | None, port: int | None) -> ConfigReport:
    """A mapping of the shape of a file; its faults have no line."""
    try:
        text = text_of_file(dict(source))
    except InvalidSpec as error:
        return ConfigReport(tuple(ConfigFault("", 0, *fault) for fault in error.faults), ())
    config = load_text(text, "config.json", Path.cwd(), host=host, port=port)
    return ConfigReport(
        tuple(replace(fault, file="", line=0) for fault in config.faults),
        tuple(replace(fault, file="", line=0) for fault in config.warnings),
    )


def _placed(fault: ConfigFault, services: list[_Described]) -> ConfigFault:
    """The fault of a service that is in no file, in the names that its owner wrote."""
    index = fault.line - 2
    if 0 <= index < len(services):
        spoken = InvalidSpec("", [Fault(fault.field, fault.message)])
        fault = replace(fault, **in_python_names(spoken, [services[index]]).faults[0]._asdict())
    return replace(fault, file="", line=0)


def config_of_file(path: str | os.PathLike[str], **options: Any) -> Config:
    """What a configuration file says. Warnings are logged.

    Args:
        path: The file.
        **options: Those of `load()`: what the command line says instead of the file.

    Raises:
        InvalidSpec: The file cannot be read or has faults; the message has each with its line.
    """
    config = load(path, **options)
    ConfigReport(tuple(config.faults), ()).raise_for_faults()
    for warning in config.warnings:
        _logger.warning("%s", warning)
    return config
