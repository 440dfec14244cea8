"""What lies in a wheel is judged; one with too much, too little or something unnamed is refused."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wheel_contents

INFO = "azora-1.0.dist-info"
LIBRARIES = {
    "azora.libs/libcrypto-1.so.3": "openssl",
    "azora.libs/libcurl-1.so.4": "curl",
    "azora.libs/libnghttp2-1.so.14": "nghttp2",
    "azora.libs/libsqlite3-1.so.0": "sqlite",
    "azora.libs/libssl-1.so.3": "openssl",
}
LIST = f"{INFO}/sboms/a.cdx.json"

Files = dict[str, bytes]


def good() -> Files:
    """A wheel with all that it should have."""
    files = {name: name.encode() for name in LIBRARIES}
    parts = sorted({*LIBRARIES.values(), *wheel_contents.HEADERS})
    listed: list[dict[str, Any]] = [
        {
            "name": part,
            "version": "1",
            "purl": f"pkg:deb/debian/{part}@1",
            "licenses": [{"license": {"id": "MIT"}}],
            "components": [
                {"name": name, "hashes": [{"content": hashlib.sha256(name.encode()).hexdigest()}]}
                for name, owner in LIBRARIES.items()
                if owner == part
            ],
        }
        for part in parts
    ]
    files[LIST] = json.dumps({"components": listed}).encode()
    for part in parts:
        files[f"{INFO}/licenses/bundled/{part}.txt"] = b"MIT"
    named = "".join(f"License-File: bundled/{part}.txt\n" for part in parts)
    return {**files, f"{INFO}/METADATA": f"Name: azora\n{named}".encode()}


def judged(folder: Path, files: Files, beside: bytes | None = None) -> list[str]:
    wheel = folder / "azora-1.0.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    wheel.with_suffix(".cdx.json").write_bytes(beside or files.get(LIST, b"{}"))
    return wheel_contents.faults_of(wheel)


def without(name: str) -> Callable[[Files], object]:
    return lambda files: files.pop(name)


def listed_without(key: str) -> Callable[[Files], object]:
    def change(files: Files) -> None:
        listed = json.loads(files[LIST])
        del listed["components"][0][key]
        files[LIST] = json.dumps(listed).encode()

    return change


def test_a_wheel_with_all_that_it_should_have(tmp_path: Path) -> None:
    assert judged(tmp_path, good()) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda files: files.update({"azora.libs/libldap-1.so.2": b"x"}),
            "libldap-1.so.2 is carried and not needed",
        ),
        (without("azora.libs/libnghttp2-1.so.14"), "libnghttp2-* is not in it exactly once"),
        (
            lambda files: files.update({"azora.libs/libssl-1.so.3": b"another"}),
            "azora.libs/libssl-1.so.3: the list has another hash",
        ),
        (
            without("azora.libs/libssl-1.so.3"),
            "azora.libs/libssl-1.so.3: is in the list and not in the wheel",
        ),
        (
            lambda files: files.update({"azora.libs/libssl-2.so.3": b"x"}),
            "azora.libs/libssl-2.so.3: is not in the list",
        ),
        (
            lambda files: files.update({"azora/page/LICENSE": b"x", "azora/page/page.js": b"x"}),
            "azora/page/LICENSE: what it is the licence of is not in the list",
        ),
        (without(f"{INFO}/licenses/bundled/curl.txt"), "curl: its licence text is missing"),
        (
            lambda files: files.update({f"{INFO}/METADATA": b"Name: azora\n"}),
            "curl: METADATA does not name its licence text",
        ),
        (listed_without("licenses"), "boost: the list lacks its licence, version or origin"),
        (without(LIST), "one list of what it carries is needed in sboms/"),
        (
            lambda files: files.update({LIST: b'{"components": []}'}),
            "pybind11: is compiled in and not in the list",
        ),
    ],
)
def test_what_is_wrong_with_a_wheel_is_named(
    tmp_path: Path, change: Callable[[Files], object], fault: str
) -> None:
    files = good()
    change(files)
    assert fault in [one[: len(fault)] for one in judged(tmp_path, files)]


def test_a_wheel_that_is_too_large_is_refused(tmp_path: Path) -> None:
    files = {**good(), "azora/_core.so": bytes(wheel_contents.LARGEST)}
    assert judged(tmp_path, files)[0].endswith("bytes; at most 6,000,000")


def test_the_list_beside_the_wheel_is_the_one_inside(tmp_path: Path) -> None:
    faults = judged(tmp_path, good(), beside=b'{"components": 1}')
    assert faults == ["azora-1.0.cdx.json beside it is not the list inside"]
