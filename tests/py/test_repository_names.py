"""What modules offer and what is built: the repository agrees with itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from repository_rig import faults_of, write

PACKAGE = "python/azora_orchestrator"


def test_every_public_module_lists_what_it_offers() -> None:
    assert faults_of("names") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def f() -> None: ...\n", "has no __all__; list what it offers"),
        ('__all__ = ["f", "A"]\ndef f(): ...\nclass A: ...\n', "__all__ is not sorted"),
        ('__all__ = ["g"]\n_g = 1\n', "__all__ names g, which is not there"),
        ("__all__ = []\nLIMIT: int = 1\n", "__all__ lacks LIMIT"),
        ("__all__ = []\nasync def f(): ...\n", "__all__ lacks f"),
    ],
)
def test_a_module_that_says_too_little_or_too_much_is_named(
    tmp_path: Path, text: str, fault: str
) -> None:
    files = {f"{PACKAGE}/__init__.py": "__all__ = []\n", f"{PACKAGE}/a.py": text}
    faults = faults_of("names", write(tmp_path, files))
    assert [one[: len(PACKAGE) + 7 + len(fault)] for one in faults] == [f"{PACKAGE}/a.py: {fault}"]


def test_a_lazy_package_offers_what_it_imports_for_the_type_checker(tmp_path: Path) -> None:
    text = '__all__ = ["A", "B"]\nif TYPE_CHECKING:\n    from azora_orchestrator.a.b import A\n'
    files = {f"{PACKAGE}/__init__.py": "__all__ = []\n", f"{PACKAGE}/a/__init__.py": text}
    faults = faults_of("names", write(tmp_path, files))
    assert faults == [f"{PACKAGE}/a/__init__.py: __all__ names B, which is not there"]


def test_the_package_offers_all_that_it_imports(tmp_path: Path) -> None:
    text = '__all__ = ["A"]\nfrom azora_orchestrator.a import A, B\n'
    faults = faults_of("names", write(tmp_path, {f"{PACKAGE}/__init__.py": text}))
    assert faults == [f"{PACKAGE}/__init__.py: __all__ lacks B; add it, or give it an underscore"]


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
