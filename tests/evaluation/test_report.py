"""Reports over made-up rows: what they say, and that words from outside stay words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from detection.evaluation.folders import Clip
from detection.evaluation.page import as_html
from detection.evaluation.plots import family_plot, histogram_plot, reliability_plot, roc_plot
from detection.evaluation.report import as_json, as_text, short
from detection.evaluation.run import Opinion, Outcome, Row
from detection.evaluation.summary import Evaluation, summarise
from detection.records.schema import Reason, Thresholds

BAND = Thresholds(0.4, 0.6)
NASTY = 'swap <script>alert("x")</script>'


def row(
    name: str, label: str, scores: dict[str, float | None], method: str | None = None, pair: str | None = None
) -> Row:
    opinions = {
        judge: Opinion(score, BAND.verdict(score), None if score is not None else Reason.NO_FACE, BAND)
        for judge, score in scores.items()
    }
    clip = Clip(Path(name), name, label, method, pair)  # type: ignore[arg-type]
    return Row(clip, "0" * 64, Outcome(opinions, 1.5, None), is_cached=False)


def evaluation(judges: tuple[str, ...] = ("space", "fused")) -> Evaluation:
    draw = np.random.default_rng(0)
    rows = []
    for number in range(12):
        fake, genuine = draw.uniform(0.3, 1), draw.uniform(0, 0.7)
        method = NASTY if number % 2 else "lips"
        rows.append(row(f"fake/{number}.mp4", "fake", dict.fromkeys(judges, fake), method, f"p{number}"))
        rows.append(row(f"real/{number}.mp4", "real", dict.fromkeys(judges, genuine), None, f"p{number}"))
    rows.append(row("real/<i>wall.mp4", "real", dict.fromkeys(judges, None)))
    return summarise("my & clips", judges, rows, {"crf32": rows}, {"program": "1"})


def test_text_names_figures_methods_and_changes() -> None:
    text = as_text(evaluation())
    assert "my & clips: 12 fakes, 13 genuine clips" in text
    for words in ("AUC within pairs", "false alarms", "no_face 1", "lips", "crf32", "real < .40, fake ≥ .60"):
        assert words in text
    auc = re.search(r"^AUC +(\.\d\d|1\.00) \[(\S+), (\S+)\]", text, re.MULTILINE)
    assert auc is not None
    assert float(auc[2]) <= float(auc[1]) <= float(auc[3])


def test_the_columns_of_a_table_stand_under_one_another() -> None:
    block = as_text(evaluation()).split("\n\n")[1].splitlines()
    assert len({len(line) for line in block}) == 1


def test_json_is_whole_and_holds_what_the_text_shows() -> None:
    made = evaluation()
    read = json.loads(as_json(made))
    judge = read["judges"][0]
    assert judge["judge"] == "space"
    assert judge["figures"]["auc"]["value"] == made.judges[0].figures["auc"].value
    assert judge["no_result"] == {"no_face": 1}
    assert len(read["rows"]) == 25
    assert read["rows"][-1]["judges"]["fused"] == {"score": None, "verdict": "no_result", "reason": "no_face"}


def test_the_page_stands_alone_and_escapes_names() -> None:
    page = as_html(evaluation())
    assert "<script" not in page
    assert "swap &lt;script&gt;" in page
    assert "real/&lt;i&gt;wall.mp4" in page
    assert not re.findall(r"(?:src|href)\s*=|@import|url\(", page)
    assert page.count("<svg") == 1 + 3 * 2  # ROC, and three plots per judge


@pytest.mark.parametrize("judges", [("space",), ("space", "feature", "blend", "fused")])
def test_plots_are_well_formed_svg_within_their_field(judges: tuple[str, ...]) -> None:
    made = evaluation(judges)
    report = made.judges[0]
    for svg in (roc_plot(made.judges), reliability_plot(report), histogram_plot(report), family_plot(report.families)):
        root = ElementTree.fromstring(svg)
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for line in root.iter("{http://www.w3.org/2000/svg}polyline"):
            for x, y in (map(float, point.split(",")) for point in line.attrib["points"].split()):
                assert 0 <= x <= width
                assert 0 <= y <= height


def test_the_histogram_draws_every_clip_once() -> None:
    report = evaluation().judges[0]
    titles = ElementTree.fromstring(histogram_plot(report)).iter("{http://www.w3.org/2000/svg}title")
    assert sum(int(title.text or 0) for title in titles) == 24


def test_the_histogram_counts_whole_clips() -> None:
    texts = ElementTree.fromstring(histogram_plot(evaluation().judges[0])).iter("{http://www.w3.org/2000/svg}text")
    counts = [float(each.text or "") for each in texts if each.get("x") == "38.0"]
    assert [count.is_integer() for count in counts] == [True] * 5


def test_a_judge_without_any_result_still_gives_a_report() -> None:
    rows = [row("fake/a.mp4", "fake", {"space": None}), row("real/b.mp4", "real", {"space": None})]
    made = summarise("clips", ("space",), rows, {"half": rows}, {})
    assert made.judges[0].figures["auc"].value is None
    assert "no_face 2" in as_text(made)
    assert json.loads(as_json(made))["judges"][0]["roc"] == []
    assert "<svg" in as_html(made)


def test_figures_are_printed_as_in_papers() -> None:
    assert [short(v) for v in (0.0, 0.054, 0.994, 0.996, 1.0)] == [".00", ".05", ".99", "1.00", "1.00"]
