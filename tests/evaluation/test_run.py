from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from detection.evaluation import run as running
from detection.evaluation.folders import read_folder
from detection.evaluation.recompress import variants
from detection.evaluation.run import Step, judges_of, run
from detection.evaluation.summary import summarise
from detection.modules import MODULES
from tests.evaluation.brightness import BrightnessDetector


def ignore(step: Step) -> None:
    """No progress is shown."""


def test_every_clip_gets_a_row_with_score_or_reason(labelled: Path, bright_module: type[BrightnessDetector]) -> None:
    rows = list(run(read_folder(labelled), ["bright"], ignore))
    said = {row.clip.name: row.outcome.opinions["bright"] for row in rows}
    assert {name: opinion.verdict for name, opinion in said.items()} == {
        "fake/one.mp4": "fake", "fake/two.mp4": "fake", "real/noise.mp4": "no_result",
        "real/one.mp4": "real", "real/two.mp4": "real",
    }  # fmt: skip
    assert said["real/noise.mp4"].reason == "no_face"
    assert "No face was found" in (rows[2].outcome.detail or "")


def test_progress_names_the_clip_and_counts_frames(labelled: Path, bright_module: type[BrightnessDetector]) -> None:
    steps: list[Step] = []
    list(run(read_folder(labelled)[:2], ["bright"], steps.append))
    assert [(step.number, step.clips) for step in steps] == sorted((step.number, 2) for step in steps)
    decoding = [step for step in steps if step.clip.name == "fake/two.mp4" and step.stage == "decode"]
    assert (decoding[-1].done, decoding[-1].total) == (18, 18)


def test_a_second_evaluation_analyses_nothing(
    labelled: Path, tmp_path: Path, bright_module: type[BrightnessDetector]
) -> None:
    clips = read_folder(labelled)
    first = list(run(clips, ["bright"], ignore, cache_dir=tmp_path))
    assert bright_module.analysed == 4
    second = list(run(clips, ["bright"], ignore, cache_dir=tmp_path))
    assert bright_module.analysed == 4
    assert [row.is_cached for row in first + second] == [False] * 5 + [True] * 5
    assert [row.outcome for row in second] == [row.outcome for row in first]


def test_an_evaluation_that_was_broken_off_goes_on(
    labelled: Path, tmp_path: Path, bright_module: type[BrightnessDetector]
) -> None:
    clips = read_folder(labelled)

    def stop_at_third(step: Step) -> None:
        if step.number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run(clips, ["bright"], stop_at_third, cache_dir=tmp_path))
    rows = list(run(clips, ["bright"], ignore, cache_dir=tmp_path))
    assert [row.is_cached for row in rows] == [True, True, False, False, False]


def test_other_weights_make_what_was_kept_stale(
    labelled: Path, tmp_path: Path, bright_module: type[BrightnessDetector], monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = read_folder(labelled)[:1]
    list(run(clips, ["bright"], ignore, cache_dir=tmp_path))
    now = running.versions()
    monkeypatch.setattr(running, "versions", lambda: {**now, "space": "another hash"})
    running._made_by.cache_clear()
    try:
        (row,) = run(clips, ["bright"], ignore, cache_dir=tmp_path)
    finally:
        running._made_by.cache_clear()
    assert not row.is_cached
    assert len(list(tmp_path.iterdir())) == 1  # the stale one was replaced


def test_other_code_makes_what_was_kept_stale() -> None:
    """All of it that an analysis runs, wherever it lies."""
    detectors = [spec.detector for spec in MODULES.values()]
    imports = "; ".join(f"import {name.rpartition('.')[0]}" for name in ["detection.pipeline.analyse", *detectors])
    say = "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith(('detection.', 'relitalk.'))), sep='\\n')"
    root = Path(running.__file__).parents[2]
    said = subprocess.check_output([sys.executable, "-c", f"import sys; {imports}; {say}"], text=True, cwd=root)
    used = {path for path in map(Path, said.splitlines()) if path.name != "__init__.py"}
    assert root / "detection" / "traces.py" in used
    assert used <= set(running._sources(detectors, None))


def test_a_damaged_file_of_the_cache_is_made_anew(
    labelled: Path, tmp_path: Path, bright_module: type[BrightnessDetector]
) -> None:
    clips = read_folder(labelled)[:1]
    list(run(clips, ["bright"], ignore, cache_dir=tmp_path))
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:40])
    (row,) = run(clips, ["bright"], ignore, cache_dir=tmp_path)
    assert not row.is_cached


def test_a_changed_copy_moves_the_score(
    labelled: Path, tmp_path: Path, bright_module: type[BrightnessDetector]
) -> None:
    clips = read_folder(labelled)
    rows = list(run(clips, ["bright"], ignore, cache_dir=tmp_path))
    changed = {
        v.name: list(run(clips, ["bright"], ignore, cache_dir=tmp_path, variant=v)) for v in variants("bright,mirror")
    }
    (report,) = summarise("clips", judges_of(["bright"]), rows, changed, {}).judges
    bright, mirror = report.robustness
    assert bright.no_result == mirror.no_result == 1
    assert mirror.mean_change.value is not None and mirror.mean_change.value < 0.05  # noqa: PT018 one thought
    genuine_before, genuine_after = (
        [r.outcome.opinions["bright"].score for r in of if r.clip.label == "real"] for of in (rows, changed["bright"])
    )
    assert all(after > before + 0.3 for before, after in zip(genuine_before[1:], genuine_after[1:], strict=True))
    assert bright.verdict_changed.value == pytest.approx(0.5)  # the fakes were called fake before


def test_a_module_that_is_not_registered_is_refused(labelled: Path) -> None:
    with pytest.raises(ValueError, match="No such module: nose"):
        list(run(read_folder(labelled), ["nose"], ignore))


def test_several_modules_are_judged_together_as_well() -> None:
    assert judges_of(["space"]) == ("space",)
    assert judges_of(["feature", "space"]) == ("space", "feature", "fused")
