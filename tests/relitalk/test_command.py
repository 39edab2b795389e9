"""`manage.py relight`: its contract, its refusals, and its figures on the light stage."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from relitalk.measure import gain_aligned, psnr_db

STAGE = Path(__file__).resolve().parents[3] / "shared/data/light_stage"


def run(capsys, *arguments: object) -> dict:
    call_command("relight", *map(str, arguments), "--json")
    return json.loads(capsys.readouterr().out)


def test_one_json_object_says_what_was_done(clip, tmp_path, capsys):
    done = run(capsys, clip, tmp_path / "out.mp4", "--azimuth", 40, "--elevation", 10, "--intensity", 1.2)
    assert done["video"] == "clip.mp4"
    assert (
        done["request"]["light"] | {"azimuth_deg": 40, "elevation_deg": 10, "intensity": 1.2}
        == done["request"]["light"]
    )
    assert done["report"]["measures"]["direction_error_deg"] < 15
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert "not evidence" in container.metadata["comment"]


def test_a_preset_can_be_changed(clip, tmp_path, capsys):
    done = run(capsys, clip, tmp_path / "out.mp4", "--preset", "sunset", "--ambient", 0.3)
    assert done["request"]["light"]["colour"] == [1.0, 0.72, 0.45]
    assert done["request"]["light"]["ambient"] == 0.3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--azimuth", "40"], "--elevation"),
        (["--azimuth", "400", "--elevation", "0"], "azimuth 400"),
        (["--preset", "left", "--backend", "remote", "--frames", "x"], "--frames"),
    ],
)
def test_a_light_that_makes_no_sense_is_refused(clip, tmp_path, arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("relight", str(clip), str(tmp_path / "out.mp4"), *arguments)


def test_the_source_is_never_overwritten(clip):
    before = clip.read_bytes()
    with pytest.raises(CommandError, match="OUT is IN"):
        call_command("relight", str(clip), str(clip), "--preset", "left")
    assert clip.read_bytes() == before


def test_a_video_that_cannot_be_relit_gives_its_reason(tmp_path, capsys):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SystemExit) as ended:
        call_command("relight", str(tmp_path / "text.mp4"), str(tmp_path / "out.mp4"), "--preset", "left", "--json")
    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert json.loads(captured.out)["reason"] == "unreadable"
    assert "text.mp4" in captured.err


@pytest.mark.slow
@pytest.mark.skipif(not STAGE.is_dir(), reason="needs ../shared/data/light_stage")
@pytest.mark.parametrize(("source", "floor_db"), [("soft", 24.0), ("side", 22.0)])
def test_the_light_stage_is_relit_as_it_was_rendered(source, floor_db, tmp_path, capsys):
    """Gain-aligned PSNR against the same head rendered under each light, from the encoded output of the command."""
    with (STAGE / "targets.tsv").open() as file:
        targets = list(csv.DictReader(file, delimiter="\t"))
    found = []
    for target in targets:
        out = tmp_path / "out.mp4"
        light = ["--azimuth", target["azimuth"], "--elevation", target["elevation"]]
        done = run(
            capsys, STAGE / f"source_{source}.mp4", out, *light, "--intensity", target["intensity"],
            "--ambient", target["ambient"],
        )  # fmt: skip
        assert done["report"]["measures"]["direction_error_deg"] < 15
        with av.open(str(out)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                mask_path = STAGE / f"mask/{index:04d}.png"
                if mask_path.is_file():
                    mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE) > 127
                    wanted = cv2.imread(str(STAGE / f"target/{target['target']}/{index:04d}.jpg"))[:, :, ::-1] / 255
                    made = gain_aligned(frame.to_ndarray(format="rgb24") / 255, wanted, mask)
                    found.append(psnr_db(made, wanted, mask))
    assert np.mean(found) >= floor_db
