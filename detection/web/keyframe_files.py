"""Key frames to take away: as an archive of pictures with a manifest, and as a video that shows one after the other."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from django.utils.translation import get_language

from detection.records import codec
from detection.records.files import within
from detection.records.schema import RunRecord
from detection.vision.slideshow import write_slideshow
from detection.web.archive import Entry
from detection.web.downloads import stem_of
from detection.web.result import KeyFrame, PersonFrames, key_frames, people_frames

MANIFEST = "manifest.json"
FORMAT = 1  # of the manifest; a change that breaks readers raises it
SECONDS_EACH = 2.5
MAX_SLIDES = 120  # five minutes, made in a few seconds
_making = threading.Semaphore(1)  # one video at a time: it keeps a processor busy


def groups_of(run: RunRecord) -> list[PersonFrames]:
    """The key frames of a run by person, the most suspicious first; none where it has no result."""
    if run.analysis is None:
        return []
    return people_frames(key_frames(run, run.analysis.modules.values()), run.analysis)


def archive_entries(runs: Sequence[tuple[RunRecord, Path]]) -> Iterator[Entry]:
    """The pictures of some runs (each with its folder), a folder for each run and person; the manifest comes last.

    A picture that is not there any more is named in the manifest, without a hash.
    """
    told = []
    for run, folder in runs:
        place = f"{stem_of(run.video_name)}-{run.id}"
        said: list[dict[str, Any]] = []
        for group in groups_of(run):
            for frame in group.in_order:
                pictures = []
                for kind, path, file in _files(frame, folder, f"{place}/person{group.person}"):
                    content = file.read_bytes() if file else None
                    if content is not None:
                        yield path, content
                    sha256 = hashlib.sha256(content).hexdigest() if content is not None else None
                    pictures.append({"kind": kind, "path": path if file else None, "sha256": sha256})
                said.append(_told(frame, pictures))
        told.append({"run": run.id, "video": run.video_name, "sha256": run.sha256, "key_frames": said})
    yield MANIFEST, codec.to_json({"format": FORMAT, "language": get_language(), "runs": told})


def _files(frame: KeyFrame, folder: Path, place: str) -> Iterator[tuple[str, str, Path | None]]:
    """Kind, path in the archive and file of each picture; None for a file that is not there, or not in the folder."""
    for picture in frame.pictures:
        file = within(folder, picture.path)
        name = f"{place}/frame{frame.frame_index:07d}_{picture.kind}{PurePath(picture.path).suffix}"
        yield picture.kind, name, file if file and file.is_file() else None


def _told(frame: KeyFrame, pictures: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "person": frame.person,
        "frame": frame.frame_index,
        "time_s": frame.time_s,
        "reasons": list(frame.reasons),
        "why": [str(words) for words in frame.why],
        "scores": {each.module: {"score": each.score, "verdict": each.verdict} for each in frame.verdicts},
        "pictures": pictures,
    }


def video_of(run: RunRecord, folder: Path) -> Path | None:
    """The video of a run's key frames in the language that is active, made when it is first asked for."""
    frames = [frame for group in groups_of(run) for frame in group.in_order][:MAX_SLIDES]
    if run.analysis is None or not frames:
        return None
    target = folder / "keyframes" / f"{get_language()}.mp4"
    from detection.web.keyframe_slides import slides  # its font comes with ReportLab: loaded with the first video

    with _making:
        if not target.is_file():
            write_slideshow(slides(run, run.analysis, folder, frames), target, SECONDS_EACH)
    return target
