"""Every header says what it is and compiles alone, and one that does not is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from repository_rig import faults_of, write

GOOD = "#pragma once\n// A number. Threads: any.\nclass A {\n  int a = 0;\n};\n"


@pytest.mark.slow
def test_the_headers_of_the_repository() -> None:
    assert faults_of("headers") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("// A number.\n#pragma once\n", "cpp/a.hpp:1: the first line of a header is #pragma once"),
        ("#pragma once\nint f();\n", "cpp/a.hpp:2: after #pragma once a comment says"),
        (
            "#pragma once\n// A number.\nclass A {\n};\n",
            "cpp/a.hpp:2: the contract of A names no thread",
        ),
        (
            "#pragma once\n// A text.\nstruct A {\n  std::string a;\n};\n",
            "cpp/a.hpp: does not compile alone: cpp/a.hpp:4:",
        ),
        (
            "#pragma once\n// A number.\ninline int f(long a) { return a; }\n",
            "cpp/a.hpp: does not compile alone: cpp/a.hpp:3:",
        ),
    ],
)
def test_a_header_that_breaks_a_rule_is_named(tmp_path: Path, text: str, fault: str) -> None:
    faults = faults_of("headers", write(tmp_path, {"cpp/a.hpp": text, "cpp/good.hpp": GOOD}))
    assert [one[: len(fault)] for one in faults] == [fault]


def test_a_header_is_judged_again_when_what_it_includes_has_changed(tmp_path: Path) -> None:
    outer = (
        '#pragma once\n// Twice a number.\n#include "inner.hpp"\ninline int twice = 2 * inner;\n'
    )
    inner = "#pragma once\n// A number.\ninline int inner = 1;\n"
    write(tmp_path, {"cpp/outer.hpp": outer, "cpp/inner.hpp": inner})
    assert faults_of("headers", tmp_path) == []
    write(tmp_path, {"cpp/inner.hpp": inner.replace("inner =", "other =")})
    faults = faults_of("headers", tmp_path)
    assert [one.partition(":")[0] for one in faults] == ["cpp/outer.hpp"]


def test_the_first_include_of_its_own_source_is_left_to_the_build(tmp_path: Path) -> None:
    broken = "#pragma once\n// Broken.\nstd::string text;\n"
    files = {"cpp/a.hpp": broken, "cpp/a.cpp": '#include "a.hpp"\n'}
    assert faults_of("headers", write(tmp_path, files)) == []
    write(tmp_path, {"cpp/a.cpp": '#include <string>\n#include "a.hpp"\n'})
    assert len(faults_of("headers", tmp_path)) == 1
