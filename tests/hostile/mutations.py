"""Ways to damage a file: each takes a random source and the bytes of a sound file, and gives those of a hostile one."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from random import Random

Mutation = Callable[[Random, bytes], bytes]

# Names of boxes and chunks that say how large, how long and how many: where a lie does the most.
BOXES = (
    b"moov trak mdia minf stbl stsd stts ctts stss stsc stsz stco co64 mdhd tkhd mvhd hdlr elst mdat ftyp avc1 avcC "
    b"jpeg RIFF LIST hdrl avih strl strh strf movi idx1 00dc"
).split()
SIZE_BOXES = (b"tkhd", b"avc1", b"jpeg", b"avih", b"strf")
TIME_BOXES = (b"stts", b"ctts", b"mdhd", b"mvhd", b"elst", b"tkhd")
ABSURD_32 = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x10000, 16_384)
MATROSKA_DURATION = b"\x44\x89\x88"  # a float of 8 bytes follows
MATROSKA_WIDTH, MATROSKA_HEIGHT = b"\xb0", b"\xba"


def bit_flips(draw: Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(draw.choice((1, 8, 64, 512))):
        out[draw.randrange(len(out))] ^= 1 << draw.randrange(8)
    return bytes(out)


def header_flips(draw: Random, data: bytes) -> bytes:
    """As `bit_flips`, where the container describes itself."""
    out = bytearray(data)
    for _ in range(draw.choice((1, 4, 16))):
        out[draw.randrange(min(len(out), 1200))] ^= 1 << draw.randrange(8)
    return bytes(out)


def truncation(draw: Random, data: bytes) -> bytes:
    return data[: draw.choice((draw.randrange(64), draw.randrange(len(data)), len(data) - draw.randrange(1, 200)))]


def lost_start(draw: Random, data: bytes) -> bytes:
    return data[draw.randrange(1, len(data)) :]


def hole(draw: Random, data: bytes) -> bytes:
    """A stretch of zeros, as a broken disk gives."""
    begin = draw.randrange(len(data))
    end = min(len(data), begin + draw.choice((16, 512, 4096)))
    return data[:begin] + bytes(end - begin) + data[end:]


def swapped_blocks(draw: Random, data: bytes) -> bytes:
    a, b, c, d = sorted(draw.randrange(len(data)) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def repeated_block(draw: Random, data: bytes) -> bytes:
    begin = draw.randrange(len(data))
    block = data[begin : begin + draw.choice((8, 100, 5000))]
    return data[:begin] + block * draw.choice((2, 20, 200)) + data[begin:]


def inserted_noise(draw: Random, data: bytes) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + draw.randbytes(draw.choice((1, 7, 300, 5000))) + data[at:]


def resized_box(draw: Random, data: bytes) -> bytes:
    """A box of MP4 or chunk of AVI that lies about its size."""
    found = _positions(data, BOXES)
    if not found:
        return bit_flips(draw, data)
    at = draw.choice(found)
    field = at + 4 if data[:4] == b"RIFF" else at - 4
    order = "<I" if data[:4] == b"RIFF" else ">I"
    return _patched(data, field, struct.pack(order, draw.choice((*ABSURD_32, draw.randrange(2**32)))))


def renamed_box(draw: Random, data: bytes) -> bytes:
    found = _positions(data, BOXES)
    if not found:
        return swapped_blocks(draw, data)
    return _patched(data, draw.choice(found), draw.choice(BOXES))


def absurd_size(draw: Random, data: bytes) -> bytes:
    """Pictures of an absurd width and height, where the container or the stream says so."""
    width, height = draw.choice(((65_535, 65_535), (16_384, 16_384), (0, 0), (1, 65_535), (1, 1), (0x7FFF, 3)))
    if data[:3] == b"GIF":
        return _patched(data, 6, struct.pack("<HH", width, height))
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return _with_matroska_size(data, width, height)
    found = _positions(data, SIZE_BOXES)
    if not found:
        return header_flips(draw, data)
    at = draw.choice(found)
    name = data[at : at + 4]
    if name in (b"avc1", b"jpeg"):
        return _patched(data, at + 28, struct.pack(">HH", width, height))
    if name == b"tkhd":
        return _patched(data, at + 80, struct.pack(">II", width << 16, height << 16))
    offset = 40 if name == b"avih" else 12
    return _patched(data, at + offset, struct.pack("<II", width, height))


def absurd_times(draw: Random, data: bytes) -> bytes:
    """Time stamps, scales and durations that are negative, enormous, zero, or no number at all."""
    if (at := data.find(MATROSKA_DURATION)) >= 0 and draw.random() < 0.7:
        value = draw.choice((math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300, 5e-324))
        return _patched(data, at + 3, struct.pack(">d", value))
    found = _positions(data, TIME_BOXES)
    if not found:
        return header_flips(draw, data)
    out = data
    for _ in range(draw.choice((1, 3))):
        at = draw.choice(found) + 4 + 4 * draw.randrange(1, 8)
        out = _patched(out, at, struct.pack(">I", draw.choice(ABSURD_32)))
    return out


def absurd_count(draw: Random, data: bytes) -> bytes:
    """A table that claims more entries than any disk holds."""
    found = _positions(data, (b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"stss", b"stsd", b"elst"))
    if not found:
        return header_flips(draw, data)
    at = draw.choice(found)
    return _patched(data, at + draw.choice((8, 12)), struct.pack(">I", draw.choice(ABSURD_32)))


MUTATIONS: tuple[Mutation, ...] = (
    bit_flips,
    header_flips,
    truncation,
    lost_start,
    hole,
    swapped_blocks,
    repeated_block,
    inserted_noise,
    resized_box,
    renamed_box,
    absurd_size,
    absurd_times,
    absurd_count,
)


def _positions(data: bytes, names: tuple[bytes, ...] | list[bytes]) -> list[int]:
    found = []
    for name in names:
        at = data.find(name)
        while at >= 4 and len(found) < 200:
            found.append(at)
            at = data.find(name, at + 1)
    return sorted(found)


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    """The same length as before: what would stand behind the end is left out."""
    return (data[:at] + new + data[at + len(new) :])[: len(data)]


def _with_matroska_size(data: bytes, width: int, height: int) -> bytes:
    """Width and height of a Matroska track: elements of one or two bytes near the file's start."""
    out = data
    for element, value in ((MATROSKA_WIDTH, width), (MATROSKA_HEIGHT, height)):
        for length in (2, 1):
            at = out.find(element + bytes([0x80 | length]), 0, 2000)
            if at >= 0:
                out = _patched(out, at + 2, (value & (256**length - 1)).to_bytes(length, "big"))
                break
    return out
