"""An evaluation as one HTML page that needs nothing besides itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from detection.evaluation.plots import family_plot, histogram_plot, reliability_plot, roc_plot
from detection.evaluation.report import Table, judge_tables, summary_table, thresholds_text
from detection.evaluation.run import Row
from detection.evaluation.summary import Evaluation, JudgeReport

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .2rem .7rem; }
tr { border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; margin: 1rem 0; } .plots { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; } figcaption { font-size: .85rem; opacity: .8; } svg { max-width: 100%; height: auto; }
.wrong { color: #c0392b; font-weight: 600; } .note { max-width: 60rem; opacity: .85; }
"""

EXPLAINED = (
    "Genuine clips that come from other cameras and codecs than the fakes flatter the pooled figures: where pairs and "
    "methods are named, theirs decide. “Right verdicts” counts an uncertain clip as not right. Rates are over the "
    "clips with a result."
)


def as_html(evaluation: Evaluation) -> str:
    """The whole page. All words of the folder and its index are escaped."""
    parts = [
        f"<h1>Evaluation of {escape(evaluation.folder)}</h1>",
        f'<p class="note">{evaluation.fakes} fakes, {evaluation.genuine} genuine clips. In brackets: '
        f"{evaluation.confidence:.0%} intervals from {evaluation.resamples} bootstrap resamples (clips, a fake "
        f"together with its twin; seed {evaluation.seed}). {EXPLAINED}</p>",
        _table(summary_table(evaluation)),
        f'<h2>ROC</h2><div class="plots">{roc_plot(evaluation.judges)}</div>',
        *map(_judge, evaluation.judges),
        "<h2>Clips</h2>",
        _rows(evaluation),
        f"<h2>Made by</h2><p>{escape(', '.join(f'{k} {v}' for k, v in evaluation.versions.items()))}</p>",
    ]
    title = escape(f"Evaluation of {evaluation.folder}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        f"<body>\n{chr(10).join(parts)}\n</body></html>\n"
    )


def _judge(report: JudgeReport) -> str:
    parts = [f"<h2>{escape(report.judge)}</h2>"]
    if report.fakes + report.genuine:
        limits = thresholds_text(report)
        parts.append(
            '<div class="plots">'
            + _figure(histogram_plot(report), f"Scores. Dashed: the shipped thresholds, {limits}.")
            + _figure(reliability_plot(report), "Reliability: a calibrated score lies on the diagonal.")
            + (_figure(family_plot(report.families), "By method, with intervals.") if report.families else "")
            + "</div>"
        )
    return "\n".join([*parts, *map(_table, judge_tables(report))])


def _rows(evaluation: Evaluation) -> str:
    judges = [report.judge for report in evaluation.judges]
    header = _line("th", ["clip", "is", "method", *judges, ""])
    return f'<div class="wide"><table>{header}{"".join(_row(row, judges) for row in evaluation.rows)}</table></div>'


def _row(row: Row, judges: Sequence[str]) -> str:
    cells = [f"<td>{escape(text)}</td>" for text in (row.clip.name, row.clip.label, row.clip.method or "")]
    for judge in judges:
        said = row.outcome.opinions[judge]
        is_wrong = said.verdict in ("fake", "real") and said.verdict != row.clip.label
        words = str(said.reason) if said.score is None else f"{said.verdict} {said.score:.2f}"
        cells.append(f'<td class="wrong">{escape(words)}</td>' if is_wrong else f"<td>{escape(words)}</td>")
    return f"<tr>{''.join(cells)}<td>{escape(row.outcome.detail or '')}</td></tr>"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(table: Table) -> str:
    lines = "".join(_line("td", row) for row in table.rows)
    return f'<div class="wide"><table>{_line("th", table.header)}{lines}</table></div>'


def _line(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
