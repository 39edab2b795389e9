"""How the Feature module's model was made, step by step.

python -m detection.training.feature_recipe shots   CLIPS OUT
python -m detection.training.feature_recipe forge   SHOTS PORTRAITS TABLE [--repeats N]
python -m detection.training.feature_recipe measure INDEX TABLE
python -m detection.training.feature_recipe fit     FORGED LABELLED LOGITS

`forge` writes every shot once genuine and once with each kind of forgery through one journey to a real file, reads it
with the product's own eyes and keeps the measures. `measure` does the same for labelled clips (`file`, `label`, `group`
in INDEX). `fit` learns from the FORGED table, and the weight of one measure (LABELLED_MEASURE) and the genuine clips'
ranges, which only the charts use, from the LABELLED one; it writes LOGITS for `detection.training.calibrate`.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from detection.feature.measure import Measure
from detection.feature.measures import measure_all
from detection.feature.model import ASSET, CLIP, Model, Term
from detection.feature.sequence import sequence_of
from detection.inference import weights
from detection.training.dataset import PortraitFolder
from detection.training.sequences import KINDS, Journey, Pictures, forge_shot, reduced
from detection.training.shots import gather_shots, load_shot
from detection.vision.observe import observe
from detection.vision.sampling import LOWEST_RATE_HZ
from detection.vision.video import probe

GENUINE = "genuine"
SHRINK = 0.1  # inverse strength of the L2 penalty: few people, many journeys of the same ones
REPEATS = 2
RANGE = (2.5, 97.5)  # percentiles

# Measures that the model weighs, and those that it only shows: the latter told nothing, told the two apart by how much
# a head moves, or went one way on forged sequences and the other on development clips (README of the module).
WEIGHED = (
    "nose tremble",
    "outline tremble",
    "spectrum change inside against border",
    "skin flicker growth",
    "skin flicker growth against surroundings",
    "skin brightness flicker",
    "skin flicker grain",
    "flicker grain inside against outside",
)
# The sequences forged here soften mouth and eyes alike, or the mouth alone. What forgers publish keeps lips and teeth
# and loses lashes and lids, whatever its method. No own forgery teaches that, so labelled clips do: one number.
LABELLED_MEASURE = "mouth detail against eyes"
LABELLED_RIDGE = 0.01
SHOWN = (
    "identity drift",
    "blink rate",
    "eye asymmetry",
    "mouth flicker",
    "border flicker grain",
    "flicker variation",
)

HEAD = ("clip", "kind", "group", "faces")  # of a table, before the measures

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One clip: `kind` is genuine, or the forgery's; clips of one `group` show one person, in so many `faces`."""

    clip: str
    kind: str
    group: str
    faces: int
    values: dict[str, float] = field(default_factory=dict)

    @property
    def measures(self) -> list[Measure]:
        return [Measure(name, value) for name, value in self.values.items()]


def forge_table(shots: Path, portraits: Path, repeats: int = REPEATS, seed: int = 0) -> Iterator[Row]:
    """Measures of every shot's genuine and forged versions, `repeats` journeys each."""
    folder = PortraitFolder(portraits)
    for repeat in range(repeats):
        for number, path in enumerate(sorted(shots.glob("*.npz"))):
            # Seed 0 draws what the shipped model was made with, which was before there was a seed to choose.
            rng = np.random.default_rng((seed, repeat, number) if seed else (repeat, number))
            shot = load_shot(path)
            journey = Journey.draw(rng, shot)
            shot = reduced(shot, journey.side_px, max(1, int(shot.rate_hz / LOWEST_RATE_HZ)))
            for kind in (GENUINE, *KINDS):
                frames = shot.frames
                if kind != GENUINE:
                    still = folder.portrait(int(rng.integers(len(folder))))
                    frames = forge_shot(shot, kind, still, rng)
                if (found := _measured(frames, shot.rate_hz, journey)) is not None:
                    yield Row(f"{path.stem}-{repeat}-{kind}", kind, path.stem.rsplit("-", 1)[0], *found)


def _measured(frames: Pictures, rate_hz: float, journey: Journey) -> tuple[int, dict[str, float]] | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shot.mkv"
        journey.write(frames, rate_hz, path)
        return measure_clip(path)


