from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from relitalk.backends import Settings, produce
from relitalk.checkpoint import Checkout, coefficients, problems, render
from relitalk.errors import Cancelled, RelightError
from relitalk.light import Light
from relitalk.request import Request
from tests.relitalk.fake_checkout import build

PYTHON = Path(sys.executable)
CHECKPOINTS = "data/experiments/Ada/IMavatar/Ada_train/train/checkpoints"


@pytest.fixture
def root(tmp_path_factory) -> Path:
    # pytest's own folder is named after the test, whose name may hold a word that ReliTalk forbids in paths.
    return tmp_path_factory.mktemp("rt") / "ReliTalk"


def checkout(root: Path) -> Checkout:
    return Checkout(root, "Ada", PYTHON)


def test_a_whole_checkout_has_no_problems(root):
    assert problems(checkout(build(root))) == []


def test_the_light_reaches_the_renderer_and_the_exposure_stays(root, tmp_path):
    seen = []
    light = Light(30, 20)
    done = render(checkout(build(root)), light, log=tmp_path / "log", progress=lambda a, b: seen.append((a, b)))
    assert seen == [(i, 6) for i in range(1, 7)]
    assert [path.name for path in done.frames] == [f"{i}.png" for i in range(1, 7)]
    lines = [json.loads(line) for line in (done.frames[0].parents[1] / "seen.jsonl").read_text().splitlines()]
    right, up, viewer = light.direction
    wanted = [0, -viewer, up, right, 0, 0, 0, 0, 0]
    assert coefficients(light) == pytest.approx(wanted)
    for line in lines:
        assert line["drawn"] == pytest.approx(wanted, abs=1e-5)
        assert line["shading"] == pytest.approx(wanted, abs=1e-5)
        assert line["exposure"] == [0.25] * 9
    assert "Saving image 6" in (tmp_path / "log").read_text()


def test_its_frames_become_the_same_kind_of_video(root, tmp_path, clip):
    settings = Settings(relitalk_root=build(root), relitalk_python=PYTHON)
    request = Request(Light(30, 20), subject="Ada")
    manifest = produce(clip, request, tmp_path / "out.mp4", settings=settings, backend="checkpoint")
    assert (manifest["engine"], manifest["frames"]) == ("relitalk-checkpoint", 6)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 6
    assert [round(float(frame.mean())) for frame in frames] == pytest.approx([10 * i for i in range(1, 7)], abs=2)
    assert np.ptp(frames[3].astype(int)) <= 4


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda root: shutil.rmtree(root / "code"), "no ReliTalk checkout"),
        (lambda root: shutil.rmtree(root / ".git"), "git init"),
        (lambda root: (root / "data/datasets/Ada/Ada/Ada_eval/iris.json").unlink(), "iris.json is missing"),
        (lambda root: (root / "data/datasets/Ada/Ada/Ada_eval/mask/6.png").unlink(), "mask 5"),
        (lambda root: (root / "data/datasets/Ada/Ada/Ada_eval/image/3.png").unlink(), "3.png is missing"),
        (
            lambda root: shutil.rmtree(root / CHECKPOINTS / "SpecModelParameters"),
            "SpecModelParameters",
        ),
        (lambda root: (root / "code/confs/IMavatar_supervised_Ada_test_light.conf").unlink(), "configuration"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_before_anything_runs(root, tmp_path, damage, said):
    damage(build(root))
    with pytest.raises(RelightError, match=said):
        render(checkout(root), Light(), log=tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_a_path_that_relitalk_would_mangle_is_said(root):
    assert "contains" in problems(checkout(build(root.with_name("my_images"))))[0]


def test_a_missing_module_or_gpu_is_said(root):
    assert "lacks wandb" in problems(checkout(build(root, lacks="wandb")))[0]
    assert "CUDA" in problems(checkout(build(root.with_name("other"), cuda=False)))[0]
    gone = Checkout(root, "Ada", root / "no/python")
    assert any("does not run" in line for line in problems(gone))


@pytest.mark.parametrize(("fault", "said"), [("no_frames", "illegal memory access"), ("stops", "3 of 6 frames")])
def test_an_exit_code_of_0_is_not_believed(root, tmp_path, fault, said):
    with pytest.raises(RelightError, match=said):
        render(checkout(build(root, fault=fault)), Light(), log=tmp_path / "log")


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("ends", ["cancel", "timeout", "exception"])
def test_the_whole_process_group_is_ended(root, tmp_path, ends):
    seen: list[int] = []

    def progress(done: int, total: int) -> None:
        seen.append(done)
        if ends == "exception":
            raise KeyboardInterrupt

    expected = {"cancel": Cancelled, "timeout": RelightError, "exception": KeyboardInterrupt}[ends]
    began = time.monotonic()
    with pytest.raises(expected):
        render(
            checkout(build(root, fault="spawns", pause_s=20)), Light(), log=tmp_path / "log", progress=progress,
            timeout_s=4 if ends == "timeout" else 100, cancelled=lambda: ends == "cancel" and bool(seen),
        )  # fmt: skip
    assert time.monotonic() - began < 30
    child = int((root / "code/child.pid").read_text())
    for _ in range(50):
        if not is_running(child):
            break
        time.sleep(0.1)
    assert not is_running(child)
    assert os.getpid() > 0
