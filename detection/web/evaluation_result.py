"""An evaluation as its page shows it: words, table, plots and clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.evaluation import plots
from detection.evaluation.metrics import CONFIDENCE, METRICS, Figure
from detection.evaluation.report import figure_text, short
from detection.evaluation.run import Row
from detection.evaluation.summary import Evaluation, JudgeReport
from detection.records.schema import Reason
from detection.web import evaluation_words as words
from detection.web.words import REASONS

WIDEST_BOUND = 0.1  # of a rate that was never seen to happen; beyond it the page warns of too few clips


@dataclass(frozen=True)
class FigureRow:
    """One line of the table: a metric, what it says, and a cell per judge."""

    title: words.Text
    meaning: words.Text
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Plot:
    svg: SafeString
    caption: str


@dataclass(frozen=True)
class FamilyRow:
    name: str
    fakes: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class JudgeSection:
    """The plots of one judge, and its table by method of the fakes."""

    name: str
    plots: tuple[Plot, ...]
    family_columns: tuple[words.Text, ...]
    families: tuple[FamilyRow, ...]


def context(found: Evaluation) -> dict[str, Any]:
    """All that the template of a result needs."""
    judges = (found.judges[-1], *found.judges[:-1])  # on a telephone the first column is the one that shows
    return {
        "found": found,
        "judges": [words.judge_name(report.judge) for report in judges],
        "figures": list(_figure_rows(judges)),
        "sentences": _sentences(found.judges[-1]),
        "judged_by": words.judge_name(found.judges[-1].judge),
        "warnings": list(_warnings(found)),
        "roc": _drawn(plots.roc_plot(found.judges, words.plot_words())) if found.judges[-1].roc else None,
        "sections": [_section(report) for report in judges if report.fakes + report.genuine],
        "clips": [_clip(row, judges) for row in found.rows],
        "confidence": round(100 * found.confidence),
    }


def _figure_rows(judges: tuple[JudgeReport, ...]) -> Iterator[FigureRow]:
    counted = tuple(f"{report.fakes} / {report.genuine}" for report in judges)
    yield FigureRow(_("Fakes / genuine clips with a result"), "", counted)
    for name in METRICS:
        metric = words.METRICS[name]
        yield FigureRow(metric.title, metric.meaning, tuple(figure_text(report.figures[name]) for report in judges))
    chance = [report.calibration_error_by_chance for report in judges]
    yield FigureRow(
        _("… if calibrated perfectly"),
        _("What so few clips would give by chance alone: only an error clearly above it says anything."),
        tuple("–" if value is None else short(value) for value in chance),
    )
    thresholds = tuple(_thresholds(report) for report in judges)
    yield FigureRow(_("Thresholds"), _("Below the first a clip is called real, from the second on fake."), thresholds)
    yield FigureRow(_("No result"), _("These clips count in no figure."), tuple(map(_no_result, judges)))


def _thresholds(report: JudgeReport) -> str:
    limits = report.thresholds
    return f"{short(limits.real_below)} / {short(limits.fake_from)}" if limits else "–"


def _no_result(report: JudgeReport) -> str:
    named = [f"{REASONS[Reason(reason)].title} {count}" for reason, count in report.no_result.items()]
    return " ".join(named) or "0"


def _sentences(report: JudgeReport) -> list[str]:
    """What the verdicts are worth on these clips, for somebody who reads no table."""
    told = []
    if (auc := _percent(report.figures["auc"])) is not None:
        told.append(
            _("Put a fake beside a genuine clip: the fake has the higher score in %(n)s of 100 cases (50 is guessing).")
            % {"n": auc}
        )
    if (alarms := _percent(report.figures["false_alarm_rate"])) is not None:
        told.append(_("Of 100 genuine clips like these, %(n)s are called fake.") % {"n": alarms})
    if (caught := _percent(report.figures["caught"])) is not None:
        missed = _percent(report.figures["missed"])
        told.append(
            _("Of 100 fakes like these, %(n)s are called fake and %(missed)s real; the rest stay uncertain.")
            % {"n": caught, "missed": missed}
        )
    return told


def _percent(figure: Figure) -> str | None:
    """As "83 (70–92)"; without brackets where so few clips gave an interval of no width, which would say too much."""
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    if figure.low == figure.high:
        return f"{100 * figure.value:.0f}"
    return f"{100 * figure.value:.0f} ({100 * figure.low:.0f}–{100 * figure.high:.0f})"


def _warnings(found: Evaluation) -> Iterator[str]:
    """Where chance is so wide that the figures say little."""
    last = found.judges[-1]
    if last.genuine and (bound := _bound(last.genuine)) > WIDEST_BOUND:
        yield ngettext(
            "Only %(n)d genuine clip has a result: even without a false alarm, up to %(bound).0f %% of such clips "
            "could be called fake.",
            "Only %(n)d genuine clips have a result: even without a false alarm, up to %(bound).0f %% of such clips "
            "could be called fake.",
            last.genuine,
        ) % {"n": last.genuine, "bound": 100 * bound}
    if last.fakes and (bound := _bound(last.fakes)) > WIDEST_BOUND:
        yield ngettext(
            "Only %(n)d fake has a result: even if all are caught, up to %(bound).0f %% of such fakes could be missed.",
            "Only %(n)d fakes have a result: even if all are caught, up to %(bound).0f %% of such fakes could be "
            "missed.",
            last.fakes,
        ) % {"n": last.fakes, "bound": 100 * bound}
    if not last.fakes or not last.genuine:
        yield _("There are no results for clips of both kinds, so that most figures are not defined.")


def _bound(clips: int) -> float:
    """How high a rate may be of which `clips` clips showed no case (Clopper-Pearson)."""
    return float(1 - ((1 - CONFIDENCE) / 2) ** (1 / clips))


def _section(report: JudgeReport) -> JudgeSection:
    said = words.plot_words()
    drawn = [
        Plot(
            _drawn(plots.histogram_plot(report, said)),
            _("Scores. Dashed: the thresholds in use, %s.") % _thresholds(report),
        ),
        Plot(_drawn(plots.reliability_plot(report, said)), _("Reliability: a calibrated score lies on the diagonal.")),
    ]
    if report.families:
        drawn.append(Plot(_drawn(plots.family_plot(report.families, said)), _("By method, with intervals.")))
    names = tuple(report.families[0].figures) if report.families else ()
    rows = (
        FamilyRow(family.name, family.fakes, tuple(figure_text(family.figures[name]) for name in names))
        for family in report.families
    )
    titles = tuple(words.METRICS[name].title for name in names)
    return JudgeSection(words.judge_name(report.judge), tuple(drawn), titles, tuple(rows))


def _drawn(svg: str) -> SafeString:
    """The plots escape every word of theirs."""
    return mark_safe(svg)


def _clip(row: Row, judges: tuple[JudgeReport, ...]) -> dict[str, Any]:
    said = [row.outcome.opinions[report.judge] for report in judges]
    return {
        "clip": row.clip,
        "opinions": said,
        "is_wrong": said[0].verdict in ("fake", "real") and said[0].verdict != row.clip.label,
    }


def csv_head(found: Evaluation) -> list[str]:
    judged = [f"{report.judge}_{what}" for report in found.judges for what in ("score", "verdict", "reason")]
    return ["file", "label", "method", "pair", "sha256", *judged]


def csv_rows(found: Evaluation) -> Iterator[list[Any]]:
    """A row per clip: what is known of it, and what each judge says."""
    for row in found.rows:
        clip = row.clip
        cells: list[Any] = [clip.name, clip.label, clip.method or "", clip.pair or "", row.sha256]
        for report in found.judges:
            said = row.outcome.opinions[report.judge]
            cells += ["" if said.score is None else round(said.score, 6), said.verdict, said.reason or ""]
        yield cells
