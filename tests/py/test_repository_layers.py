"""Who may include, import and say what: tools/layers.toml holds, and breaking it is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from repository_rig import ROOT, faults_of, write

LAW = (ROOT / "tools/layers.toml").read_text().partition("[longer]")[0] + "[longer]\n"


def test_the_repository_keeps_its_layers() -> None:
    assert faults_of("layers") == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        (
            "cpp/azora/health/a.cpp",
            '#include "azora/healing/step.hpp"\n',
            "cpp/azora/health/a.cpp:1: health must not include healing",
        ),
        (
            "cpp/azora/model/a.hpp",
            '#include "azora/orchestrator/core.hpp"\n',
            "cpp/azora/model/a.hpp:1: model must not include orchestrator",
        ),
        (
            "cpp/azora/keeper/a.cpp",
            '#include "azora/keeper/program/sys.hpp"\n',
            "cpp/azora/keeper/a.cpp:1: keeper must not include keeper/program",
        ),
        (
            "bindings/a.cpp",
            '#include "azora/health/judge.hpp"\n',
            "bindings/a.cpp:1: bindings must not include health",
        ),
        (
            "cpp/azora/health/a.cpp",
            "\n#include <curl/curl.h>\n",
            "cpp/azora/health/a.cpp:2: health must not include curl/curl.h; only net may",
        ),
        (
            "cpp/azora/health/a.cpp",
            "auto t = std::chrono::steady_clock::now();\n",
            'cpp/azora/health/a.cpp:1: health must not say "steady_clock::now"; only base may',
        ),
        (
            "cpp/azora/healing/a.cpp",
            "void f() { throw 1; }\n",
            'cpp/azora/healing/a.cpp:1: healing must not say "throw"; only bindings may',
        ),
        (
            "bindings/a.cpp",
            "void f() { pybind11::gil_scoped_acquire gil; }\n",
            'bindings/a.cpp:1: bindings must not say "gil_scoped_acquire"; nobody may',
        ),
        (
            "cpp/azora/elsewhere/a.cpp",
            "int a;\n",
            "cpp/azora/elsewhere/a.cpp: this folder is not in [cpp]",
        ),
        (
            "cpp/azora/model/long.cpp",
            "int a;\n" * 401,
            "cpp/azora/model/long.cpp: 401 lines; at most 400",
        ),
    ],
)
def test_a_break_of_the_law_is_named(tmp_path: Path, file: str, text: str, fault: str) -> None:
    faults = faults_of("layers", write(tmp_path, {"tools/layers.toml": LAW, file: text}))
    assert [one[: len(fault)] for one in faults] == [fault]


def test_comments_texts_and_names_that_contain_a_word_are_no_break(tmp_path: Path) -> None:
    text = """
// a sleep_for in a comment, throw too
/* #include "azora/healing/step.hpp"
   throw */
const char* kText = "throw and \\" throw";
const char* kRaw = R"(throw)";
const int kBig = 1'000'000;  // not a character that begins: throw
int rethrow = 0, throwing = 0;
#include "azora/base/time.hpp"
"""
    files = {"tools/layers.toml": LAW, "cpp/azora/health/a.cpp": text}
    assert faults_of("layers", write(tmp_path, files)) == []


def test_a_law_with_a_cycle_is_refused(tmp_path: Path) -> None:
    law = LAW.replace("base = []", 'base = ["model"]', 1)
    faults = faults_of("layers", write(tmp_path, {"tools/layers.toml": law}))
    assert "tools/layers.toml: [cpp] has the cycle base -> model -> base" in faults
