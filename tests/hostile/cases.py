"""The cases of the fuzz suite: which damage to which file under which name, all of it drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.hostile.bombs import BOMBS, many_frames, picture_of_16k
from tests.hostile.mutations import MUTATIONS

BOMB_EVERY = 5
COSTLY = (picture_of_16k,)  # made and survived once in a while only: seconds each
COSTLY_EVERY = 100

NAMES = (
    "../../../../tmp/escaped.mp4",
    "..\\..\\windows\\escaped.mp4",
    "/etc/cron.d/escaped",
    "....//....//escaped.mp4",
    "%2e%2e%2fescaped.mp4",
    "视频 – \u202e4pm.exe\u202c.mp4",
    "é" * 300 + ".mp4",
    "x" * 300,
    "." * 300 + "mp4",
    "line\r\nSet-Cookie: a=b.mp4",
    "nul\0byte.mp4",
    "bell\x07\x1b[31m.mp4",
    "CON.mp4",
    "aux",
    "nul.",
    ".",
    "..",
    " ",
    "-rf.mp4",
    "--help.mp4",
    "'; rm -rf /; '.mp4",
    "<img src=x onerror=alert(1)>.mp4",
    "{{ 7*7 }}{% now %}.mp4",
    "a.mp4.json",
    "a.JSON",
    "\ud800lone.mp4".encode("utf-8", "replace").decode(),
    "👩‍👩‍👧‍👦.webm",
    "file:evil.mp4",
    "concat:a.mp4|b.mp4",
    "https:⁄⁄example.mp4",
)


@dataclass(frozen=True)
class Case:
    """One hostile file. `kind` is its damage, `name` what the browser calls it."""

    number: int
    kind: str
    path: Path
    name: str


def case(seed: int, number: int, folder: Path, seeds: dict[str, bytes], *, quick: bool = False) -> Case:
    """Case `number` of `seed`, below `folder`: from these two alone, so that any can be made again."""
    draw = Random(f"{seed}:{number}")
    own = folder / f"case{number}"
    own.mkdir(parents=True, exist_ok=True)
    name = draw.choice(NAMES)
    if number % COSTLY_EVERY == COSTLY_EVERY - 1 and not quick:
        bomb = COSTLY[number // COSTLY_EVERY % len(COSTLY)]
    elif number % BOMB_EVERY == 0:
        cheap = [bomb for bomb in BOMBS if bomb not in COSTLY and not (quick and bomb is many_frames)]
        bomb = cheap[number // BOMB_EVERY % len(cheap)]
    else:
        ending = draw.choice(sorted(seeds))
        mutation = MUTATIONS[number % len(MUTATIONS)]
        path = own / f"clip.{ending}"
        path.write_bytes(mutation(draw, seeds[ending]))
        return Case(number, mutation.__name__, path, name)
    return Case(number, bomb.__name__, bomb(draw, own), name)
