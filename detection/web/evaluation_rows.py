"""Evaluations in a list: which clips, how far, and the one figure that says most."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.evaluation.metrics import Figure
from detection.evaluation.report import figure_text
from detection.jobs import evaluations as work
from detection.jobs.evaluations import EvaluationProgress
from detection.records.evaluations import EvaluationRecord
from detection.records.schema import RunState
from detection.web.evaluation_words import judge_name
from detection.web.following import stage_words
from detection.web.templatetags.deepfake import duration, per_cent
from detection.web.words import STATES


@dataclass(frozen=True)
class EvaluationRow:
    """`words` is how far it is, `address` that of its progress as JSON, `figure` the headline in short."""

    record: EvaluationRecord
    words: str
    percent: float
    address: str
    figure: str

    @property
    def is_active(self) -> bool:
        return not self.record.state.is_final

    @property
    def is_done(self) -> bool:
        return self.record.state is RunState.DONE

    @property
    def fakes(self) -> int:
        return self.record.count("fake")

    @property
    def genuine(self) -> int:
        return self.record.count("real")


def evaluation_rows() -> list[EvaluationRow]:
    """All evaluations, the latest first."""
    return [evaluation_row(progress) for progress in work.every()]


def evaluation_row(progress: EvaluationProgress) -> EvaluationRow:
    record = progress.record
    return EvaluationRow(
        record=record,
        words=progress_words(progress),
        percent=progress.percent,
        address=reverse("evaluation-progress", args=[record.id]),
        figure=_figure(record),
    )


def progress_words(progress: EvaluationProgress) -> str:
    """One line: which clip, what is done with it, how long all of it will take."""
    record, step = progress.record, progress.step
    if record.state.is_final:
        return str(STATES[record.state])
    counted = ngettext("%(done)d of %(all)d clip", "%(done)d of %(all)d clips", len(record.clips))
    parts = [counted % {"done": record.done, "all": len(record.clips)}]
    if step is None:
        parts.insert(0, str(STATES[record.state]))
    else:
        parts += [step.clip, stage_words(step.stage)]
        if step.total > 1:
            parts.append(_("%(done)d of %(total)d frames") % {"done": step.done, "total": step.total})
    parts.append(per_cent(progress.percent))
    if progress.seconds_left is not None:
        parts.append(_("about %s left") % duration(max(1, round(progress.seconds_left))))
    return " · ".join(parts)


def _figure(record: EvaluationRecord) -> str:
    headline = record.headline
    if headline is None or headline.auc is None:
        return ""
    figure = Figure(headline.auc, headline.low, headline.high, len(record.clips))
    return f"{judge_name(headline.judge)}: AUC {figure_text(figure)}"
