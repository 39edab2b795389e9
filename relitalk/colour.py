"""What the colours of a clip mean, and the conversion of its frames that keeps that meaning."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.filter import Graph
from av.video.frame import VideoFrame

SCALE_FLAGS = "bilinear+accurate_rnd+full_chroma_int"
FULL_RANGE = 2
UNSPECIFIED = 2
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}


@dataclass(frozen=True)
class Colour:
    """How a clip's YUV values are meant, as the numbers of ITU-T H.273; 2 is unspecified."""

    matrix: int
    primaries: int
    transfer: int
    full_range: bool

    @classmethod
    def of(cls, frame: VideoFrame) -> Colour:
        full = int(frame.color_range) == FULL_RANGE or frame.format.name.startswith("yuvj")
        return cls(int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), full)

    def scale_names(self, height: int) -> tuple[str, str]:
        """The scale filter's names of matrix and range. An unspecified matrix is the one players take for that size."""
        matrix = _MATRICES.get(self.matrix, "bt709" if height >= 720 else "bt601")
        return matrix, "pc" if self.full_range else "tv"


class Converter:
    """A filter graph that is built anew only when the frames change their size or format."""

    def __init__(self) -> None:
        self._made_for: tuple[Any, ...] = ()
        self._graph: Graph | None = None

    def apply(self, frame: VideoFrame, steps: tuple[str, ...]) -> VideoFrame:
        wanted = (frame.width, frame.height, frame.format.name, steps)
        if self._graph is None or wanted != self._made_for:
            self._graph, self._made_for = Graph(), wanted
            nodes = [
                self._graph.add_buffer(
                    width=frame.width,
                    height=frame.height,
                    format=frame.format,
                    time_base=frame.time_base or Fraction(1, 1000),
                )
            ]
            for step in steps:
                name, _, options = step.partition("=")
                nodes.append(self._graph.add(name, options))
            nodes.append(self._graph.add("buffersink"))
            self._graph.link_nodes(*nodes).configure()
        self._graph.push(frame)
        converted = self._graph.pull()
        assert isinstance(converted, VideoFrame)
        return converted
