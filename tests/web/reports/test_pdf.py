from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from detection.records import store
from detection.records.schema import Reason, RunRecord
from detection.records.uploads import Upload
from detection.web.reports import pdf
from detection.web.reports.subject import Subject
from detection.web.words import LIMITS, REASONS
from tests.web import samples

HOSTILE = 'a&<b>/..\\"\r\nSet-Cookie: x=1;\u202egpj.exe 视频 \U0001f600 ' + "name" * 60 + ".mp4"


def read(client: Client, run_id: str, language: str = "en") -> tuple[PdfReader, str]:
    """The report, and its text on one line without the spaces that a line break leaves."""
    client.cookies["django_language"] = language
    response = client.get(reverse("report-pdf", args=[run_id]))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(response.content))
    return reader, " ".join("\n".join(page.extract_text() for page in reader.pages).split())


def renamed(media: Path, run: RunRecord, name: str) -> RunRecord:
    return store.update_run(media, run.id, lambda old: replace(old, video_name=name))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_it_holds_what_a_file_needs(client: Client, media: Path, upload: Upload, language: str) -> None:
    run = samples.finished_run(media, upload, scores=(0.93, 0.2), modules=("space", "feature"))
    reader, text = read(client, run.id, language)
    for fact in (upload.sha256, run.id, "onnxruntime", "1.31.1", "sha256:0f3c", "93 %", "20 %", "35 %", "65 %"):
        assert fact in text, fact
    assert "Signer, Test Organisation" in text
    said = {
        "en": (
            "A face in this video was probably forged.",
            "Person 2",
            "Manipulated region",
            "a map of a genuine face",
        ),
        "zh-hans": ("视频中有人脸很可能是伪造的。", "人物 2", "篡改区域", "真实人脸的图上也会有亮点"),
    }[language]
    close = text.replace(" ", "")
    for words in said:
        assert words.replace(" ", "") in close, words
    count = len(reader.pages)
    numbers = {"en": "Page {} of {}", "zh-hans": "第 {} 页，共 {} 页"}[language]
    for number, page in enumerate(reader.pages, 1):
        assert numbers.format(number, count) in " ".join(page.extract_text().split())


def test_it_says_what_it_does_not_say(client: Client, media: Path, upload: Upload) -> None:
    _, text = read(client, samples.finished_run(media, upload).id)
    for limit in LIMITS:
        assert str(limit).replace(" ", "") in text.replace(" ", "")
    assert "A face that was generated as a whole has no seam to find" in text


def test_pictures_are_in_it_and_fonts_too(client: Client, media: Path, upload: Upload) -> None:
    reader, _ = read(client, samples.finished_run(media, upload, scores=(0.9,)).id, "zh-hans")
    drawn = sum(page.get_contents().get_data().count(b" Do") for page in reader.pages)
    assert drawn == 1 + 4 * 2  # the portrait, and of four moments frame and map
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            descriptor = font.get_object().get("/FontDescriptor")
            if descriptor is not None and "WenQuanYi" in font.get_object()["/BaseFont"]:
                assert "/FontFile2" in descriptor.get_object()


@pytest.mark.parametrize("reason", [Reason.NO_FACE, Reason.UNREADABLE])
def test_no_result_has_a_report_with_its_reason(client: Client, media: Path, upload: Upload, reason: Reason) -> None:
    _, text = read(client, samples.finished_run(media, upload, reason=reason).id)
    assert str(REASONS[reason].title) in text
    assert "This video could not be judged." in text


def test_a_run_without_analysis_has_none(client: Client, media: Path, upload: Upload) -> None:
    run = samples.failed_run(media, upload)
    for name in ("report-pdf", "report-json", "scores-csv", "frames-csv"):
        assert client.get(reverse(name, args=[run.id])).status_code == 404


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_hostile_name_is_text_and_nothing_else(client: Client, media: Path, upload: Upload, language: str) -> None:
    run = renamed(media, samples.finished_run(media, upload), HOSTILE)
    response = client.get(reverse("report-pdf", args=[run.id]))
    header = response["Content-Disposition"]
    assert "\n" not in header
    assert "Set-Cookie" not in response.headers
    assert run.id in header
    reader, text = read(client, run.id, language)
    close = text.replace(" ", "")
    assert 'a&<b>/..\\"Set-Cookie:x=1;[U+202E]gpj.exe视频[U+1F600]' in close
    assert "name" * 60 in close  # wrapped and not cut off
    width = float(reader.pages[0].mediabox.width)
    assert _rightmost(reader) < width - 40


def test_what_lies_outside_the_run_is_not_read(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    people = tuple(replace(person, portrait="../../../../../etc/passwd") for person in run.analysis.people)
    store.update_run(media, run.id, lambda old: replace(old, analysis=replace(old.analysis, people=people)))
    _, text = read(client, run.id)
    assert "This picture is not there any more." in text


def test_many_people_and_endless_tags_fit(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, scores=tuple(0.01 * n for n in range(1, 15)))
    origin = replace(run.analysis.provenance, tags={"comment": "word " * 5000, "x" * 3000: "y" * 9000})
    store.update_run(media, run.id, lambda old: replace(old, analysis=replace(old.analysis, provenance=origin)))
    reader, text = read(client, run.id)
    assert "Person 14" in text
    assert "More people with key frames are on the page of the result: 2." in text
    assert len(reader.pages) < 40


def test_one_report_is_made_at_a_time(media: Path, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    """ReportLab's fonts are shared, and read from a place in their file that is shared too."""
    run = samples.finished_run(media, upload)
    subject = Subject(run, run.analysis, store.run_dir(media, run.id))
    at_work: list[int] = []
    together: list[int] = []

    def write(*_: object) -> None:
        at_work.append(1)
        together.append(len(at_work))
        time.sleep(0.02)
        at_work.pop()

    monkeypatch.setattr(pdf, "_write", write)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: pdf.pdf_report(subject, timezone.now()), range(8)))
    assert together == [1] * 8


@pytest.mark.parametrize("letter", ["W", "视"])
def test_a_long_name_leaves_room_for_the_number_of_the_page(letter: str) -> None:
    name = letter * 200
    kept = pdf._shortened(name)
    assert kept.endswith("…")
    assert pdf.stringWidth(kept, pdf.font().fontName, pdf.FOOTER_SIZE) < pdf.FOOTER_NAME + 10
    assert pdf._shortened("clip.mp4") == "clip.mp4"


def _rightmost(reader: PdfReader) -> float:
    """Where the text that reaches furthest to the right begins; pypdf tells no widths."""
    found = [0.0]

    def visit(text: str, matrix: list[float], text_matrix: list[float], *_: object) -> None:
        if text.strip():
            found.append(matrix[4] + text_matrix[4])

    for page in reader.pages:
        page.extract_text(visitor_text=visit)
    return max(found)
