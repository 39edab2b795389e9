"""An evaluation as text for a terminal and as JSON for scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from detection.evaluation.metrics import METRICS, Figure
from detection.evaluation.run import Row
from detection.evaluation.summary import Evaluation, JudgeReport
from detection.records.codec import converter


def as_json(evaluation: Evaluation) -> str:
    """One object, indented; figures have their interval as `low` and `high`, rows are named as below the folder."""
    shown: dict[str, Any] = converter.unstructure(evaluation)
    shown["rows"] = [_row(row) for row in evaluation.rows]
    return json.dumps(shown, ensure_ascii=False, allow_nan=False, indent=2)


def _row(row: Row) -> dict[str, Any]:
    clip = row.clip
    return {
        "file": clip.name,
        "label": clip.label,
        "method": clip.method,
        "pair": clip.pair,
        "sha256": row.sha256,
        "detail": row.outcome.detail,
        "seconds": row.outcome.seconds,
        "judges": {
            judge: {"score": said.score, "verdict": said.verdict, "reason": said.reason}
            for judge, said in row.outcome.opinions.items()
        },
    }


@dataclass(frozen=True)
class Table:
    """Cells of text, the first column naming what the others say."""

    header: list[str]
    rows: list[list[str]]


def as_text(evaluation: Evaluation) -> str:
    """Tables; with three judges and their sum the widest has some 130 columns."""
    parts = [
        f"{evaluation.folder}: {evaluation.fakes} fakes, {evaluation.genuine} genuine clips; in brackets "
        f"{evaluation.confidence:.0%} intervals ({evaluation.resamples} bootstrap resamples, seed {evaluation.seed})",
        _text(summary_table(evaluation)),
    ]
    for report in evaluation.judges:
        parts += [_text(table) for table in judge_tables(report)]
    return "\n\n".join(parts)


def summary_table(evaluation: Evaluation) -> Table:
    """A row per metric, a column per judge."""
    judges = evaluation.judges
    rows = [["fakes / genuine with a result", *(f"{r.fakes} / {r.genuine}" for r in judges)]]
    rows += [[metric.label, *(figure_text(r.figures[name]) for r in judges)] for name, metric in METRICS.items()]
    chance = (r.calibration_error_by_chance for r in judges)
    rows += [["… if calibrated perfectly", *("–" if value is None else short(value) for value in chance)]]
    rows += [["thresholds", *(thresholds_text(r) or "–" for r in judges)], ["no result", *map(no_result_text, judges)]]
    return Table(["", *(report.judge for report in judges)], rows)


def judge_tables(report: JudgeReport) -> list[Table]:
    """What there is of: a row per method of the fakes, a row per change of the clips."""
    tables = []
    if report.families:
        names = list(report.families[0].figures)
        header = [f"{report.judge}: fakes by method", "fakes", *(METRICS[name].label for name in names)]
        rows = [[f.name, str(f.fakes), *(figure_text(f.figures[name]) for name in names)] for f in report.families]
        tables.append(Table(header, rows))
    if report.robustness:
        names = list(report.robustness[0].figures)
        header = [f"{report.judge}: changed clips", "|score change|", "other verdict"]
        header += [*(METRICS[name].label for name in names), "no result"]
        rows = [
            [v.variant, *map(figure_text, (v.mean_change, v.verdict_changed, *v.figures.values())), str(v.no_result)]
            for v in report.robustness
        ]
        tables.append(Table(header, rows))
    return tables


def figure_text(figure: Figure) -> str:
    """As ".91 [.83, .97]"; a dash where the figure is not defined."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    return f"{short(figure.value)} [{short(figure.low)}, {short(figure.high)}]"


def short(value: float) -> str:
    """Two decimals, without the zero before the point, as such figures are printed in papers."""
    return f"{value:.2f}".removeprefix("0") if value < 0.995 else f"{value:.2f}"


def no_result_text(report: JudgeReport) -> str:
    """The reasons why clips have no result, with their counts."""
    return ", ".join(f"{reason} {count}" for reason, count in report.no_result.items()) or "0"


def thresholds_text(report: JudgeReport) -> str:
    """Empty when no clip was judged."""
    limits = report.thresholds
    return f"real < {short(limits.real_below)}, fake ≥ {short(limits.fake_from)}" if limits else ""


def _text(table: Table) -> str:
    """The first column left, the others right, each as wide as its widest cell."""
    lines = [table.header, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
    )
