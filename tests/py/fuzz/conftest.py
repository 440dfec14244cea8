"""How many inputs are tried, and what is printed about one that fails: how to try it again."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "azora",
    max_examples=int(os.environ.get("AZORA_FUZZ_EXAMPLES", "100")),
    deadline=None,  # a busy machine is no evidence
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("azora")
