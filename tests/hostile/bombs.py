"""Files that are well formed and meant to exhaust who reads them, or to surprise: made, not mutated."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random

import av
import cv2
import numpy as np
from PIL import Image

from tests.clips import write_sound
from tests.hostile.seeds import SIZE, frames
from tests.vision import clips

Bomb = Callable[[Random, Path], Path]


def picture_of_16k(draw: Random, folder: Path) -> Path:
    """A megabyte that unpacks to 256: PNGs of 16,384 × 16,384 as the frames of a film that calls itself 640 × 480."""
    picture = _png(16_384)
    return _mux(folder / "bomb.mov", "png", "rgb24", [picture] * draw.choice((1, 4)), (640, 480))


@cache
def _png(side: int) -> bytes:
    rows = zlib.compressobj(1)
    packed = b"".join(rows.compress(bytes(1 + side)) for _ in range(side)) + rows.flush()

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def growing_pictures(draw: Random, folder: Path) -> Path:
    """Motion JPEG that begins small and goes on with 7,000 × 7,000, which the header does not say."""
    small = cv2.imencode(".jpg", frames()[0])[1].tobytes()
    large = cv2.imencode(".jpg", np.zeros((7000, 7000, 3), np.uint8))[1].tobytes()
    packets = [small] * 6 + [large] * draw.choice((2, 6)) + [small] * 6
    return _mux(folder / "growing.avi", "mjpeg", "yuvj420p", packets, SIZE)


def changing_sizes(draw: Random, folder: Path) -> Path:
    """Every picture has another size, from 1 × 1 to some hundred pixels, odd ones included."""
    packets = []
    for image in frames():
        size = (draw.randrange(1, 400), draw.randrange(1, 400))
        packets.append(cv2.imencode(".jpg", cv2.resize(image, size)[:, :, ::-1])[1].tobytes())
    return _mux(folder / "changing.avi", "mjpeg", "yuvj420p", packets, SIZE)


def joined_streams(draw: Random, folder: Path) -> Path:
    """Two raw H.264 streams of different sizes, one after the other."""
    parts = []
    for number, size in enumerate((SIZE, draw.choice(((128, 96), (322, 242), (64, 400))))):
        path = clips.write_clip(folder / f"{number}.h264", clips.moving_face(10, size))
        parts.append(path.read_bytes())
    joined = folder / "joined.h264"
    joined.write_bytes(b"".join(parts))
    return joined


def many_frames(draw: Random, folder: Path) -> Path:
    """Hundreds of thousands of frames in a few kilobytes each thousand: a GIF whose frames are one pixel."""
    count = draw.choice((20_000, 200_000))
    frame = (
        b"\x21\xf9\x04\x00\x01\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    )
    head = b"GIF89a" + struct.pack("<HHBBB", 64, 64, 0x80, 0, 0) + bytes((0, 0, 0, 255, 255, 255))
    path = folder / "frames.gif"
    path.write_bytes(head + frame * count + b"\x3b")
    return path


def many_streams(draw: Random, folder: Path) -> Path:
    """A film of several hundred streams."""
    path = folder / "streams.mkv"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("mpeg4", rate=25) for _ in range(draw.choice((120, 400)))]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        pixels = np.zeros((16, 16, 3), np.uint8)
        for number in range(2):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))
    return path


def many_programs(draw: Random, folder: Path) -> Path:
    """A transport stream with a table of thousands of streams, none of which comes."""
    path = folder / "programs.ts"
    packets = [_table(0x0000, b"".join(struct.pack(">HH", n, 0xE000 | 0x20 + n) for n in range(1, 40)))]
    for n in range(1, 40):
        body = struct.pack(">HH", 0xE000 | 0x100, 0xF000)
        body += b"".join(struct.pack(">BHH", 0x1B, 0xE000 | (0x100 + n * 30 + s), 0xF000) for s in range(30))
        packets.append(_table(0x20 + n, body, program=n, table=2))
    path.write_bytes(b"".join(packets) * draw.choice((5, 50)))
    return path


def odd_size(draw: Random, folder: Path) -> Path:
    width, height = draw.choice(((1, 1), (1, 240), (3, 5), (241, 181), (4001, 3), (2, 2)))
    images = [cv2.resize(image, (width, height)) for image in frames()]
    return clips.write_clip(folder / "odd.mov", images, codec="png", pixels="rgb24")


def few_frames(draw: Random, folder: Path) -> Path:
    return clips.write_clip(folder / "few.mp4", frames()[: draw.choice((1, 2))])


def no_duration(draw: Random, folder: Path) -> Path:
    """All frames at the same instant, or before the beginning, or years apart."""
    times = draw.choice(([0.0] * 16, [-3.0 + n / 25 for n in range(16)], [n * 1e6 for n in range(16)]))
    options = {"avoid_negative_ts": "disabled"}
    path = folder / "times.mkv"
    try:
        return clips.write_clip(
            path, frames(), codec="mjpeg", pixels="yuvj420p", times=times, container_options=options
        )
    except (av.FFmpegError, ValueError):  # the writer refuses such times: what it wrote up to there is the file
        return path


def palette(draw: Random, folder: Path) -> Path:
    """A GIF of 2, 16 or 256 colours, as other programs write it."""
    colours = draw.choice((2, 16, 256))
    first, *rest = [Image.fromarray(image).quantize(colours) for image in frames()]
    path = folder / "palette.gif"
    first.save(path, save_all=True, append_images=rest, duration=draw.choice((0, 40)))
    return path


def sound_alone(draw: Random, folder: Path) -> Path:
    return write_sound(folder / "sound.mp4")


def other_content(draw: Random, folder: Path) -> Path:
    """Content whose type is not its name's."""
    picture = cv2.imencode(draw.choice((".jpg", ".png", ".bmp", ".webp")), frames()[0])[1].tobytes()
    contents = (
        b"",
        b"\0" * 5000,
        b"This is a text, not a film.\n" * 100,
        b"<html><script>alert(1)</script></html>",
        b"#EXTM3U\n#EXTINF:2,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"PK\x03\x04" + draw.randbytes(2000),
        b"\x7fELF" + draw.randbytes(2000),
        draw.randbytes(20_000),
        picture,
    )
    path = folder / f"other.{draw.choice(('mp4', 'avi', 'webm', 'gif', 'mov', 'txt'))}"
    path.write_bytes(draw.choice(contents))
    return path


BOMBS: tuple[Bomb, ...] = (
    picture_of_16k,
    growing_pictures,
    changing_sizes,
    joined_streams,
    many_frames,
    many_streams,
    many_programs,
    odd_size,
    few_frames,
    no_duration,
    palette,
    sound_alone,
    other_content,
)


def _mux(path: Path, codec: str, pixels: str, packets: list[bytes], size: tuple[int, int]) -> Path:
    """Packets as they are, under a header that says `size`."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.open()
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 25), True
            packet.pts = packet.dts = number
            output.mux(packet)
    return path


def _table(pid: int, body: bytes, *, program: int = 1, table: int = 0) -> bytes:
    """One MPEG-TS packet with a program table; its check sum is right, or FFmpeg would pass over it."""
    section = struct.pack(">BHHBBB", table, 0xB000 | len(body) + 9, program, 0xC1, 0, 0) + body
    section += struct.pack(">I", _crc(section))
    return (struct.pack(">BHB", 0x47, 0x4000 | pid, 0x10) + b"\0" + section)[:188].ljust(188, b"\xff")


def _crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc
