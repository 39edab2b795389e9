"""Labelled folders: FOLDER/real and FOLDER/fake, and the index that may tell more of the clips.

The index is tab-separated with a header, `FOLDER/index.tsv` or `FOLDER.tsv`. Its column `file` is a path relative to
the index's own folder; `label`, `method` (the family of a fake), `pair` (a name shared by a fake and its genuine twin)
and `group` (clips that are not independent: one person, one camera) may follow. Clips without a line count as well.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from detection.records.labelled import Label
from detection.vision.suffixes import VIDEO_SUFFIXES

LABELS: tuple[Label, ...] = ("fake", "real")


class FolderError(Exception):
    """The folder cannot be evaluated; the message names the fault and the way out."""


@dataclass(frozen=True)
class Clip:
    """One labelled video. `name` is its path below the folder; what the index does not tell is None."""

    path: Path
    name: str
    label: Label
    method: str | None = None
    pair: str | None = None
    group: str | None = None


def read_folder(folder: Path) -> tuple[Clip, ...]:
    """The videos in FOLDER/fake and FOLDER/real and below, fakes first, in the order of their names.

    Raises FolderError: no such folder, no videos, one label alone, an index that cannot be read or contradicts.
    """
    if not folder.is_dir():
        raise FolderError(f"There is no folder {folder}. Name one that holds the folders real and fake.")
    found = {label: _videos(folder / label) for label in LABELS}
    if not any(found.values()):
        raise FolderError(
            f"{folder} holds no videos to measure on: put genuine clips into {folder / 'real'} and forged ones into "
            f"{folder / 'fake'}."
        )
    for label, videos in found.items():
        if not videos:
            raise FolderError(
                f"{folder / label} holds no videos. Figures need genuine and forged clips: put some into both "
                "real and fake."
            )
    told = _index(folder)
    return tuple(_clip(folder, path, label, told.get(path.resolve())) for label in LABELS for path in found[label])


def _videos(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file())


def _clip(folder: Path, path: Path, label: Label, line: dict[str, str] | None) -> Clip:
    line = line or {}
    name = path.relative_to(folder).as_posix()
    said = line.get("label")
    if said and said != label:
        raise FolderError(f"The index of {folder} calls {name} {said!r}, but it lies in the folder {label}.")
    return Clip(path, name, label, line.get("method"), line.get("pair"), line.get("group"))


def _index(folder: Path) -> dict[Path, dict[str, str]]:
    """The lines of the index by the file that they are about, without their empty fields; {} where there is none."""
    resolved = folder.resolve()
    places = (resolved / "index.tsv", resolved.with_name(f"{resolved.name}.tsv"))
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FolderError(f"The index {path} cannot be read ({error}). Save it as tab-separated UTF-8.") from error
    if any(not row.get("file") for row in rows):
        raise FolderError(
            f"The index {path} needs a column “file” with a path in every line (columns: file, label, method, pair; "
            "separated by tabs)."
        )
    lines = {}
    for row in rows:
        line = {key: value.strip() for key, value in row.items() if isinstance(value, str) and value.strip()}
        lines[(path.parent / line["file"]).resolve()] = line
    return lines
