from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from detection.inference import weights
from detection.inference.weights import sha256_of
from detection.pipeline import Options, analyse
from detection.records.schema import Analysis, Reason
from detection.vision import quality
from tests.pipeline.conftest import THRESHOLDS
from tests.vision import clips


def run(path: Path, folder: Path, *modules: str, steps: list[tuple[str, int, int]] | None = None) -> Analysis:
    record = steps if steps is not None else []
    return analyse(path, modules or ("bright",), folder, lambda *step: record.append(step), Options(max_duration_s=60))


def test_a_video_gets_the_verdict_that_its_face_deserves(face_clip: Path, tmp_path: Path) -> None:
    analysis = run(face_clip, tmp_path)
    outcome = analysis.modules["bright"]
    mean = np.mean([point.score for point in outcome.timeline])
    assert analysis.score == pytest.approx(mean)
    assert analysis.verdict == THRESHOLDS.verdict(analysis.score)
    assert analysis.thresholds == THRESHOLDS
    assert analysis.reason is None
    assert analysis.frames_analysed == 20
    assert analysis.duration_s == pytest.approx(1.6)
    (person,) = analysis.people
    assert (person.id, person.frames, person.modules) == (1, 20, {"bright": pytest.approx(mean)})
    assert person.spans[0].end_s == pytest.approx(1.52, abs=0.01)
    assert 0 < outcome.seconds < analysis.seconds


def test_the_evidence_lies_where_the_record_says(face_clip: Path, tmp_path: Path) -> None:
    analysis = run(face_clip, tmp_path)
    evidence = analysis.modules["bright"].evidence
    plain = {e.frame_index: e.path for e in evidence if e.kind == "plain_frame"}
    own = {e.frame_index: e.path for e in evidence if e.kind == "bright"}
    assert plain.keys() == own.keys()
    assert plain
    for path in [*plain.values(), *own.values(), analysis.people[0].portrait]:
        assert cv2.imread(str(tmp_path / path)).shape == (256, 256, 3)
    frame = next(iter(plain))
    shown, inverted = (cv2.imread(str(tmp_path / p[frame])).astype(int) for p in (plain, own))
    assert np.abs(255 - shown - inverted).mean() < 3


