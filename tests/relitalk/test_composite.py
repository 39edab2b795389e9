from __future__ import annotations

import numpy as np
import pytest

from relitalk.composite import SHOULDER, CpuCompositor, TorchCompositor, best_compositor
from relitalk.geometry import CANVAS_PX, Canvas
from relitalk.render import Overlay


def even(gain: float, added: float = 0.0, left: float = 50.0, top: float = 40.0, step: float = 0.5) -> Overlay:
    shape = (CANVAS_PX, CANVAS_PX, 3)
    return Overlay(Canvas(left, top, step), np.full(shape, gain, np.float32), np.full(shape, added, np.float32))


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (300, 260, 3)).astype(np.uint8)


def test_a_gain_of_one_changes_nothing(frame):
    assert np.array_equal(CpuCompositor().apply(frame, [even(1.0)]), frame)


def test_outside_the_canvas_the_frame_stays_bit_for_bit(frame):
    lit = CpuCompositor().apply(frame, [even(0.5)])
    assert np.array_equal(lit[:, :50], frame[:, :50])
    assert np.array_equal(lit[:40], frame[:40])
    assert lit[100, 100].tolist() == [round(v * 0.5 + 1e-6) for v in frame[100, 100].tolist()]


def test_a_canvas_may_hang_over_the_frames_border(frame):
    lit = CpuCompositor().apply(frame, [even(0.5, left=-60, top=-60, step=1.0)])
    assert abs(int(lit[0, 0, 0]) - frame[0, 0, 0] / 2) <= 1
    assert np.array_equal(CpuCompositor().apply(frame, [even(0.5, left=900)]), frame)


def test_highlights_run_out_instead_of_clipping():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 60, 0).repeat(3, 2)
    lit = CpuCompositor().apply(ramp, [even(1.5, left=-10, top=-10, step=2.0)])[30, :, 0].astype(int)
    assert (np.diff(lit) >= 0).all()
    free = np.arange(256) * 1.5 < SHOULDER * 255
    assert np.abs(lit - np.arange(256) * 1.5)[free].max() <= 0.5
    assert lit[230] < 255


def test_torch_does_what_numba_does(frame):
    pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    shape = (CANVAS_PX, CANVAS_PX, 3)
    gain, added = rng.uniform(0.3, 2, shape).astype(np.float32), rng.uniform(0, 0.1, shape).astype(np.float32)
    for overlay in (Overlay(Canvas(20.3, -30.7, 0.73), gain, added), even(1.3, 0.02)):
        one, other = CpuCompositor(threads=3).apply(frame, [overlay]), TorchCompositor("cpu").apply(frame, [overlay])
        difference = np.abs(one.astype(int) - other.astype(int))
        assert difference.max() <= 1
        assert difference.mean() < 0.05


def test_cuda_that_is_not_there_is_said():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    assert best_compositor("auto").name == "numba"
    with pytest.raises(RuntimeError, match="CUDA"):
        best_compositor("cuda")
