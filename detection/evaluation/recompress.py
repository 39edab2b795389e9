"""The same clip as it looks after a platform, an editor or a phone had it: what a verdict should survive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame

from detection.records.schema import Reason
from detection.vision.preview import Upright
from detection.vision.video import VideoError, decode, open_video, packets, shown_size

WORST_CRF = 51
NEARLY_LOSSLESS_CRF = 12  # for the changes that are not about compression
CROPPED_SHARE = 0.08  # of width and height, on each of the four sides
BRIGHTENED_BY = 1.2  # luma above black


@dataclass(frozen=True)
class Variant:
    """One change. `scale` is the side's factor, `filters` FFmpeg's names and options, `crf` the rate of x264."""

    name: str
    crf: int = NEARLY_LOSSLESS_CRF
    scale: float = 1.0
    filters: tuple[tuple[str, str | None], ...] = ()


_KEPT = 1 - 2 * CROPPED_SHARE
CHANGES: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("half", scale=0.5),
        Variant("crop", scale=_KEPT, filters=(("crop", f"iw*{_KEPT}:ih*{_KEPT}"),)),
        Variant("mirror", filters=(("hflip", None),)),
        Variant(
            "bright",
            filters=(("format", "yuv420p"), ("lutyuv", f"y=clip(minval+(val-minval)*{BRIGHTENED_BY},minval,maxval)")),
        ),
    )
}


def variants(names: str) -> tuple[Variant, ...]:
    """The variants of a list such as "crf23,crf32,half". Raises ValueError for a name that stands for none."""
    return tuple(map(_variant, dict.fromkeys(name.strip() for name in names.split(",") if name.strip())))


def _variant(name: str) -> Variant:
    if name in CHANGES:
        return CHANGES[name]
    rate = re.fullmatch(r"crf(\d{1,2})", name)
    if rate is None or int(rate[1]) > WORST_CRF:
        raise ValueError(f"There is no variant {name!r}: name crf0 to crf{WORST_CRF} or {', '.join(CHANGES)}.")
    return Variant(name, crf=int(rate[1]))


def write_variant(source: Path, variant: Variant, target: Path) -> None:
    """`source`, changed, as H.264 in MP4: upright, at its own times, without sound. Raises VideoError."""
    with (
        open_video(source) as (container, stream),
        av.open(str(target), "w", format="mp4") as output,
    ):
        encoder = output.add_stream(
            "libx264", rate=stream.average_rate or 25, options={"preset": "fast", "crf": str(variant.crf)}
        )
        encoder.pix_fmt = "yuv420p"
        encoder.codec_context.time_base = stream.time_base or Fraction(1, 90_000)
        change: Upright | None = None
        last_pts = None
        for packet in packets(container, stream):
            for frame in decode(packet):
                if change is None:
                    encoder.width, encoder.height = size = _size(shown_size(stream, frame), variant.scale)
                    change = Upright(size, "yuv420p", variant.filters)
                if frame.pts is None or (last_pts is not None and frame.pts <= last_pts):
                    continue  # a damaged time stamp
                last_pts = frame.pts
                output.mux(encoder.encode(_fresh(change.apply(frame))))
        if change is None:
            raise VideoError(Reason.UNREADABLE, f"{source.name} holds no picture that can be decoded.")
        output.mux(encoder.encode(None))


def _fresh(frame: VideoFrame) -> VideoFrame:
    """Without the frame type of the source, which x264 would take over."""
    frame.pict_type = av.video.frame.PictureType.NONE
    return frame


def _size(shown: tuple[int, int], scale: float) -> tuple[int, int]:
    """Even sides: H.264 stores colour at half the size."""
    width, height = (max(2, round(side * scale / 2) * 2) for side in shown)
    return width, height