def test_progress_goes_through_the_stages(face_clip: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    run(face_clip, tmp_path, steps=steps)
    assert list(dict.fromkeys(stage for stage, _, _ in steps)) == ["probe", "decode", "bright", "fuse"]
    decoded = [(done, total) for stage, done, total in steps if stage == "decode"]
    assert decoded == [(i, 20) for i in range(1, 21)]
    assert ("bright", 20, 20) in steps


@pytest.mark.parametrize("stage", ["probe", "decode", "bright", "fuse"])
def test_it_can_be_cancelled_at_any_stage(face_clip: Path, tmp_path: Path, stage: str) -> None:
    class Cancelled(Exception):
        pass

    def progress(at: str, done: int, total: int) -> None:
        if at == stage:
            raise Cancelled

    with pytest.raises(Cancelled):
        analyse(face_clip, ["bright"], tmp_path, progress)


def test_versions_say_what_made_the_result(face_clip: Path, tmp_path: Path) -> None:
    analysis = run(face_clip, tmp_path)
    assert {"program", "onnxruntime", "av", "cv2"} <= analysis.versions.keys()
    yunet = weights.ASSETS / weights.asset("yunet").file
    assert sha256_of(yunet).startswith(analysis.versions["yunet"])
    assert analysis.modules["bright"].versions == {"bright": "1"}


def test_a_module_that_is_missing_beside_one_that_is_there(face_clip: Path, tmp_path: Path) -> None:
    analysis = run(face_clip, tmp_path, "bright", "absent")
    assert analysis.verdict == THRESHOLDS.verdict(analysis.score)
    assert analysis.score == analysis.modules["bright"].score
    absent = analysis.modules["absent"]
    assert (absent.verdict, absent.reason) == ("no_result", Reason.MODULE_UNAVAILABLE)
    assert analysis.detail == "The absent module has no weights yet."


def test_no_module_that_could_judge(face_clip: Path, tmp_path: Path) -> None:
    analysis = run(face_clip, tmp_path, "absent")
    assert (analysis.verdict, analysis.score, analysis.reason) == ("no_result", None, Reason.MODULE_UNAVAILABLE)
    assert analysis.people[0].reason is Reason.MODULE_UNAVAILABLE


def test_a_damaged_weight_makes_its_module_unavailable(
    face_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def analyse_without_weights(*_: object) -> None:
        raise weights.WeightsCorrupt("The weights file x.onnx is damaged.")

    monkeypatch.setattr("tests.pipeline.conftest.BrightnessDetector.analyse", analyse_without_weights)
    analysis = run(face_clip, tmp_path)
    assert analysis.reason is Reason.MODULE_UNAVAILABLE
    assert "x.onnx is damaged" in (analysis.detail or "")


def test_a_fault_in_a_detector_is_not_swallowed(face_clip: Path, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="a fault in the detector"):
        run(face_clip, tmp_path, "bright", "broken")


def test_a_module_that_is_not_registered(face_clip: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such module: nonsense"):
        run(face_clip, tmp_path, "nonsense")


def assert_no_result(analysis: Analysis, reason: Reason) -> None:
    assert (analysis.verdict, analysis.score, analysis.reason, analysis.people) == ("no_result", None, reason, ())
    assert analysis.detail
    assert {o.reason for o in analysis.modules.values()} == {reason}
    assert {o.score for o in analysis.modules.values()} == {None}


def test_no_face(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(20))
    analysis = run(path, tmp_path)
    assert_no_result(analysis, Reason.NO_FACE)
    assert analysis.frames_analysed == 10


def test_a_face_too_small(tmp_path: Path) -> None:
    small = [cv2.resize(f, (88, 66), interpolation=cv2.INTER_AREA) for f in clips.moving_face(20)]
    frames = [cv2.copyMakeBorder(f, 80, 94, 100, 132, cv2.BORDER_CONSTANT) for f in small]
    analysis = run(clips.write_clip(tmp_path / "clip.mp4", frames), tmp_path)
    assert_no_result(analysis, Reason.FACE_TOO_SMALL)
    assert "pixels" in (analysis.detail or "")


def test_too_few_frames(tmp_path: Path) -> None:
    """Two frames show no person long enough; three with faces out of focus cannot be judged."""
    blurred = [cv2.GaussianBlur(f, (0, 0), 5) for f in clips.moving_face(12, (480, 360))]
    analysis = run(clips.write_clip(tmp_path / "clip.mp4", blurred, options={"crf": "10"}), tmp_path)
    assert_no_result(analysis, Reason.TOO_FEW_FRAMES)
    assert "blurred" in (analysis.detail or "")
    assert quality.MIN_USABLE_FACES == 3


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", Reason.UNREADABLE),
        ("text.mp4", b"no video at all\n" * 99, Reason.UNREADABLE),
        ("noise.webm", bytes(range(256)) * 40, Reason.UNREADABLE),
    ],
)
def test_what_is_no_video(tmp_path: Path, name: str, content: bytes, reason: Reason) -> None:
    (tmp_path / name).write_bytes(content)
    analysis = run(tmp_path / name, tmp_path)
    assert_no_result(analysis, reason)
    assert name in (analysis.detail or "")


def test_sound_alone(tmp_path: Path) -> None:
    assert_no_result(run(clips.write_sound(tmp_path / "sound.mp4"), tmp_path), Reason.NO_VIDEO_STREAM)


def test_too_long(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "long.mp4", clips.numbered(65), rate=1)
    assert_no_result(run(path, tmp_path), Reason.TOO_LONG)


def test_a_result_can_be_written_as_json(face_clip: Path, tmp_path: Path) -> None:
    from detection.records import codec

    plain = json.loads(codec.to_json(run(face_clip, tmp_path, "bright", "absent")))
    assert plain["modules"]["absent"]["reason"] == "module_unavailable"
