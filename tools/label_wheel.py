"""Puts into a repaired wheel the licences and the list (SBOM) of what it carries from elsewhere.

Use: label_wheel.py build/wheel-repaired/azora_orchestrator-*.whl dist
Licences go to dist-info/licenses/bundled; the list, CycloneDX JSON, goes to dist-info/sboms
(PEP 770) and beside the wheel.
A library without a row in PARTS fails the build: nothing is carried unnamed.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

CURL = Path("build/curl")
NPM_LICENCES = ("LICENSE", "NOTICE", "LICENSES-BUNDLED")
COMMON_LICENCES = Path("/usr/share/common-licenses")


@dataclass(frozen=True)
class Part:
    """Something from elsewhere: a bundled library, or headers that are compiled in."""

    name: str
    licence: str  # SPDX
    package: str  # what Debian calls it, a pattern; "source": built by curl.sh; "pypi", "npm"
    libraries: tuple[str, ...] = field(default=())  # how the bundled files begin
    folder: str = ""  # in the package: the part's own files, its licence among them


PARTS = (
    Part("curl", "curl", "source", ("libcurl-",)),
    Part("openssl", "Apache-2.0", r"libssl3(t64)?", ("libssl-", "libcrypto-")),
    Part("nghttp2", "MIT", "libnghttp2-14", ("libnghttp2-",)),
    Part("sqlite", "blessing", "libsqlite3-0", ("libsqlite3-",)),
    Part("boost", "BSL-1.0", r"libboost1\.\d+-dev"),
    Part("nlohmann-json", "MIT", "nlohmann-json3-dev"),
    Part("xxhash", "BSD-2-Clause", "libxxhash-dev"),
    Part("pybind11", "BSD-3-Clause", "pypi"),
    Part("swagger-ui", "Apache-2.0", "npm", folder="azora_orchestrator/server/swagger_ui"),
)


def fail(words: str) -> NoReturn:
    print(f"wheel: {words}", file=sys.stderr)
    sys.exit(1)


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def debian_package(part: Part) -> str:
    """The one installed package with such a name."""
    rows = output_of("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n").splitlines()
    names = {row.split()[0] for row in rows if row.endswith(" installed")}
    fits = sorted(name for name in names if re.fullmatch(part.package, name))
    if len(fits) != 1:
        fail(f"{part.name}: one installed package {part.package} is needed, there are {fits}")
    return fits[0]


def version_and_licence(part: Part, root: Path) -> tuple[str, str, PackageURL]:
    """The upstream version, the text of the licence, and where it came from."""
    if part.package == "npm":
        bundle = gzip.decompress((root / part.folder / "swagger-ui-bundle.js.gz").read_bytes())
        stamp = re.search(rb'PACKAGE_VERSION:"([^"]+)"', bundle)
        if stamp is None:
            fail(f"{part.name}: its files do not tell their version")
        version = stamp.group(1).decode()
        texts = [(root / part.folder / name).read_text() for name in NPM_LICENCES]
        return version, "\n".join(texts), PackageURL("npm", None, f"{part.name}-dist", version)
    if part.package == "pypi":
        version = importlib.metadata.version(part.name)
        files = importlib.metadata.files(part.name) or []
        texts = [one.read_text() for one in files if "LICENSE" in one.name]
        return version, "\n".join(texts), PackageURL("pypi", None, part.name, version)
    if part.package == "source":
        source, packaged = "curl", (CURL / "version").read_text().strip()
        text = (CURL / "copyright").read_text()
    else:
        package = debian_package(part)
        wanted = "${source:Package} ${Version}"
        source, packaged = output_of("dpkg-query", "-W", "-f", wanted, package).split()
        text = licence_text(part, Path("/usr/share/doc", package, "copyright").read_text())
    version = packaged.partition(":")[2] or packaged
    version = re.sub(r"[+~]dfsg.*$", "", version.rpartition("-")[0] or version)
    return version, text, PackageURL("deb", "debian", source, packaged, {"arch": "source"})


def licence_text(part: Part, copyright_file: str) -> str:
    """Debian's account of the licence, whole, with texts that it only refers to.

    Boost's covers all its libraries in two megabytes; its headers are under the one licence.
    """
    if part.name == "boost":
        found = re.search(r"^License: BSL-1\.0\n(?: .*\n)+", copyright_file, re.MULTILINE)
        if found is None:
            fail("boost: Debian's copyright file has no text of BSL-1.0")
        return f"Copyright: Boost project contributors\n{found.group()}"
    common = COMMON_LICENCES / part.licence
    return copyright_file + (f"\n\n{common.read_text()}" if common.exists() else "")


def bundled(root: Path) -> dict[str, list[Path]]:
    """The files in the wheel that are from elsewhere, by part."""
    found: dict[str, list[Path]] = {part.name: [] for part in PARTS}
    for file in sorted(root.glob("*.libs/*")):
        owners = [part.name for part in PARTS if file.name.startswith(part.libraries or ("\0",))]
        if len(owners) != 1:
            fail(f"{file.name} is bundled and tools/label_wheel.py does not know it; add a row")
        found[owners[0]].append(file)
    for part in PARTS:
        if part.folder:
            files = [file for file in (root / part.folder).glob("*") if file.suffix == ".gz"]
            found[part.name] = sorted(files)
    return found


def label(root: Path, info: Path) -> str:
    """Write licences and list; returns the list."""
    metadata = info / "METADATA"
    head, _, body = metadata.read_text().partition("\n\n")
    ours = importlib.metadata.Distribution.at(info)
    licences = LicenseFactory()
    bom = Bom()
    product = Component(
        name=ours.metadata["Name"],
        version=ours.version,
        type=ComponentType.LIBRARY,
        licenses=[licences.make_from_string(ours.metadata["License-Expression"])],
        purl=PackageURL("pypi", None, ours.metadata["Name"], ours.version),
        bom_ref=ours.metadata["Name"],
    )
    bom.metadata.component = product
    for name, files in bundled(root).items():
        part = next(one for one in PARTS if one.name == name)
        if (part.libraries or part.folder) and not files:
            fail(f"{name} is not in the wheel; remove its row from tools/label_wheel.py")
        version, text, purl = version_and_licence(part, root)
        if not text.strip():
            fail(f"{name}: no licence text was found")
        target = info / "licenses" / "bundled" / f"{name}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        head += f"\nLicense-File: bundled/{name}.txt"
        bom.components.add(
            whole := Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                licenses=[licences.make_from_string(part.licence)],
                purl=purl,
                bom_ref=name,
                components=[component_of(file, root) for file in files],
            )
        )
        bom.register_dependency(product, [whole])
    metadata.write_text(f"{head}\n\n{body}")
    listed: str = JsonV1Dot6(bom).output_as_string(indent=2)
    for other in (info / "sboms").glob("*"):
        other.unlink()  # auditwheel's knows Debian's packages alone
    (info / "sboms").mkdir(exist_ok=True)
    (info / "sboms" / "azora-orchestrator.cdx.json").write_text(listed + "\n")
    return listed


def component_of(file: Path, root: Path) -> Component:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Component(
        name=file.relative_to(root).as_posix(),
        type=ComponentType.FILE,
        bom_ref=file.name,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )


def main() -> None:
    wheel, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="azora-label-") as text:
        packer = (sys.executable, "-m", "wheel")
        output_of(*packer, "unpack", "--dest", text, str(wheel))
        (root,) = Path(text).iterdir()
        (info,) = root.glob("*.dist-info")
        listed = label(root, info)
        output_of(*packer, "pack", "--dest-dir", str(out), str(root))
    (out / f"{wheel.stem}.cdx.json").write_text(listed + "\n")


if __name__ == "__main__":
    main()
