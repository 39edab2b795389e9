from __future__ import annotations

from pathlib import Path

import pytest

from detection.inference import weights
from detection.inference.weights import Asset, WeightsCorrupt, WeightsMissing


def test_every_asset_is_listed_intact_and_licensed() -> None:
    assert weights.problems() == []
    listed = {entry.file for entry in weights.manifest().values()}
    lying = {p.name for p in weights.ASSETS.iterdir() if p.suffix in (".onnx", ".npz", ".binarypb")}
    assert listed >= lying
    for entry in weights.manifest().values():
        assert entry.licence, entry
        assert entry.source, entry
        assert entry.what, entry


def test_a_damaged_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    original = weights.ASSETS / weights.asset("yunet").file
    damaged = tmp_path / "yunet.onnx"
    data = bytearray(original.read_bytes())
    data[1000] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(WeightsCorrupt, match=r"yunet.onnx.*git checkout"):
        weights.verify(damaged, weights.asset("yunet").sha256)


def test_a_missing_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"absent.onnx.*git checkout"):
        weights.verify(tmp_path / "absent.onnx", "0" * 64)


def test_a_name_that_is_not_in_the_manifest() -> None:
    with pytest.raises(WeightsMissing, match="nonsense"):
        weights.verified_path("nonsense")


def test_an_unreadable_manifest_is_one_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torn = tmp_path / "manifest.json"
    torn.write_text('{"yunet": {"file": ')
    with pytest.raises(WeightsMissing, match="cannot be read"):
        weights.manifest(torn)


def test_enrolling_replaces_the_entry_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    (tmp_path / "a.onnx").write_bytes(b"1")
    entry = Asset("a", "a.onnx", weights.sha256_of(tmp_path / "a.onnx"), "what", "source", "licence")
    weights.enrol(Asset("a", "a.onnx", "0" * 64, "old", "source", "licence"))
    weights.enrol(entry)
    assert weights.manifest(tmp_path / "manifest.json") == {"a": entry}
