"""No class outgrows one idea, and one that does is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from repository_rig import faults_of, write

LAW = "[classes]\nmembers = 2\nlines = 15\n\n[larger]\n{larger}\n"
HEADER = "cpp/azora/room/a.hpp"


def faults(tmp_path: Path, body: str, larger: str = "", **files: str) -> list[str]:
    """Of a repository with one header, whose class A has this body, and these files beside it."""
    write(
        tmp_path,
        {
            "tools/layers.toml": LAW.format(larger=larger),
            HEADER: body,
            **{f"cpp/azora/room/{name}.cpp": text for name, text in files.items()},
        },
    )
    return faults_of("members", tmp_path)


def of(members: str) -> str:
    return f"class A {{\n public:\n  A();\n\n private:\n{members}}};\n"


def test_the_classes_of_the_repository() -> None:
    assert faults_of("members") == []


@pytest.mark.parametrize(
    "members",
    [
        "  int a = 0;\n  int b[3];\n  std::map<int, std::string> c{};\n",
        "  int a, b;\n  int* c;\n",
        "  std::function<void(int)> a;\n  int (*b)(int);\n  const A& c;\n",
        "  int a AZORA_GUARDED_BY(m_) = 0;\n  alignas(64) atomic<int> b{0};\n  unsigned c : 3;\n",
        "  bool a() const { return b; }\n  int b;\n  int c;\n  int d = f(1, 2);\n",
        "  enum class E { x, y };\n  E a;\n  int b;\n  struct S { int z; };\n  S c;\n",
        "  int a;\n protected:\n  int b;\n private:\n  Mutex c;\n",
        "  struct { int x; } a;\n  int b;\n  int c;\n",
    ],
)
def test_a_class_with_too_many_members_is_named(tmp_path: Path, members: str) -> None:
    (fault,) = faults(tmp_path, of(members))
    assert fault.startswith(f"{HEADER}: A has 3 data members, at most 2: ")


@pytest.mark.parametrize(
    "body",
    [
        of(
            "  int a;\n  int b;\n  static int c;\n  static constexpr int d = 4;\n  using E = int;\n"
        ),
        of("  int a;\n  int b;\n  int c() const;\n  bool operator==(const A&) const = default;\n"),
        of("  int a;\n  int b;\n  friend class B;\n  class C;\n  A(const A&) = delete;\n"),
        of("  int a;\n  int b;\n  template <typename T>\n  void c(T t = {}) const { int d; }\n"),
        of("  int a;  // int b;\n  int c;\n  static_assert(sizeof(int) == 4);\n"),
        "struct A {\n  int a;\n  int b;\n  int c;\n  int d() const { return a; }\n};\n",
        "enum class A { a, b, c };\nint b;\nint c;\nint d;\n",
        "namespace n {\nint a;\nint b;\nint c;\nclass B;\n}\n",
        of("  int a;\n  int b;\n") + "class B {\n  int a;\n  int b;\n};\n",
        of("  struct S {\n    int c;\n    int d;\n    int e;\n  };\n  S a;\n  int b;\n"),
    ],
)
def test_what_is_no_member_does_not_count(tmp_path: Path, body: str) -> None:
    assert faults(tmp_path, body) == []


def test_a_struct_with_something_private_is_a_class(tmp_path: Path) -> None:
    body = "struct A {\n  int a;\n  int b;\n private:\n  int c;\n};\n"
    assert len(faults(tmp_path, body)) == 1


def test_a_class_within_another_counts_on_its_own(tmp_path: Path) -> None:
    body = of("  class B {\n    int c;\n    int d;\n    int e;\n  };\n  B a;\n  int b;\n")
    (fault,) = faults(tmp_path, body)
    assert ": B has 3 data members" in fault


def test_a_class_is_as_long_as_all_files_that_define_it(tmp_path: Path) -> None:
    header = of("  int a;\n")  # 7 lines
    short = "A::A() {}\n"
    other = "int b() {\n  return 1;\n}\n" * 9
    assert faults(tmp_path, header, one=short, two=other) == []
    (fault,) = faults(
        tmp_path, header, one=short, three="\n" * 5 + "int A::b() const {\n  return 1;\n}\n"
    )
    assert fault.startswith(f"{HEADER}: A has 16 lines with its .cpp, at most 15: ")


def test_a_larger_class_needs_a_reason_and_loses_it_when_it_is_small(tmp_path: Path) -> None:
    large = of("  int a;\n  int b;\n  int c;\n")
    reason = '"room/a.hpp A" = "because"'
    assert faults(tmp_path, large, reason) == []
    (fault,) = faults(tmp_path, of("  int a;\n"), reason)
    assert fault == 'tools/layers.toml: [larger] names "room/a.hpp A", which is not too large'
