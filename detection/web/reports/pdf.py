"""The report on one run as a PDF that can be put on file: everything in it, the font too, nothing fetched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, ListFlowable, ListItem, SimpleDocTemplate

from detection.web import facts, words
from detection.web.facts import Fact
from detection.web.reports import sections
from detection.web.reports.looks import (
    INK,
    INK_2,
    LINE,
    MARGIN,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    fact_table,
    font,
    heading,
    note,
    printable,
    text,
)
from detection.web.reports.subject import Subject

FOOTER_SIZE = 7.5
FOOTER_NAME = 95 * mm  # of the video's name
_printing = threading.Lock()  # ReportLab reads a font's file at a place that all documents share


def pdf_report(subject: Subject, printed_at: datetime) -> bytes:
    """In the language that is active; times in the site's time zone. One report is made at a time."""
    document = BytesIO()
    with _printing:
        _write(document, subject, printed_at)
    return document.getvalue()


def _write(document: BytesIO, subject: Subject, printed_at: datetime) -> None:
    font()
    record = subject.record
    SimpleDocTemplate(
        document,
        pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
        leftMargin=MARGIN - 6,  # a frame has 6 points of padding
        rightMargin=MARGIN - 6,
        topMargin=15 * mm,
        bottomMargin=22 * mm,
        title=_("Report on a video") + ": " + printable(record.video_name),
        author=_("Face Check"),
        subject=f"SHA-256 {record.sha256}",
        creator=_("Face Check"),
        lang=get_language(),
    ).build([*_story(subject, printed_at)], canvasmaker=_numbered(subject, printed_at))


def _story(subject: Subject, printed_at: datetime) -> Iterator[Flowable]:
    record, analysis = subject.record, subject.analysis
    yield text(_("Face Check: report on a video"), 9.5, INK_2)
    yield text(record.video_name, 16, INK, spaceAfter=2 * mm, leading=20)
    yield note(
        _("Analysed %(analysed)s · printed %(printed)s")
        % {"analysed": local_time(record.finished_at or record.created_at), "printed": _shown(printed_at)}
    )
    yield from sections.verdict(subject)
    yield from sections.modules(subject)
    yield from sections.people(subject)
    yield from sections.over_time(subject)
    yield from sections.evidence(subject)
    yield from sections.measured(subject)
    yield from heading(_("File and analysis"))
    yield fact_table([*facts.file_facts(record), *_analysis_facts(subject)])
    yield from _origin(subject)
    yield from heading(_("Versions of the program, its libraries and its networks"))
    yield fact_table(facts.version_facts(analysis))
    yield from _limits(subject)


def _analysis_facts(subject: Subject) -> list[Fact]:
    record = subject.record
    return [
        Fact(_("Started"), local_time(record.created_at)),
        Fact(_("Finished"), local_time(record.finished_at)),
        *facts.analysis_facts(subject.analysis),
        Fact(_("Run"), record.id, is_code=True),
    ]


def _origin(subject: Subject) -> Iterator[Flowable]:
    yield from heading(_("What the file says of its origin"))
    origin = subject.analysis.provenance
    if origin is None:
        yield text(_("Not read in this run."))
        return
    yield fact_table(facts.credential_facts(origin))
    yield note(words.CREDENTIALS[origin.credentials.state].note)
    yield fact_table(facts.metadata_facts(origin))
    yield note(_("Tags that any program can write, and most remove: a hint, and no proof."))


def _limits(subject: Subject) -> Iterator[Flowable]:
    yield from heading(_("What this verdict does not say"))
    items = [ListItem(text(each, 8.5), leftIndent=10) for each in facts.limits(subject.analysis)]
    yield ListFlowable(items, bulletType="bullet", bulletFontName=font().fontName, bulletFontSize=6, leftIndent=10)


def local_time(iso: str | None) -> str:
    """A time of a record in the site's time zone, with the zone's name."""
    return _shown(datetime.fromisoformat(iso)) if iso else "–"


def _shown(time: datetime) -> str:
    return timezone.localtime(time).strftime("%Y-%m-%d %H:%M:%S %Z")


def _shortened(name: str) -> str:
    """As much of a name as the footer has room for; Chinese letters are twice as wide as others."""
    kept = name
    while stringWidth(kept, font().fontName, FOOTER_SIZE) > FOOTER_NAME:
        kept = kept[:-1]
    return kept if kept == name else f"{kept}…"


def _numbered(subject: Subject, printed_at: datetime) -> type[Canvas]:
    """A canvas that writes the footers last, when the number of pages is known."""
    record = subject.record
    left = f"{_shortened(printable(record.video_name))} · SHA-256 {record.sha256[:16]}…"
    printed = _("Run") + f" {record.id} · " + _("printed %s") % _shown(printed_at)
    page_of = _("Page %(number)d of %(count)d")

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            pages = self._pages
            for number, page in enumerate(pages, 1):
                self.__dict__.update(page)
                self._footer(page_of % {"number": number, "count": len(pages)})
                super().showPage()
            super().save()

        def _footer(self, page: str) -> None:
            self.setStrokeColor(LINE)
            self.line(MARGIN, 17 * mm, PAGE_WIDTH - MARGIN, 17 * mm)
            self.setFillColor(INK_2)
            self.setFont(font().fontName, FOOTER_SIZE)
            self.drawString(MARGIN, 12.5 * mm, left)
            self.drawString(MARGIN, 9 * mm, printed)
            self.drawRightString(PAGE_WIDTH - MARGIN, 12.5 * mm, page)

    return Numbered