def measure_clip(path: Path) -> tuple[int, dict[str, float]] | None:
    """Faces and measures of the most prominent person of a video; None where nobody can be judged."""
    observation = observe(path, probe(path), lambda done, total: None)
    sequence = sequence_of(observation.people[0]) if observation.people else None
    return None if sequence is None else (len(sequence.crops), {m.name: m.value for m in measure_all(sequence)})


def labelled_table(index: Path) -> Iterator[Row]:
    """Measures of the clips that `index` lists; paths count from its folder's parent or its own folder."""
    with index.open() as lines:
        for line in csv.DictReader(lines, delimiter="\t"):
            if (found := measure_clip(index.parent / line["file"])) is not None:
                kind = GENUINE if line["label"] == "real" else line["method"]
                yield Row(line["file"], kind, line["group"], *found)


def fit(forged: list[Row], labelled: list[Row]) -> Model:
    """The model learned from `forged`, pair by pair, and of LABELLED_MEASURE from `labelled`; ranges from the genuine
    clips of both tables.

    A forgery is compared with its own genuine twin alone: person, camera, motion and codec cancel out, and what is left
    to learn from is the manipulation.
    """
    table = _logarithms(forged)
    centre = np.median(table[[row.kind == GENUINE for row in forged]], axis=0)
    low, high = np.percentile(table, (16, 84), axis=0)
    scale = np.maximum((high - low) / 2, 1e-9)
    scaled = np.clip((table - centre) / scale, -CLIP, CLIP)
    coefficients = _regress(np.array([scaled[fake] - scaled[twin] for fake, twin in _pairs(forged)]))
    honest = [row for row in (*forged, *labelled) if row.kind == GENUINE]
    terms = {}
    for name, c, s, w in zip(WEIGHED, centre, scale, coefficients, strict=True):
        terms[name] = Term(name, True, float(c), float(s), float(w), *_range(honest, name))
    for name in SHOWN:
        terms[name] = Term(name, False, 0.0, 1.0, 0.0, *_range(honest, name))
    model = Model(0.0, terms | {LABELLED_MEASURE: _labelled_term(Model(0.0, terms), labelled, honest)})
    return replace(model, bias=-_even_point(model, labelled))


def _even_point(model: Model, labelled: list[Row]) -> float:
    """The logit at which a clip is as probably forged as genuine, were there as many of one as of the other."""
    logits = np.array([[model.logit(row.measures)] for row in labelled])
    slope, offset = _balanced(logits, np.array([row.kind != GENUINE for row in labelled]))
    return float(-offset / slope) if slope > 0 else 0.0


def _labelled_term(model: Model, labelled: list[Row], honest: list[Row]) -> Term:
    """LABELLED_MEASURE with the weight that it has beside the model's logit in a logistic regression on clips."""
    labelled = [row for row in labelled if np.isfinite(row.values[LABELLED_MEASURE])]
    values = np.log([max(row.values[LABELLED_MEASURE], 1e-9) for row in labelled])
    fake = np.array([row.kind != GENUINE for row in labelled])
    centre = float(np.median(values[~fake]))
    low, high = np.percentile(values, (16, 84))
    scale = float(max((high - low) / 2, 1e-9))
    logits = np.array([model.logit(row.measures) for row in labelled])
    by_logit, by_measure, _ = _balanced(
        np.column_stack([logits, np.clip((values - centre) / scale, -CLIP, CLIP)]), fake
    )
    weight = by_measure / by_logit if by_logit > 0 else 0.0
    return Term(LABELLED_MEASURE, True, centre, scale, float(weight), *_range(honest, LABELLED_MEASURE))


def _balanced(columns: Floats, fake: NDArray[np.bool_]) -> Floats:
    """Coefficients and offset (m + 1,) of a logistic regression on columns (n, m), with a ridge, in which both kinds
    weigh the same.
    """
    spread = columns.std(axis=0)
    design = np.column_stack([columns / spread, np.ones(len(columns))])
    share = np.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())

    def loss(w: Floats) -> tuple[float, Floats]:
        z, inner = design @ w, np.append(w[:-1], 0.0)
        value = share @ (np.logaddexp(0, z) - fake * z) + LABELLED_RIDGE * inner @ inner
        return float(value), design.T @ (share * (expit(z) - fake)) + 2 * LABELLED_RIDGE * inner

    found = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    return np.asarray(found / np.append(spread, 1.0))


