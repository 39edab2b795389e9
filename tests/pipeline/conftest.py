"""Small real detectors: what they say is measured on the faces, so that a test sees what went through the pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detection import modules
from detection.fusion import most_suspicious
from detection.modules import ModuleContext, ModuleSpec, ModuleUnavailable
from detection.records.schema import Evidence, FrameScore, ModuleOutcome, PersonScore, Reason, Thresholds
from detection.vision.pictures import picture_name, write_picture
from detection.vision.types import Face, Observation
from tests.vision import clips

THRESHOLDS = Thresholds(real_below=0.3, fake_from=0.6)


def brightness(face: Face) -> float:
    """Of the crop, 0 to 1."""
    return float(face.crop.mean()) / 255


class BrightnessDetector:
    """Calls bright faces fake."""

    key = "bright"

    def score(self, face: Face) -> float:
        return brightness(face)

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        people, timeline, evidence = [], [], []
        total = sum(len(p.faces) for p in observation.people)
        for person in observation.people:
            usable = [face for face in person.faces if face.quality.usable]
            scores = [self.score(face) for face in usable]
            timeline += [FrameScore(person.id, f.frame_index, f.time_s, s) for f, s in zip(usable, scores, strict=True)]
            score = float(np.mean(scores)) if len(scores) >= 3 else None
            reason = None if score is not None else Reason.TOO_FEW_FRAMES
            people.append(PersonScore(person.id, score, THRESHOLDS.verdict(score), len(scores), reason))
            for key_frame in person.key_frames:
                face = person.faces[key_frame.face]
                path = f"{self.key}/{picture_name(person.id, face.frame_index)}"
                write_picture(context.run_dir / path, 255 - face.crop)
                evidence.append(Evidence(self.key, path, person.id, face.frame_index, face.time_s, self.score(face)))
            context.progress(len(timeline), total)
        decides = most_suspicious(people)
        return ModuleOutcome(
            self.key,
            decides.score if decides else None,
            decides.verdict if decides else "no_result",
            thresholds=THRESHOLDS,
            people=tuple(people),
            timeline=tuple(timeline),
            evidence=tuple(evidence),
            versions={"bright": "1"},
        )


class DarknessDetector(BrightnessDetector):
    """Calls dark faces fake."""

    key = "dark"

    def score(self, face: Face) -> float:
        return 1 - brightness(face)


class AbsentDetector:
    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        raise ModuleUnavailable("The absent module has no weights yet.")


class BrokenDetector:
    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        raise ZeroDivisionError("a fault in the detector")


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry holds the test's detectors alone."""
    here = __name__
    specs = [
        ModuleSpec("bright", "Brightness", f"{here}.BrightnessDetector"),
        ModuleSpec("dark", "Darkness", f"{here}.DarknessDetector"),
        ModuleSpec("absent", "Absent", f"{here}.AbsentDetector"),
        ModuleSpec("broken", "Broken", f"{here}.BrokenDetector"),
    ]
    for key in reversed(
        list(modules.MODULES)
    ):  # undone in reverse: the registry's order, which means something, comes back
        monkeypatch.delitem(modules.MODULES, key)
    for spec in specs:
        monkeypatch.setitem(modules.MODULES, spec.key, spec)
    monkeypatch.setattr(modules, "_loaded", {})


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.6 s of one face."""
    return clips.write_clip(tmp_path_factory.mktemp("clips") / "face.mp4", clips.moving_face(40, (480, 360)))
