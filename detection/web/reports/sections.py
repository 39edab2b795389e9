"""What a report says of the faces: verdict, people, scores over time, pictures, measured features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image as PillowImage
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Image, KeepTogether, Spacer, Table, TableStyle

from detection.records.files import within
from detection.records.schema import Verdict
from detection.web import result, timelines, words
from detection.web.agreement import agreement
from detection.web.decision import decision
from detection.web.deviations import deviations
from detection.web.facts import detail_words, threshold_words
from detection.web.reports import drawings
from detection.web.reports.looks import INK_2, PLAIN, SOFT, TEXT, WIDTH, heading, note, ruled_table, text
from detection.web.reports.subject import Subject
from detection.web.result import KeyFrame, PersonCard
from detection.web.templatetags.deepfake import duration, module_name, percent, stretch, timecode

MAX_PICTURED = 12  # people whose pictures are in the report; of the others it has the scores
MAX_SPANS = 6
MAX_DEVIATIONS = 12
PORTRAIT = 15 * mm
PICTURE = 36 * mm


def verdict(subject: Subject) -> Iterator[Flowable]:
    analysis = subject.analysis
    said = words.VERDICTS[analysis.verdict]
    box: list[Flowable] = [text(said.headline, 15, TEXT[analysis.verdict], spaceAfter=1 * mm)]
    if analysis.reason:
        reason = words.REASONS[analysis.reason]
        box.append(text(f"{reason.title} {reason.advice}"))
    box.append(text(said.meaning))
    decided = decision(analysis)
    if decided:
        box.append(text(decided.text))
    if detail := detail_words(subject.record, analysis):
        box.append(text(detail, 8, INK_2))
    yield Table([[box]], colWidths=[WIDTH], style=TableStyle(_boxed(analysis.verdict)), spaceAfter=4 * mm)
    if analysis.score is not None:
        yield note(_("Probability that a face in this video is forged"))
        ends = (_("genuine"), _("forged"))
        yield drawings.scale(WIDTH, analysis.score, analysis.thresholds, analysis.verdict, ends)
        if analysis.thresholds:
            yield Spacer(1, 1.5 * mm)
            yield note(threshold_words(analysis.thresholds))
        if decided and decided.about_thresholds:
            yield note(decided.about_thresholds)
    if found := agreement(analysis):
        yield text(found.text)
        if found.silent:
            yield note(_("No score from:") + " " + " ".join(found.silent))


def _boxed(verdict: Verdict) -> list[tuple[Any, ...]]:
    pads = [(f"{side}PADDING", (0, 0), (-1, -1), 9) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]
    return [("BACKGROUND", (0, 0), (-1, -1), SOFT[verdict]), *pads]


def modules(subject: Subject) -> Iterator[Flowable]:
    yield from heading(_("What each module says"))
    rows = []
    for key, outcome in subject.analysis.modules.items():
        reason = words.REASONS[outcome.reason].title if outcome.reason else ""
        limits = threshold_words(outcome.thresholds) if outcome.thresholds else ""
        rows.append([text(module_name(key)), _score(outcome.score, outcome.verdict), text(reason or limits, 8, INK_2)])
    yield ruled_table([_("Module"), _("Verdict"), _("Thresholds")], rows, [2, 3, 5])


def people(subject: Subject) -> Iterator[Flowable]:
    cards = result.person_cards(subject.record, subject.analysis)
    yield from heading(_("People"))
    if not cards:
        yield text(_("Nobody was found whose face could be judged."))
        return
    keys = list(subject.analysis.modules)
    rows = [_person(subject, card, pictured=index < MAX_PICTURED) for index, card in enumerate(cards)]
    head = ["", _("Person"), _("Together"), *(module_name(key) for key in keys), _("To be seen")]
    yield ruled_table(head, rows, [2, 2, 3, *(3 for _key in keys), 4])


def _person(subject: Subject, card: PersonCard, *, pictured: bool) -> list[Any]:
    person = card.outcome
    portrait = _image(subject.folder, person.portrait, PORTRAIT) if person.portrait and pictured else ""
    spans = [stretch(span) for span in person.spans[:MAX_SPANS]]
    more = len(person.spans) - len(spans)
    if more > 0:
        spans.append(_("and %d more") % more)
    name: list[Flowable] = [text(_("Person %s") % person.id)]
    if card.decides:
        name.append(text(_("decides the verdict"), 7.5, INK_2))
    seen = _("%(seconds)s, %(frames)s frames") % {"seconds": duration(card.visible_s), "frames": person.frames}
    scores = [_score(person.score, person.verdict)]
    scores += [_score(module.score, module.verdict) for module in card.modules]
    return [portrait, name, *scores, [text(seen, 8), text(", ".join(spans), 7.5, INK_2)]]


def _score(score: float | None, verdict: Verdict) -> list[Flowable]:
    if score is None:
        return [text(_("no score"), 8, INK_2)]
    return [text(percent(score), 9), text(words.VERDICTS[verdict].label, 8, TEXT[verdict])]


def over_time(subject: Subject) -> Iterator[Flowable]:
    analysis = subject.analysis
    charts = [(key, outcome) for key, outcome in analysis.modules.items() if outcome.timeline]
    yield from heading(_("Score over time"))
    if not charts:
        yield text(_("There are no scores over time."))
    for key, outcome in charts:
        ids = sorted({point.person for point in outcome.timeline})
        drawn = drawings.timeline(WIDTH, 88, outcome.timeline, outcome.thresholds, analysis.duration_s or 0.0)
        yield KeepTogether([text(module_name(key), 9), Spacer(1, 1 * mm), drawn, *_legend(ids)])
        yield Spacer(1, 2 * mm)
    if charts:
        yield note(_("Higher means more likely forged. The colours behind the lines are the verdicts'."))
    for key in timelines.without_timeline(analysis):
        silent = _("%(name)s judges a face over its whole time and gives no score for single frames.")
        yield note(silent % {"name": module_name(key)})
    if worst := timelines.moments(analysis):
        yield text(_("Moments with the highest scores"), spaceBefore=2 * mm)
        yield note(" · ".join(_moment(moment) for moment in worst))


def _legend(ids: Sequence[int]) -> Iterator[Flowable]:
    """A line's looks and the person's name, four to a row."""
    if len(ids) < 2:
        return
    cells = [[drawings.sample(index), text(_("Person %s") % person, 8)] for index, person in enumerate(ids)]
    for start in range(0, len(cells), 4):
        row = [part for cell in cells[start : start + 4] for part in cell]
        widths = [12 * mm, 30 * mm] * (len(row) // 2)
        looks = TableStyle([*PLAIN, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
        yield Table([row], colWidths=widths, style=looks, hAlign="LEFT")


def _moment(moment: timelines.Moment) -> str:
    until = f"–{timecode(moment.end_s)}" if moment.end_s > moment.start_s else ""
    person = _("Person %s") % moment.person
    return f"{timecode(moment.start_s)}{until}: {percent(moment.score)} ({module_name(moment.module)}, {person})"


def evidence(subject: Subject) -> Iterator[Flowable]:
    frames = result.key_frames(subject.record, subject.analysis.modules.values())
    groups = result.people_frames(frames, subject.analysis)
    if not groups:
        return
    yield from heading(_("Key frames and what was found in them"))
    for _kind, about in result.evidence_notes(frames):
        yield note(f"{about.title}: {about.note}")
    for group in groups[:MAX_PICTURED]:
        for index, frame in enumerate(group.first):
            shown = _key_frame(subject.folder, frame)
            person = text(_("Person %s") % group.person, 10, spaceBefore=3 * mm, spaceAfter=1 * mm)
            yield KeepTogether([person, *shown] if index == 0 else shown)
        if group.others:
            yield note(_("More key frames of this person are on the page of the result: %d.") % len(group.others))
    if len(groups) > MAX_PICTURED:
        left = len(groups) - MAX_PICTURED
        yield note(_("More people with key frames are on the page of the result: %d.") % left)
    if missing := result.missing_pictures(frames):
        yield note(_("Pictures that no module of this run makes: %(kinds)s.") % {"kinds": words.listed(missing)})


def _key_frame(folder: Path, frame: KeyFrame) -> list[Flowable]:
    pictures = frame.pictures[:4]
    cells = [
        [_image(folder, picture.path, PICTURE), Spacer(1, 0.8 * mm), text(picture.words.title, 7.5, INK_2)]
        for picture in pictures
    ]
    looks = TableStyle([*PLAIN, ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    said = [each.words for each in frame.verdicts]
    if frame.why:
        said.append(_("Chosen:") + f" {words.listed(frame.why)}")
    row = Table([cells], colWidths=[PICTURE + 4 * mm] * len(cells), style=looks, hAlign="LEFT")
    return [row, note(" · ".join([timecode(frame.time_s), *said])), Spacer(1, 1.5 * mm)]


def _image(folder: Path, path: str, side: float) -> Flowable:
    """A picture of the run's own folder, as large as fits a square of `side`."""
    missing = text(_("This picture is not there any more."), 7.5, INK_2)
    file = within(folder, path)
    if file is None:
        return missing
    try:
        with PillowImage.open(file) as picture:
            picture.load()
            width, height = picture.size
    except (OSError, SyntaxError):  # gone, or damaged
        return missing
    factor = side / max(width, height)
    return Image(str(file), width * factor, height * factor, hAlign="LEFT")


