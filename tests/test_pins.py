"""Which libraries this is made of is written down exactly, and what is installed is that."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(ROOT.glob("requirements*.txt"))
LINES = [
    (file.name, line)
    for file in FILES
    for line in (raw.partition("#")[0].strip() for raw in file.read_text().splitlines())
    if line
]


@pytest.mark.parametrize(("file", "line"), LINES, ids=str)
def test_every_library_is_pinned_exactly(file: str, line: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+(\[[a-z,]+\])?==[0-9][0-9a-z.]*", line), f"{file}: {line}"


def test_no_library_is_pinned_twice() -> None:
    names = [Requirement(line).name for _, line in LINES]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(("file", "line"), LINES, ids=str)
def test_what_is_installed_is_what_is_written_down(file: str, line: str) -> None:
    pinned = Requirement(line)
    try:
        installed = version(pinned.name)
    except PackageNotFoundError:
        pytest.skip(f"{pinned.name} is not installed here")
    assert installed in pinned.specifier, f"{file} says {line}; run make"


def test_pages_libraries_are_pinned_by_a_lock_file_with_their_hashes() -> None:
    import json

    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []
