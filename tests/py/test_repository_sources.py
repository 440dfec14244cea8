"""Every C++ source is in a list that builds it, and every list names what exists."""

from __future__ import annotations

from pathlib import Path

from repository_rig import faults_of, write


def test_every_source_is_built() -> None:
    assert faults_of("sources") == []


def test_a_source_that_nobody_builds_is_named(tmp_path: Path) -> None:
    files = {
        "cpp/azora/model/sources.cmake": "set(A a.cpp gone.cpp ../d.cpp # c.cpp\n)",
        "cpp/azora/model/a.cpp": "int a;",
        "cpp/azora/d.cpp": "int d;",
        "cpp/azora/model/b.cpp": "int b;",
        "cpp/azora/model/c.cpp": "int c;",
    }
    assert faults_of("sources", write(tmp_path, files)) == [
        "cpp/azora/model/sources.cmake: names gone.cpp, which does not exist",
        "cpp/azora/model/b.cpp: is in no sources.cmake or CMakeLists.txt",
        "cpp/azora/model/c.cpp: is in no sources.cmake or CMakeLists.txt",
    ]