def measured(subject: Subject) -> Iterator[Flowable]:
    """The features that are outside the range of genuine faces, the furthest first."""
    for key, outcome in subject.analysis.modules.items():
        found = deviations(outcome)
        if not found:
            continue
        yield from heading(_("%(name)s: measured against genuine faces") % {"name": module_name(key)})
        if found.outside:
            rows = []
            for card in found.outside[:MAX_DEVIATIONS]:
                d = card.deviation
                genuine = f"{d.genuine_low:.3f} – {d.genuine_high:.3f} {words.unit_words(d.unit)}"
                person, value = _("Person %s") % d.person, f"{d.value:.3f} {words.unit_words(d.unit)}"
                cells = (str(words.feature_words(d.feature)), person, value, genuine)
                rows.append([text(cell, 8.5) for cell in cells])
            head = [_("Feature"), _("Person"), _("Value"), _("95 % of genuine faces")]
            yield ruled_table(head, rows, [5, 2, 3, 4])
        else:
            yield text(_("No feature is outside the range of genuine faces."))
        measured_in_all = len(found.outside) + len(found.inside)
        counts = {"outside": len(found.outside), "all": measured_in_all}
        yield note(
            _(
                "%(outside)d of %(all)d measurements are outside. A single feature outside proves nothing: of 20 "
                "features of a genuine face, one is outside on average."
            )
            % counts
        )
