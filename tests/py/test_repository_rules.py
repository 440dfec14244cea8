"""Every citation of a rule resolves; one that does not is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from repository_rig import faults_of, write

RULES = "# Rules\n| | |\n|---|---|\n| R1 | One thing holds. |\n| R46c | Another. |\n"


def test_the_citations_of_the_repository() -> None:
    assert faults_of("rules") == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("// Published first (R2).\n", "R2 is cited; docs/rules.md has no such rule"),
        ("TEST(Pools, Rule46dIsExact) {\n", "R46d is cited; docs/rules.md has no such rule"),
        ("// In order (semantics 10).\n", "'semantics 1' cites a document that is not here"),
        ("// See design section 3.\n", "'design section 3' cites a document that is not here"),
        ("// As supervision.md says.\n", "'supervision.md' cites a document that is not here"),
    ],
)
def test_a_citation_that_does_not_resolve_is_named(tmp_path: Path, line: str, fault: str) -> None:
    root = write(tmp_path, {"docs/rules.md": RULES, "cpp/a.cpp": "// R1, R46c.\n" + line})
    assert [one[: len("cpp/a.cpp:2: " + fault)] for one in faults_of("rules", root)] == [
        "cpp/a.cpp:2: " + fault
    ]
