"""Every text file speaks of the project alone; one that does not is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from repository_rig import faults_of, write


def test_the_texts_of_the_repository() -> None:
    assert faults_of("text") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a" * 161 + "\n", "a.py:1: 161 characters; at most 160"),
        ("# TODO: later\n", "a.py:1: TODO: a promise for later"),
        ("open('/home/me/x')\n", "a.py:1: /home/me/: a path of one machine"),
    ],
)
def test_a_text_that_says_what_it_should_not_is_named(
    tmp_path: Path, text: str, fault: str
) -> None:
    faults = faults_of("text", write(tmp_path, {"a.py": text, "build/b.py": "# TODO\n"}))
    assert fault in [one[: len(fault)] for one in faults]
    assert {one.partition(":")[0] for one in faults} == {"a.py"}


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff\n")
    assert faults_of("text", tmp_path) == ["a.md: is not UTF-8: byte 0 is wrong"]
