from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from relitalk.errors import RelightError
from relitalk.video import ClipReader, ClipWriter, write_frames


def copy(source, target, metadata=None):
    """Every frame read and written again, unchanged."""
    with ClipReader.open(source) as clip:
        early, state = [], {}
        with av.open(str(source)) as probe:
            frame = next(probe.decode(video=0))
        first = True
        frames = clip.frames(
            lambda packet: state["writer"].write_audio(packet) if "writer" in state else early.append(packet)
        )
        for frame in frames:
            image = frame.image
            if first:
                context = ClipWriter.open(target, clip.format, (image.shape[1], image.shape[0]), metadata or {})
                state["writer"] = context.__enter__()
                for packet in early:
                    state["writer"].write_audio(packet)
                first = False
            state["writer"].write(image, frame.pts)
        context.__exit__(None, None, None)


def times(path) -> list[float]:
    with av.open(str(path)) as container:
        return [round(frame.time, 4) for frame in container.decode(video=0)]


def images(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_variable_frame_rate_is_kept(swaying, make_clip, tmp_path):
    source = make_clip(swaying[:8], times_ms=[0, 40, 50, 200, 230, 500, 540, 900])
    copy(source, tmp_path / "out.mp4")
    assert times(tmp_path / "out.mp4") == times(source)


def test_what_is_not_changed_comes_out_as_it_went_in(clip, tmp_path):
    copy(clip, tmp_path / "out.mp4")
    for before, after in zip(images(clip), images(tmp_path / "out.mp4"), strict=True):
        difference = after.astype(int) - before
        assert np.abs(difference).mean() < 4  # the second compression's
        assert np.abs(difference.mean(axis=(0, 1))).max() < 1.5  # a wrong matrix or range shifts by more


def test_the_output_is_what_browsers_play(clip, tmp_path):
    copy(clip, tmp_path / "out.mp4", {"comment": "generated"})
    with av.open(str(tmp_path / "out.mp4")) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.codec_context.profile, video.pix_fmt) == ("h264", "High", "yuv420p")
        assert container.metadata["comment"] == "generated"
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def audio_packets(path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_aac_is_copied(clip, tmp_path):
    copy(clip, tmp_path / "out.mp4")
    assert audio_packets(tmp_path / "out.mp4") == audio_packets(clip)


def test_other_sound_becomes_aac(swaying, make_clip, tmp_path):
    source = make_clip(swaying, "tone.mkv", audio="flac")
    copy(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(heard) / 48000 == pytest.approx(0.96, abs=0.1)
    assert np.abs(heard).max() > 0.1


def test_a_clip_without_sound_gets_silence(swaying, make_clip, tmp_path):
    copy(make_clip(swaying), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(heard) / 48000 == pytest.approx(0.95, abs=0.1)
    assert np.abs(heard).max() < 1e-3


def test_odd_sides_become_even(portrait, make_clip, tmp_path):
    source = make_clip([portrait[:201, :203]] * 6, "odd.mkv", pix_fmt="yuv444p")
    copy(source, tmp_path / "out.mp4")
    assert images(tmp_path / "out.mp4")[0].shape == (200, 202, 3)


def test_colour_tags_are_kept(portrait, tmp_path):
    source = tmp_path / "tagged.mp4"
    with av.open(str(source), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.height, stream.width = portrait.shape[:2]
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 1, 1, 1, 2
        for _ in range(6):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(portrait, format="rgb24")))
        output.mux(stream.encode(None))
    copy(source, tmp_path / "out.mp4")
    found = []
    for path in (source, tmp_path / "out.mp4"):
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            found.append(
                (int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range))
            )
            found.append(frame.to_ndarray(format="gray").astype(int))
    assert found[0] == found[2] == (1, 1, 1, 2)
    assert np.abs(found[1] - found[3]).mean() < 2


def test_a_file_that_breaks_off_gives_what_is_there(clip, tmp_path, swaying, make_clip):
    source = make_clip(swaying, "whole.mkv")
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(source.read_bytes()[: int(source.stat().st_size * 0.6)])
    with ClipReader.open(cut) as reader:
        count = sum(1 for _ in reader.frames())
    assert 3 < count < 24


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_what_is_no_video_is_said(tmp_path, content):
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(RelightError, match=r"broken\.mp4") as caught, ClipReader.open(path):
        pass
    assert caught.value.reason == "unreadable"


def test_a_failure_leaves_no_file(clip, tmp_path, portrait):
    target = tmp_path / "out" / "relit.mp4"
    with ClipReader.open(clip) as reader:
        next(reader.frames())
        with pytest.raises(RuntimeError), ClipWriter.open(target, reader.format, (320, 320), {}) as writer:  # noqa: PT012
            writer.write(portrait, 0)
            raise RuntimeError
    assert list(target.parent.iterdir()) == []


def test_rendered_frames_get_the_sound_of_the_clip(swaying, clip, tmp_path):
    count = write_frames(iter(swaying), 25, tmp_path / "out.mp4", {}, sound_of=clip)
    assert count == 24
    assert times(tmp_path / "out.mp4") == [round(float(Fraction(i, 25)), 4) for i in range(24)]
    assert audio_packets(tmp_path / "out.mp4") == audio_packets(clip)