def _pairs(rows: list[Row]) -> list[tuple[int, int]]:
    """The place of each forgery and of its genuine twin."""
    genuine = {_twins(row): place for place, row in enumerate(rows) if row.kind == GENUINE}
    forged = [(place, row) for place, row in enumerate(rows) if row.kind != GENUINE]
    return [(place, genuine[_twins(row)]) for place, row in forged if _twins(row) in genuine]


def _twins(row: Row) -> str:
    return row.clip.rpartition("-")[0]


def _regress(differences: Floats) -> Floats:
    """Logistic regression of which of the two is the forgery, on differences (pairs, measures), with an L2 penalty."""

    def loss(w: Floats) -> tuple[float, Floats]:
        margin = differences @ w
        gradient = w / SHRINK - 2 * expit(-margin) @ differences
        return float(2 * np.logaddexp(0, -margin).sum() + w @ w / (2 * SHRINK)), gradient

    return np.asarray(minimize(loss, np.zeros(differences.shape[1]), jac=True, method="L-BFGS-B").x)


def _logarithms(rows: Iterable[Row]) -> Floats:
    """Logarithms of the weighed measures, which are ratios all. Shape (rows, measures)."""
    return np.asarray(np.log([[max(row.values[name], 1e-9) for name in WEIGHED] for row in rows]))


def _range(rows: list[Row], name: str) -> tuple[float, float]:
    low, high = np.nanpercentile([row.values[name] for row in rows], RANGE)
    return float(low), float(high)


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Writes the table; a table that is there is whole."""
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        names = (*WEIGHED, LABELLED_MEASURE, *SHOWN)
        writer.writerow((*HEAD, *names))
        for row in rows:
            values = (f"{row.values[name]:.6g}" for name in names)
            writer.writerow((row.clip, row.kind, row.group, row.faces, *values))
            file.flush()
    partial.replace(path)


def read_rows(path: Path) -> list[Row]:
    with path.open() as file:
        return [_row(line) for line in csv.DictReader(file, delimiter="\t")]


def _row(line: dict[str, str]) -> Row:
    clip, kind, group, faces = (line.pop(key) for key in HEAD)
    return Row(clip, kind, group, int(faces), {name: float(value) for name, value in line.items()})


def ship(model: Model, forged: int) -> Path:
    """Writes the model into `assets/` and the manifest."""
    path = weights.ASSETS / f"{ASSET}.json"
    path.write_text(model.to_json(), encoding="utf-8")
    weights.enrol(
        weights.Asset(
            ASSET,
            path.name,
            weights.sha256_of(path),
            "Feature: coefficients of a logistic regression over measures of a face in time, ranges of genuine faces",
            f"detection/training/feature_recipe.py, {forged} sequences, genuine and forged from genuine ones",
            "Apache-2.0",
        )
    )
    return path


def write_logits(model: Model, rows: list[Row], path: Path) -> None:
    """The table that detection.training.calibrate reads."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(("clip", "label", "logit", "group"))
        for row in rows:
            logit = model.evidence(row.measures, row.faces)
            writer.writerow((row.clip, "real" if row.kind == GENUINE else "fake", f"{logit:.6f}", row.group))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("shots", "forge", "measure", "fit"))
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    paths: list[Path] = options.paths
    if options.step == "shots":
        gather_shots(paths[0], paths[1], lambda stage, done, total: print(stage, done, total, file=sys.stderr))
    elif options.step == "forge":
        write_rows(forge_table(paths[0], paths[1], options.repeats), paths[2])
    elif options.step == "measure":
        write_rows(labelled_table(paths[0]), paths[1])
    else:
        forged, labelled = read_rows(paths[0]), read_rows(paths[1])
        model = fit(forged, labelled)
        print(ship(model, len(forged)))
        write_logits(model, labelled, paths[2])


if __name__ == "__main__":
    main()
