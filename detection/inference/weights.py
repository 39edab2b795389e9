"""The files that the networks need: what they are, where they came from, and the proof that they are intact.

`assets/manifest.json` names every file with its sha256, source and licence. Nothing is loaded before its hash was
compared, which costs one read of the file per process.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).resolve().parent / "assets"
MANIFEST = ASSETS / "manifest.json"

WAY_OUT = "Fetch the file again from the project's repository (`git checkout -- detection/inference/assets`)."


class WeightsError(Exception):
    """A file of `assets/` cannot be used; the message says which, why, and what to do."""


class WeightsMissing(WeightsError):
    """The file, or its line in the manifest, is not there."""


class WeightsCorrupt(WeightsError):
    """The file is there, with another content than the manifest's hash."""


@dataclass(frozen=True)
class Asset:
    """One line of the manifest. `changes` says how the file differs from the one at `source`; empty: not at all."""

    name: str
    file: str
    sha256: str
    what: str
    source: str
    licence: str
    changes: str = ""


def manifest(path: Path | None = None) -> dict[str, Asset]:
    """The assets by name. Raises WeightsMissing when the manifest itself cannot be read."""
    path = path or MANIFEST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {name: Asset(name=name, **entry) for name, entry in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsMissing(f"The list of weights {path} cannot be read ({error}). {WAY_OUT}") from error


def asset(name: str) -> Asset:
    """The manifest's line of `name`. Raises WeightsMissing."""
    try:
        return manifest()[name]
    except KeyError:
        raise WeightsMissing(f"{MANIFEST} has no entry {name!r}. {WAY_OUT}") from None


@cache
def verified_path(name: str) -> Path:
    """Where the asset `name` lies, after its hash was found right. Raises WeightsMissing, WeightsCorrupt."""
    entry = asset(name)
    path = ASSETS / entry.file
    verify(path, entry.sha256)
    return path


def verify(path: Path, sha256: str) -> None:
    """Raises WeightsMissing when `path` cannot be read, WeightsCorrupt when its content has another hash."""
    try:
        found = sha256_of(path)
    except OSError as error:
        raise WeightsMissing(f"The weights file {path} cannot be read ({error.strerror}). {WAY_OUT}") from error
    if found != sha256:
        raise WeightsCorrupt(
            f"The weights file {path} is damaged: its sha256 is {found[:12]}…, "
            f"the manifest says {sha256[:12]}…. {WAY_OUT}"
        )


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_files() -> list[Path]:
    """The manifest and every file that it names, there or not."""
    try:
        entries = manifest().values()
    except WeightsError:
        return [MANIFEST]
    return [MANIFEST, *(ASSETS / entry.file for entry in entries)]


def problems() -> list[WeightsError]:
    """What is wrong with the assets, one error per file; empty when all is well. For `manage.py check`."""
    try:
        names = list(manifest())
    except WeightsError as error:
        return [error]
    found = []
    for name in names:
        try:
            verified_path(name)
        except WeightsError as error:
            found.append(error)
    return found


def enrol(entry: Asset) -> None:
    """Writes `entry` into the manifest in place of an older one of its name. The file must lie in `assets/` already.

    For the scripts that make weights (`vendor.py`, `manage.py train`); the running product never writes here.
    """
    entries = manifest() if MANIFEST.exists() else {}
    entries[entry.name] = entry
    lines = {name: {k: v for k, v in asdict(e).items() if k != "name"} for name, e in sorted(entries.items())}
    temporary = MANIFEST.with_suffix(".tmp")
    temporary.write_text(json.dumps(lines, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(MANIFEST)
    verified_path.cache_clear()
