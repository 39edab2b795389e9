"""Sound files to be damaged: a few real containers, each with the same small talking head in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.vision import clips

FRAMES = 16
SIZE = (240, 180)  # the face is 80 pixels high: small, and judged

# Ending → encoder, pixels, and the container's options. Index first where a cut file should keep it.
CONTAINERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "mp4": ("libx264", "yuv420p", {"movflags": "faststart"}),
    "mov": ("mjpeg", "yuvj420p", {}),
    "mkv": ("libx264", "yuv420p", {}),
    "webm": ("libvpx", "yuv420p", {}),
    "avi": ("mpeg4", "yuv420p", {}),
    "gif": ("gif", "rgb8", {}),
    "mpg": ("mpeg2video", "yuv420p", {}),
    "ts": ("libx264", "yuv420p", {}),
    "flv": ("flv", "yuv420p", {}),
    "ogv": ("libtheora", "yuv420p", {}),
}
CODEC_OPTIONS = {"libvpx": {"deadline": "realtime", "cpu-used": "8"}, "libx264": {"preset": "ultrafast", "g": "8"}}


@cache
def frames() -> tuple[clips.Image, ...]:
    return tuple(clips.moving_face(FRAMES, SIZE))


def write_seeds(folder: Path) -> dict[str, bytes]:
    """Each container's bytes by its ending. An encoder that this FFmpeg lacks leaves its container out."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = {}
    for ending, (codec, pixels, options) in CONTAINERS.items():
        path = folder / f"seed.{ending}"
        try:
            clips.write_clip(
                path,
                frames(),
                codec=codec,
                pixels=pixels,
                options=CODEC_OPTIONS.get(codec),
                container_options=options,
            )
        except ValueError:  # av.codec.codec.UnknownCodecError
            continue
        seeds[ending] = path.read_bytes()
    return seeds
