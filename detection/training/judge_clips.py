"""What the shipped networks say of labelled clips, before any calibration, and the light on the genuine ones.

python -m detection.training.judge_clips INDEX LOGITS.tsv [--install-light]

INDEX lists clips (`file`, `label`, `group`; paths count from its folder). LOGITS.tsv gets a line a clip with the
evidence of both maps of its most prominent person: `detection.training.calibrate LOGITS.tsv space_calibration --column
region` and `… blend_calibration --column boundary` read it. `--install-light` writes the ranges of genuine faces that
Blend shows its measures of light against.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detection.blend import steadiness
from detection.inference import weights
from detection.inference.session import load
from detection.modules import ModuleContext
from detection.traces import look
from detection.vision.observe import observe
from detection.vision.types import Observation
from detection.vision.video import probe

RANGE = (2.5, 97.5)  # percentiles
MIN_CLIPS = 10  # from which percentiles mean something


@dataclass(frozen=True)
class Judged:
    """One clip: the evidence of each map, and the measures of light by name (NaN where not seen)."""

    clip: str
    label: str
    group: str
    region: float
    boundary: float
    light: dict[str, float]


def judged_clips(index: Path) -> Iterator[Judged]:
    """Every clip of `index` in which somebody can be judged."""
    with index.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines, delimiter="\t"):
            path = index.parent / line["file"]
            found = judged(observe(path, probe(path), lambda done, total: None))
            if found is not None:
                region, boundary, light = found
                yield Judged(line["file"], line["label"], line["group"], region, boundary, light)


def judged(observation: Observation) -> tuple[float, float, dict[str, float]] | None:
    """Region's and boundary's evidence and the light of the most prominent person; None where nobody can be judged."""
    if not observation.people:
        return None
    person = observation.people[0]
    context = ModuleContext(Path(), lambda done, total: None)  # nothing is written by a look
    region, boundary = (look(load(name), observation, context)[person.id].logit for name in ("space", "blend"))
    if region is None or boundary is None:
        return None
    lights = steadiness.lights_on(person)
    measured = steadiness.measure(lights) if lights else {}
    return region, boundary, {name: steadiness.value_of(series) for name, series in measured.items()}


def light_ranges(rows: Iterable[Judged]) -> dict[str, tuple[float, float]]:
    """By measure, the percentiles RANGE over the genuine clips. Raises ValueError where they are too few."""
    genuine = [row.light for row in rows if row.label == "real"]
    ranges = {}
    for name in steadiness.UNITS:
        values = np.array([light.get(name, np.nan) for light in genuine])
        if (seen := int(np.isfinite(values).sum())) < MIN_CLIPS:
            raise ValueError(f"{name} was measured on {seen} genuine clips, fewer than {MIN_CLIPS}.")
        low, high = np.nanpercentile(values, RANGE)
        ranges[name] = (float(low), float(high))
    return ranges


def install_light(ranges: dict[str, tuple[float, float]], clips: int) -> Path:
    """Writes the ranges as Blend's asset with its line in the manifest."""
    path = weights.ASSETS / f"{steadiness.ASSET}.json"
    path.write_text(json.dumps({"format": steadiness.FORMAT, "ranges": ranges}, indent=2) + "\n", encoding="utf-8")
    what = "Blend: ranges of genuine faces for the measures of light (2.5th to 97.5th percentile)"
    source = f"detection.training.judge_clips on {clips} genuine clips"
    weights.enrol(weights.Asset(steadiness.ASSET, path.name, weights.sha256_of(path), what, source, "Apache-2.0"))
    return path


def write_logits(rows: Iterable[Judged], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(("clip", "label", "group", "region", "boundary"))
        for row in rows:
            writer.writerow((row.clip, row.label, row.group, f"{row.region:.6f}", f"{row.boundary:.6f}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("logits", type=Path)
    parser.add_argument("--install-light", action="store_true")
    given = parser.parse_args()
    rows = []
    for row in judged_clips(given.index):
        print(row.clip, f"{row.region:.2f}", f"{row.boundary:.2f}", file=sys.stderr)
        rows.append(row)
    write_logits(rows, given.logits)
    if given.install_light:
        print(install_light(light_ranges(rows), sum(row.label == "real" for row in rows)))


if __name__ == "__main__":
    main()
