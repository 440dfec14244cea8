"""Judges what lies in a wheel: its size, its libraries, their licences and the list of them.

The judgement needs nothing but the file: no installation and no network.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LARGEST = 6_000_000  # bytes; decision 0023
LIBRARIES = ("libcrypto-*", "libcurl-*", "libnghttp2-*", "libsqlite3-*", "libssl-*")
HEADERS = ("boost", "nlohmann-json", "pybind11", "xxhash")  # compiled in


def faults_of(wheel: Path) -> list[str]:
    """Every fault, one line each."""
    size = wheel.stat().st_size
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    faults = [f"{size:,} bytes; at most {LARGEST:,}"] if size > LARGEST else []
    faults += _libraries(files)
    lists = [name for name in files if fnmatch.fnmatch(name, "*.dist-info/sboms/*.cdx.json")]
    if len(lists) != 1:
        return [*faults, f"one list of what it carries is needed in sboms/; there are {lists}"]
    listed = json.loads(files[lists[0]])
    beside = wheel.with_suffix(".cdx.json")
    if not beside.exists() or json.loads(beside.read_text()) != listed:
        faults.append(f"{beside.name} beside it is not the list inside")
    return [*faults, *_components(files, listed)]


def _libraries(files: Mapping[str, bytes]) -> Iterator[str]:
    """Just those that HTTPS and the store need."""
    carried = [name.rpartition("/")[2] for name in files if ".libs/" in name]
    for name in carried:
        if not any(fnmatch.fnmatch(name, pattern) for pattern in LIBRARIES):
            yield f"{name} is carried and not needed"
    for pattern in LIBRARIES:
        if len(fnmatch.filter(carried, pattern)) != 1:
            yield f"{pattern} is not in it exactly once"


def _components(files: Mapping[str, bytes], listed: Mapping[str, Any]) -> Iterator[str]:
    """The list names every library and every folder from elsewhere; each part has its licence."""
    info = next(name for name in files if name.endswith(".dist-info/METADATA"))
    texts = {line for line in files[info].decode().splitlines() if line.startswith("License-File:")}
    hashes = {}
    names = set()
    for part in listed["components"]:
        name = part["name"]
        names.add(name)
        for file in part.get("components", ()):
            hashes[file["name"]] = file["hashes"][0]["content"]
        if not part.get("licenses") or not part.get("version") or not part.get("purl"):
            yield f"{name}: the list lacks its licence, version or origin"
        text = f"{info.removesuffix('METADATA')}licenses/bundled/{name}.txt"
        if not files.get(text, b"").strip():
            yield f"{name}: its licence text is missing"
        if f"License-File: bundled/{name}.txt" not in texts:
            yield f"{name}: METADATA does not name its licence text"
    for file in (one for one in files if ".libs/" in one and not one.endswith("/")):
        if file not in hashes:
            yield f"{file}: is not in the list"
    for file in (one for one in files if one.endswith("/LICENSE") and ".dist-info/" not in one):
        if not any(name.startswith(file.removesuffix("LICENSE")) for name in hashes):
            yield f"{file}: what it is the licence of is not in the list"
    for file, digest in hashes.items():
        if file not in files:
            yield f"{file}: is in the list and not in the wheel"
        elif digest != hashlib.sha256(files[file]).hexdigest():
            yield f"{file}: the list has another hash"
    for name in HEADERS:
        if name not in names:
            yield f"{name}: is compiled in and not in the list"
