"""Pictures that a person can look at: portraits and plain key frames, written below a run's folder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from detection.records.schema import Evidence
from detection.vision.keyframes import Why, reasons, worth
from detection.vision.types import Array, Face, Image, Observation, Person

PLAIN_FRAMES = "plain_frames"
PORTRAITS = "portraits"
JPEG_QUALITY = 95
OPACITY = 0.6  # of a map laid over a face


def write_picture(path: Path, image: Image) -> None:
    """Writes an RGB picture (H, W, 3) or a grey one (H, W) as its ending says. Raises OSError when it cannot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = image[:, :, ::-1] if image.ndim == 3 else image
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
    ok, data = cv2.imencode(path.suffix, np.ascontiguousarray(ordered), options)
    if not ok:
        raise OSError(f"{path.name} cannot be encoded as {path.suffix}")
    path.write_bytes(data.tobytes())


def overlay(crop: Image, heat: Array, colours: int) -> Image:
    """The crop (S, S, 3) in grey with a map `heat` (R, R), 0 to 1, laid over it in one of OpenCV's colour maps.

    The same value has the same colour in every picture: a map is never stretched to its own maximum.
    """
    side = crop.shape[0]
    smooth = np.clip(cv2.resize(heat.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)
    coloured = cv2.applyColorMap((smooth * 255).astype(np.uint8), colours)[..., ::-1]
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    alpha = (OPACITY * np.sqrt(smooth))[..., None]  # the face stays visible where nothing was found
    return np.asarray(grey * (1 - alpha) + coloured * alpha, np.uint8)


def write_portraits(observation: Observation, run_dir: Path) -> dict[int, str]:
    """Each person's best key frame, cut out; by the person's id its path relative to `run_dir`."""
    portraits = {}
    for person in observation.people:
        best = max((person.faces[k.face] for k in person.key_frames), key=lambda f: worth(f.quality))
        portraits[person.id] = f"{PORTRAITS}/{person.id}.jpg"
        write_picture(run_dir / portraits[person.id], best.crop)
    return portraits


def write_plain_frames(observation: Observation, run_dir: Path) -> tuple[Evidence, ...]:
    """The face of every key frame as the detectors see it, in `plain_frames/`, named by person and frame."""
    return tuple(evidence for person in observation.people for evidence in _plain_frames(person, run_dir))


def _plain_frames(person: Person, run_dir: Path) -> list[Evidence]:
    faces = [person.faces[key_frame.face] for key_frame in person.key_frames]
    why = reasons([face.quality for face in faces])
    return [write_plain_frame(run_dir, person.id, face, each) for face, each in zip(faces, why, strict=True)]


def write_plain_frame(run_dir: Path, person: int, face: Face, why: tuple[Why, ...]) -> Evidence:
    """The face as the detectors see it, as evidence; also for a module that shows a frame that is no key frame."""
    path = f"{PLAIN_FRAMES}/{picture_name(person, face.frame_index)}"
    write_picture(run_dir / path, face.crop)
    return Evidence("plain_frame", path, person, face.frame_index, face.time_s, reasons=why)


def picture_name(person: int, frame_index: int) -> str:
    """The name that pictures of one moment share across the folders of a run."""
    return f"person{person}_frame{frame_index:07d}.jpg"
