"""`manage.py evaluate` with a small real detector in place of the shipped ones."""

from __future__ import annotations

import errno
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from detection.management.commands import evaluate
from detection.modules import MODULES, ModuleSpec
from tests.evaluation.brightness import BrightnessDetector
from tests.evaluation.conftest import bright_module, labelled  # noqa: F401 fixtures


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return settings.MEDIA_ROOT


def failure(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """What the command says when it ends with exit status 2."""
    with pytest.raises(SystemExit) as end:
        call_command("evaluate", *map(str, words))
    assert end.value.code == 2
    return capsys.readouterr().err


@pytest.mark.usefixtures("media", "bright_module")
def test_it_prints_figures_per_method_and_pair(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    call_command("evaluate", str(labelled))
    out = capsys.readouterr().out
    assert "2 fakes, 3 genuine clips" in out
    assert re.search(r"^AUC +1\.00 \[\.16, 1\.00\]$", out, re.MULTILINE)
    assert "no_face 1" in out
    assert "lamp <b>" in out
    assert "unnamed" in out


@pytest.mark.usefixtures("media", "bright_module")
def test_json_is_one_object_and_html_a_page(labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    page = tmp_path / "report.html"
    call_command("evaluate", str(labelled), "--json", "--html", str(page), "--recompress", "half", "--module", "bright")
    made = json.loads(capsys.readouterr().out)
    (judge,) = made["judges"]
    assert (judge["fakes"], judge["genuine"], judge["no_result"]) == (2, 2, {"no_face": 1})
    assert judge["figures"]["paired_accuracy"]["value"] == 1.0
    assert judge["robustness"][0]["variant"] == "half"
    assert judge["robustness"][0]["mean_change"]["value"] < 0.05
    assert "lamp &lt;b&gt;" in page.read_text()


def test_a_second_run_analyses_nothing_unless_told(
    labelled: Path,  # noqa: F811
    media: Path,
    bright_module: type[BrightnessDetector],  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("evaluate", str(labelled))
    first = capsys.readouterr().out
    call_command("evaluate", str(labelled))
    assert capsys.readouterr().out == first
    assert bright_module.analysed == 4
    call_command("evaluate", str(labelled), "--no-cache")
    assert bright_module.analysed == 8
    assert len(list((media / "evaluation").iterdir())) == 5


@pytest.mark.usefixtures("media")
def test_what_cannot_be_measured_is_named(
    labelled: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "There is no folder" in failure(capsys, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "holds no videos" in failure(capsys, tmp_path / "empty")
    shutil.copytree(labelled / "real", tmp_path / "one" / "real")
    assert "fake holds no videos" in failure(capsys, tmp_path / "one")
    assert "There is no variant 'sepia'" in failure(capsys, labelled, "--recompress", "crf23,sepia")
    assert "no folder" in failure(capsys, labelled, "--html", tmp_path / "nowhere" / "page.html")
    assert "is a folder" in failure(capsys, labelled, "--html", tmp_path)


@pytest.mark.usefixtures("media", "bright_module")
def test_a_page_that_cannot_be_written_costs_no_figures(
    labelled: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(evaluate, "write_atomic", full)
    with pytest.raises(SystemExit):
        call_command("evaluate", str(labelled), "--html", str(tmp_path / "page.html"))
    said = capsys.readouterr()
    assert "AUC" in said.out
    assert "page.html cannot be written: No space left on device" in said.err


@pytest.mark.usefixtures("media")
def test_without_a_cache_none_is_blamed(
    labelled: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreadable(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "one.mp4")

    monkeypatch.setattr(evaluate, "run", unreadable)
    said = failure(capsys, labelled, "--no-cache")
    assert "one.mp4" in said
    assert "cache" not in said
    assert "None" not in said


@pytest.mark.usefixtures("media", "bright_module")
def test_a_module_that_cannot_judge_is_a_failure_with_its_reason(
    labelled: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(MODULES, "absent", ModuleSpec("absent", "Absent", "tests.jobs.doubles.Absent"))
    assert "The absent module has no weights here." in failure(capsys, labelled, "--module", "absent")


@pytest.mark.usefixtures("media", "bright_module")
def test_a_cache_that_cannot_be_written_is_named(
    labelled: Path,  # noqa: F811
    media: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (media / "evaluation").write_text("in the way")
    assert "use --no-cache" in failure(capsys, labelled)
