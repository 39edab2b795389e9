"""Training from photographs to an ONNX file: short, but through every step that the shipped weights took."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from django.core.management import CommandError, call_command

from detection.training import recipes
from detection.training.autoencoders import AutoEncoder, Painter, paint_all, train_painter
from detection.training.dataset import PairStream
from detection.training.export import export
from detection.training.loop import TrainPlan, train, window
from detection.training.network import FaceForgeryNet
from detection.training.shipped import load_shipped

PLAN = TrainPlan(steps=2, batch=2, workers=0, warmup_steps=1, checkpoint_every=1)


def nothing(*_):
    pass


def test_the_exported_network_says_what_the_trained_one_says(tmp_path):
    torch.manual_seed(0)
    net = FaceForgeryNet(pretrained=False).eval()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    assert export(tmp_path / "net.pt", tmp_path / "net.onnx", "boundary") < 1e-3
    crops = np.random.default_rng(0).integers(0, 256, (5, 256, 256, 3), dtype=np.uint8)
    evidence, boundary = onnxruntime.InferenceSession(str(tmp_path / "net.onnx")).run(None, {"crops": crops})
    with torch.no_grad():
        expected = torch.sigmoid(net(torch.from_numpy(crops).permute(0, 3, 1, 2).float())[1][:, 1]).numpy()
    assert np.allclose(boundary, expected, atol=1e-4)
    assert np.allclose(evidence, np.log(expected.mean((1, 2)) + 1e-3), atol=1e-3)


def test_a_shipped_network_can_be_trained_on_from_where_it_stood(portraits, tmp_path):
    torch.manual_seed(0)
    net = FaceForgeryNet(pretrained=False)
    crops = torch.cat([PairStream(portraits, 8, 0)[number][0] for number in range(8)]).float()
    net.train()(crops)  # statistics of real faces, so that there is something to fold
    torch.save(net.eval().state_dict(), tmp_path / "net.pt")
    export(tmp_path / "net.pt", tmp_path / "net.onnx", "region")
    again = FaceForgeryNet(pretrained=False)
    load_shipped(again, tmp_path / "net.onnx", crops)
    with torch.no_grad():
        assert torch.allclose(again(crops)[1][:, 0], net(crops)[1][:, 0], atol=1e-3)


def test_a_window_keeps_the_masks_on_the_pixels():
    masks = torch.rand(2, 32, 32)
    crops = torch.nn.functional.interpolate(masks[:, None, None].expand(2, 2, 1, 32, 32).flatten(0, 1), scale_factor=8)
    part, masked = window(crops.view(2, 2, 1, 256, 256).expand(2, 2, 3, 256, 256), masks, 160, 3)
    assert part.shape == (2, 2, 3, 160, 160)
    assert torch.equal(part[:, 0, 0, ::8, ::8], masked)


@pytest.mark.slow
def test_training_resumes_where_it_stopped_and_refuses_another_plan(portraits, tmp_path):
    students = (recipes.SPACE,)
    train(students, PLAN, portraits, tmp_path, "cpu", nothing)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 2
    before = (tmp_path / "train.jsonl").read_text().count("\n")
    weights = train(students, PLAN, portraits, tmp_path, "cpu", nothing)
    assert (tmp_path / "train.jsonl").read_text().count("\n") == before  # nothing was left to do
    FaceForgeryNet(pretrained=False).load_state_dict(torch.load(weights["space"], weights_only=True))
    with pytest.raises(ValueError, match="another plan"):
        train(students, replace(PLAN, seed=1), portraits, tmp_path, "cpu", nothing)


@pytest.mark.slow
def test_a_painter_learns_to_paint_portraits(portraits):
    spec = Painter("small", 32, 2, 4, 16, "nearest", True)
    pictures = torch.stack([torch.from_numpy(portraits.portrait(i).image) for i in range(4)])
    errors = []
    for steps in (1, 60):
        painted = paint_all(train_painter(spec, pictures, steps, 0, "cpu", batch=4), spec, pictures, 0, "cpu")
        assert painted.shape == tuple(pictures.shape)
        errors.append(np.abs(painted.astype(int) - pictures.numpy()).mean())
    assert errors[1] < 0.7 * errors[0]
    assert AutoEncoder(spec).encode(torch.zeros(1, 3, 32, 32)).shape == (1, 4, 8, 8)


@pytest.mark.slow
def test_the_train_command_goes_from_photographs_to_a_network(photographs, tmp_path, capsys):
    call_command(
        "train", "space", data=photographs, out=tmp_path, steps=1, batch=2, painter_steps=0, stdout=None, stderr=None
    )
    assert (tmp_path / "space.onnx").stat().st_size > 1_000_000
    assert json.loads((tmp_path / "space.json").read_text())["pairs"] == 2


def test_the_train_command_names_a_folder_without_data(tmp_path):
    with pytest.raises(CommandError, match=r"train_real\.tsv"):
        call_command("train", "space", data=tmp_path)


def test_a_contact_sheet_shows_pairs(photographs, tmp_path):
    sheet = tmp_path / "sheet.png"
    call_command("train", "space", data=photographs, out=tmp_path / "out", sheet=sheet)
    assert sheet.stat().st_size > 10_000
