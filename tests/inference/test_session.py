from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from detection.inference import session
from detection.inference.session import DeviceMissing


def test_a_batch_gives_what_its_samples_give_alone() -> None:
    network = session.load("face_landmark", threads=1)
    count = network.batch + 1
    batch = np.random.default_rng(0).random((count, 192, 192, 3), dtype=np.float32)
    together = network.run_batched(batch)
    alone = [network.run(batch[i : i + 1]) for i in range(count)]
    for output, values in enumerate(together):
        assert len(values) == count
        np.testing.assert_allclose(values, np.concatenate([a[output] for a in alone]), atol=1e-4)


def test_it_refuses_another_number_of_inputs() -> None:
    with pytest.raises(ValueError, match="zip"):
        session.load("face_landmark", threads=1).run()


def test_a_network_is_opened_once_per_process() -> None:
    assert session.load("yunet") is session.load("yunet")


def test_other_settings_open_it_anew() -> None:
    first = session.load("yunet")
    try:
        session.configure(device="cpu", threads=1)
        assert session.load("yunet") is not first
    finally:
        session.configure()


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA"
)
def test_cuda_where_there_is_none_says_what_to_do() -> None:
    with pytest.raises(DeviceMissing, match="onnxruntime-gpu"):
        session.configure(device="cuda")
    assert session.load("yunet").device == "cpu"
