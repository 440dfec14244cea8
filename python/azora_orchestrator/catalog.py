"""The eleven services of Azora OS, with the environment variables that name their endpoints."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

__all__ = ["CATALOG", "CatalogEntry", "demo_services", "services", "start_order"]


class CatalogEntry(NamedTuple):
    """One service as the catalog knows it."""

    id: str
    name: str
    type: str
    variable: str
    port: int
    priority: int
    dependencies: tuple[str, ...]
    description: str
    features: tuple[str, ...]
    sector: str | None = None
    health_check_interval_ms: int = 30_000
    max_restarts: int = 5
    restart_delay_ms: int = 5_000


CATALOG: tuple[CatalogEntry, ...] = (
    CatalogEntry(
        "azora-aegis",
        "Azora Aegis (Security Service)",
        "core",
        "AEGIS_ENDPOINT",
        3001,
        10,
        (),
        "Comprehensive security, authentication, and authorization service",
        ("auth", "encryption", "compliance", "audit"),
    ),
    CatalogEntry(
        "azora-nexus",
        "Azora Nexus (Data Intelligence)",
        "core",
        "NEXUS_ENDPOINT",
        3002,
        9,
        ("azora-aegis",),
        "AI-powered data intelligence and analytics platform",
        ("analytics", "ml", "predictions", "insights"),
    ),
    CatalogEntry(
        "azora-mint",
        "Azora Mint (Tokenization & Mining)",
        "core",
        "MINT_ENDPOINT",
        3003,
        8,
        ("azora-aegis",),
        "Blockchain tokenization and cryptocurrency mining platform",
        ("mining", "tokens", "wallet", "blockchain"),
    ),
    CatalogEntry(
        "azora-covenant",
        "Azora Covenant (Billing & Record-Keeping)",
        "core",
        "COVENANT_ENDPOINT",
        3004,
        9,
        ("azora-aegis", "azora-mint"),
        "Billing, invoicing, and comprehensive record-keeping service",
        ("billing", "invoicing", "records", "compliance"),
    ),
    CatalogEntry(
        "azora-lms",
        "Azora Sapiens University (LMS)",
        "core",
        "LMS_ENDPOINT",
        3005,
        8,
        ("azora-aegis", "azora-mint"),
        "Comprehensive Learning Management System with PoK integration",
        ("courses", "enrollment", "pok", "guardian-connect"),
    ),
    CatalogEntry(
        "synapse-backend",
        "Synapse Backend (AI Intelligence)",
        "core",
        "SYNAPSE_ENDPOINT",
        3006,
        7,
        ("azora-aegis", "azora-nexus"),
        "AI-powered intelligence backend for decision support",
        ("ai", "ml", "nlp", "recommendations"),
    ),
    CatalogEntry(
        "retail-ai-service",
        "Retail AI Service",
        "b2b",
        "RETAIL_AI_ENDPOINT",
        4001,
        7,
        ("azora-aegis", "azora-nexus", "azora-covenant"),
        "AI-powered retail optimization and inventory management",
        ("inventory", "demand-forecasting", "pricing", "customer-insights"),
        "retail",
    ),
    CatalogEntry(
        "cold-chain-service",
        "Cold Chain Management Service",
        "b2b",
        "COLD_CHAIN_ENDPOINT",
        4002,
        8,
        ("azora-aegis", "azora-nexus", "azora-covenant"),
        "IoT-enabled cold chain monitoring and management",
        ("temperature-monitoring", "alerts", "compliance", "tracking"),
        "logistics",
    ),
    CatalogEntry(
        "community-safety-service",
        "Community Safety Service",
        "b2b",
        "COMMUNITY_SAFETY_ENDPOINT",
        4003,
        9,
        ("azora-aegis", "azora-nexus", "azora-covenant"),
        "AI-powered community safety and emergency response",
        ("incident-detection", "emergency-response", "analytics", "alerts"),
        "public-safety",
    ),
    CatalogEntry(
        "api-gateway",
        "Unified API Gateway",
        "infrastructure",
        "API_GATEWAY_ENDPOINT",
        3000,
        10,
        ("azora-aegis",),
        "Unified API Gateway with auth, rate limiting, and routing",
        ("routing", "auth", "rate-limiting", "transformation"),
        health_check_interval_ms=15_000,
        max_restarts=10,
        restart_delay_ms=3_000,
    ),
    CatalogEntry(
        "mining-engine",
        "Mining Engine",
        "infrastructure",
        "MINING_ENGINE_ENDPOINT",
        3007,
        6,
        ("azora-mint", "azora-aegis"),
        "Cryptocurrency mining and blockchain processing engine",
        ("mining", "blockchain", "wallet"),
        health_check_interval_ms=60_000,
        max_restarts=3,
        restart_delay_ms=10_000,
    ),
)


def start_order() -> list[CatalogEntry]:
    """Entries without dependencies first, then those that need only these; by higher priority."""
    order: list[CatalogEntry] = []
    known: set[str] = set()
    remaining = list(CATALOG)
    while remaining:
        batch = [entry for entry in remaining if known.issuperset(entry.dependencies)]
        batch.sort(key=lambda entry: -entry.priority)
        order += batch
        known |= {entry.id for entry in batch}
        remaining = [entry for entry in remaining if entry.id not in known]
    return order


def _as_service(entry: CatalogEntry, environ: Mapping[str, str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"description": entry.description, "features": list(entry.features)}
    if entry.sector is not None:
        metadata |= {"b2b": True, "sector": entry.sector}
    return {
        "id": entry.id,
        "name": entry.name,
        "type": entry.type,
        "endpoint": environ.get(entry.variable) or f"http://localhost:{entry.port}",
        "healthCheckPath": "/health",
        "healthCheckInterval": entry.health_check_interval_ms,
        "maxRestarts": entry.max_restarts,
        "restartDelay": entry.restart_delay_ms,
        "priority": entry.priority,
        "dependencies": list(entry.dependencies),
        "metadata": metadata,
    }


def services(environ: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The eleven services as configurations in start order: URLs to watch, without own processes.

    Args:
        environ: Where the `*_ENDPOINT` variables are looked up; the environment of this process.
    """
    return [
        _as_service(entry, os.environ if environ is None else environ) for entry in start_order()
    ]


def demo_services(environ: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The eleven services as real local processes on the ports of their endpoints.

    They are checked every 5 s and restarted at once after a first crash, so that there is something
    to see. An endpoint on another machine is only watched.
    """
    program = str(Path(__file__).with_name("demo_service.py"))
    found = services(environ)
    for service in found:
        parts = urlsplit(service["endpoint"])
        if parts.scheme != "http" or parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            continue
        service["healthCheckInterval"] = 5_000
        del service["restartDelay"]
        port = str(parts.port or 80)
        service["process"] = {"argv": [sys.executable, "-I", "-S", program, service["id"], port]}
    return found
