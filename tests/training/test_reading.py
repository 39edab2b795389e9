"""What of a crop a shipped network is given, and that its map lies where it looked."""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime
import torch

from detection.training.dataset import PairStream
from detection.training.export import export
from detection.training.network import FaceForgeryNet
from detection.training.reading import Read, Reading
from detection.vision.types import CROP_SIZE_PX

READING = Reading(inner_px=224, detail_px=128)


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, CROP_SIZE_PX, CROP_SIZE_PX, 3), dtype=np.uint8)


def planes(crops: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(crops).permute(0, 3, 1, 2).float()


def test_the_middle_is_seen_in_grey_and_with_less_detail():
    crop = noise(1)
    seen = Read(READING)(planes(crop))[0].permute(1, 2, 0).numpy()
    inner = crop[0, 16:-16, 16:-16].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    small = cv2.resize(inner, (128, 128), interpolation=cv2.INTER_AREA)
    expected = np.rint(cv2.resize(small, (256, 256), interpolation=cv2.INTER_LINEAR))
    assert np.abs(seen - expected[..., None]).max() <= 1  # a half rounded to the other side
    assert np.abs(seen - expected[..., None]).mean() < 0.01


def test_colour_and_surroundings_change_nothing():
    grey = np.repeat(noise(1)[..., :1], 3, axis=-1)
    around = grey.copy()
    around[:, :16], around[:, -16:], around[:, :, :16], around[:, :, -16:] = 0, 255, 0, 255
    read = Read(READING)
    assert torch.equal(read(planes(grey)), read(planes(around)))


def test_a_map_lies_where_the_network_looked():
    maps = torch.zeros(1, 32, 32)
    maps[0, 0, 31] = 1.0  # the upper right corner of what it saw
    placed = Read(READING).on_crop(maps)[0]
    y, x = divmod(int(placed.argmax()), 32)
    assert (y, x) == (2, 29)
    assert placed[:2].sum() == placed[-2:].sum() == placed[:, :2].sum() == placed[:, -2:].sum() == 0
    assert torch.allclose(Read(READING).on_crop(torch.ones(1, 32, 32))[0, 2:-2, 2:-2], torch.ones(28, 28))


def test_the_reading_ships_inside_the_network(tmp_path):
    torch.manual_seed(0)
    net = FaceForgeryNet(pretrained=False).eval()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    export(tmp_path / "net.pt", tmp_path / "net.onnx", "region")
    crops = noise(2)
    evidence, region = onnxruntime.InferenceSession(str(tmp_path / "net.onnx")).run(None, {"crops": crops})
    read = Read(READING)
    with torch.no_grad():
        seen = torch.sigmoid(net(read(planes(crops)))[1][:, 0])
    assert np.allclose(evidence, np.log(seen.numpy().mean((1, 2)) + 1e-3), atol=1e-3)
    assert np.allclose(region, read.on_crop(seen).numpy(), atol=1e-4)


def test_a_shipped_network_can_be_read_in_another_way(portraits, tmp_path):
    torch.manual_seed(0)
    net = FaceForgeryNet(pretrained=False).train()
    net(torch.cat([PairStream(portraits, 8, 0)[number][0] for number in range(8)]).float())
    torch.save(net.eval().state_dict(), tmp_path / "net.pt")
    export(tmp_path / "net.pt", tmp_path / "net.onnx", "boundary")
    export(tmp_path / "net.onnx", tmp_path / "again.onnx", "boundary")
    first, again = (
        onnxruntime.InferenceSession(str(tmp_path / name)).run(None, {"crops": noise(2)})[0]
        for name in ("net.onnx", "again.onnx")
    )
    assert np.allclose(first, again, atol=1e-3)
