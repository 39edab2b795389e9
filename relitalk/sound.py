"""The sound of a relit clip: copied where browsers play it from an MP4, else made AAC; silence where there is none."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

COPIED_AUDIO = {"aac", "mp3"}
AUDIO_RATE_HZ = 48_000
SILENCE_SAMPLES = 1024


def sound_for(output: OutputContainer, source: AudioStream | None, start_s: float) -> Sound:
    """The way that the sound of a clip takes into `output`. `start_s` is the time stamp of its 0:00."""
    if source is None:
        return _Silence(output)
    if source.codec_context.codec.canonical_name in COPIED_AUDIO:
        return _CopiedSound(output, source, start_s)
    return _EncodedSound(output, start_s)


class Sound:
    """The output's sound track. `reach` says how far the picture is, in seconds."""

    def take(self, packet: Packet[Any]) -> None:
        pass

    def reach(self, time_s: float) -> None:
        pass

    def finish(self) -> None:
        pass


class _CopiedSound(Sound):
    def __init__(self, output: OutputContainer, source: AudioStream, start_s: float) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(source)
        self._offset = round(start_s / source.time_base) if source.time_base else 0
        self._last: int | None = None

    def take(self, packet: Packet[Any]) -> None:
        if packet.dts is None or (self._last is not None and packet.dts - self._offset <= self._last):
            return  # the muxer takes none that goes back in time
        packet.pts = None if packet.pts is None else packet.pts - self._offset
        packet.dts -= self._offset
        self._last = packet.dts
        packet.stream = self._stream
        self._output.mux(packet)


class _EncodedSound(Sound):
    def __init__(self, output: OutputContainer, start_s: float) -> None:
        self._output = output
        self._stream = output.add_stream("aac", rate=AUDIO_RATE_HZ, layout="stereo")
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE_HZ)
        self._start_s = start_s
        self._samples: int | None = None

    def take(self, packet: Packet[Any]) -> None:
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            return
        for frame in frames:
            if isinstance(frame, AudioFrame):
                for resampled in self._resampler.resample(frame):
                    self._encode(resampled)

    def _encode(self, frame: AudioFrame) -> None:
        if self._samples is None:  # counted on from the first: a resampled frame's own times may overlap
            self._samples = max(0, round(((frame.time or 0.0) - self._start_s) * AUDIO_RATE_HZ))
        frame.pts, frame.time_base = self._samples, Fraction(1, AUDIO_RATE_HZ)
        self._samples += frame.samples
        self._output.mux(self._stream.encode(frame))

    def finish(self) -> None:
        for rest in self._resampler.resample(None):
            self._encode(rest)
        self._output.mux(self._stream.encode(None))


class _Silence(Sound):
    def __init__(self, output: OutputContainer) -> None:
        self._output = output
        self._stream = output.add_stream("aac", rate=AUDIO_RATE_HZ, layout="mono")
        self._samples = 0

    def reach(self, time_s: float) -> None:
        while self._samples < time_s * AUDIO_RATE_HZ:
            frame = AudioFrame.from_ndarray(np.zeros((1, SILENCE_SAMPLES), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE_HZ, self._samples, Fraction(1, AUDIO_RATE_HZ)
            self._output.mux(self._stream.encode(frame))
            self._samples += SILENCE_SAMPLES

    def finish(self) -> None:
        self._output.mux(self._stream.encode(None))
