"""What the figures of an evaluation are called, and what each of them says to somebody who never heard of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from detection.evaluation.plots import PlotWords
from detection.evaluation.run import FUSED
from detection.modules import MODULES
from detection.records.labelled import Label
from detection.web.module_pages import module_page

Text = Promise | str


@dataclass(frozen=True)
class ListWords:
    """One of the two lists that clips are put into."""

    title: Text
    drop: Text
    choose: Text
    empty: Text


@dataclass(frozen=True)
class MetricWords:
    title: Text
    meaning: Text


LISTS: dict[Label, ListWords] = {
    "real": ListWords(
        gettext_lazy("Genuine clips"),
        gettext_lazy("Drop genuine clips here"),
        gettext_lazy("Choose genuine clips"),
        gettext_lazy("Clips of which you know that nobody changed the faces."),
    ),
    "fake": ListWords(
        gettext_lazy("Forged clips"),
        gettext_lazy("Drop forged clips here"),
        gettext_lazy("Choose forged clips"),
        gettext_lazy("Clips of which you know that a face was forged."),
    ),
}

NOT_ENOUGH = gettext_lazy("Figures need genuine and forged clips: add some to both lists.")
CLEAR = gettext_lazy("Empty both lists? The files stay on this machine, among your videos.")

METRICS: dict[str, MetricWords] = {
    "auc": MetricWords(
        gettext_lazy("AUC"),
        gettext_lazy(
            "How often a fake scores above a genuine clip: 1 is always, .5 is guessing, less is worse than guessing."
        ),
    ),
    "eer": MetricWords(
        gettext_lazy("Equal error rate"),
        gettext_lazy(
            "If the threshold were set so that as many fakes are missed as genuine clips are called fake: how many."
        ),
    ),
    "paired_accuracy": MetricWords(
        gettext_lazy("Fake above its twin"),
        gettext_lazy(
            "Of the fakes whose genuine original is here: how many score above it. Camera and codec cannot help here."
        ),
    ),
    "auc_within_pairs": MetricWords(
        gettext_lazy("AUC within pairs"), gettext_lazy("The AUC over the clips that have a twin, and no others.")
    ),
    "false_alarm_rate": MetricWords(
        gettext_lazy("False alarms"), gettext_lazy("Of the genuine clips: how many were called fake.")
    ),
    "caught": MetricWords(gettext_lazy("Fakes caught"), gettext_lazy("Of the fakes: how many were called fake.")),
    "missed": MetricWords(
        gettext_lazy("Fakes called real"),
        gettext_lazy("Of the fakes: how many were called real. The rest ended as uncertain."),
    ),
    "uncertain": MetricWords(
        gettext_lazy("Uncertain"), gettext_lazy("Of all clips: how many were called neither fake nor real.")
    ),
    "accuracy": MetricWords(
        gettext_lazy("Right verdicts"), gettext_lazy("Of all clips; an uncertain one counts as not right.")
    ),
    "accuracy_decided": MetricWords(
        gettext_lazy("Right where decided"), gettext_lazy("Of the clips that were called fake or real.")
    ),
    "brier": MetricWords(
        gettext_lazy("Brier score"),
        gettext_lazy("The mean squared error of the score as a probability: 0 is perfect, .25 is saying 50 % always."),
    ),
    "calibration_error": MetricWords(
        gettext_lazy("Calibration error"),
        gettext_lazy("How far a score is from the share of fakes among clips with that score, on average."),
    ),
}


def judge_name(judge: str) -> str:
    """A module's title; all modules together have a name of their own. One that is gone is called by its key."""
    if judge == FUSED:
        return _("All together")
    return str(module_page(judge).title) if judge in MODULES else judge


def plot_words() -> PlotWords:
    """The words of the plots in the reader's language."""
    return PlotWords(
        roc=_("ROC curves"),
        reliability=_("Reliability of %s"),
        scores=_("Scores of %s"),
        methods=_("AUC by method"),
        false_alarms=_("false alarms"),
        caught=_("fakes caught"),
        score=_("score"),
        share_of_fakes=_("share of fakes"),
        clips=_("clips"),
        genuine=_("genuine"),
        fake=_("fake"),
        against_genuine=_("AUC against all genuine clips"),
        dot=_("%(clips)d clips, score %(score).2f, fakes %(share).2f"),
        judge=judge_name,
    )
