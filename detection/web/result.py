"""A finished run as its page shows it: the people, and what there is to see of each, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.urls import reverse
from django.utils.translation import gettext as _

from detection.fusion import SUSPICION, deciding_person
from detection.records.schema import Analysis, Evidence, ModuleOutcome, PersonOutcome, Reason, RunRecord, Verdict
from detection.vision.keyframes import Why
from detection.web.templatetags.deepfake import module_name, percent
from detection.web.words import EXPECTED_PICTURES, VERDICTS, WHY, PictureWords, Text, picture_words

SHOWN_FIRST = 4  # key frames of a person; the others are one click away
FACES_SHOWN = 4  # small pictures on a person's card
KINDS = ("plain_frame", "mri", "boundary", "attention")  # in the order in which they stand side by side


@dataclass(frozen=True)
class Picture:
    """One picture of a key frame. `path` is relative to the run's folder."""

    kind: str
    words: PictureWords
    url: str
    path: str


@dataclass(frozen=True)
class FrameVerdict:
    """What a module says of one face in one frame."""

    module: str
    score: float
    verdict: Verdict

    @property
    def words(self) -> str:
        return f"{module_name(self.module)} {percent(self.score)} ({VERDICTS[self.verdict].label})"


@dataclass(frozen=True)
class KeyFrame:
    """What there is to see of one person at one moment: the plain picture first, then what the modules found in it."""

    person: int
    frame_index: int
    time_s: float
    verdicts: tuple[FrameVerdict, ...]
    pictures: tuple[Picture, ...]
    reasons: tuple[str, ...]
    highest_of: tuple[str, ...]

    @property
    def why(self) -> list[Text]:
        """The reasons for which it was chosen, in words; old records have none. `highest_of`: the modules that gave
        this person no higher score.
        """
        highest = [_("highest score of %s") % module_name(key) for key in self.highest_of]
        others = [each for each in self.reasons if each != Why.MOST_SUSPICIOUS or not highest]
        return [*(WHY.get(each, each.replace("_", " ")) for each in others), *highest]


@dataclass(frozen=True)
class PersonFrames:
    """The key frames of one person: those to look at first, then the others, in order of time."""

    person: int
    first: tuple[KeyFrame, ...]
    others: tuple[KeyFrame, ...]

    @property
    def in_order(self) -> tuple[KeyFrame, ...]:
        """All of them, by time."""
        return tuple(sorted((*self.first, *self.others), key=_time))


@dataclass(frozen=True)
class ModuleScore:
    """What one module says of one person; without a score its reason."""

    key: str
    score: float | None
    verdict: Verdict
    reason: Reason | None
    outcome: ModuleOutcome


@dataclass(frozen=True)
class PersonCard:
    """One person: the verdict, the time in the video, what each module says, and the face at a few moments.

    `decides`: the verdict on the video is this person's, of several.
    """

    outcome: PersonOutcome
    portrait: str | None
    modules: tuple[ModuleScore, ...]
    faces: tuple[KeyFrame, ...]
    decides: bool

    @property
    def visible_s(self) -> float:
        return sum(span.end_s - span.start_s for span in self.outcome.spans)


def person_cards(record: RunRecord, analysis: Analysis) -> list[PersonCard]:
    """The one who decides first, then the most suspicious; those without a score last."""
    frames = {each.person: each for each in people_frames(key_frames(record, analysis.modules.values()), analysis)}
    decides = deciding_person(analysis) if len(analysis.people) > 1 else None
    return [
        PersonCard(
            outcome=person,
            portrait=_url(record, person.portrait) if person.portrait else None,
            modules=tuple(_module_scores(analysis, person.id)),
            faces=tuple(sorted(frames[person.id].first[:FACES_SHOWN], key=_time)) if person.id in frames else (),
            decides=person is decides,
        )
        for person in _by_suspicion(analysis)
    ]


def _by_suspicion(analysis: Analysis) -> list[PersonOutcome]:
    decides = deciding_person(analysis)

    def place(person: PersonOutcome) -> tuple[bool, int, float, int]:
        return person is not decides, -SUSPICION.index(person.verdict), -(person.score or 0.0), person.id

    return sorted(analysis.people, key=place)


def _module_scores(analysis: Analysis, person_id: int) -> Iterator[ModuleScore]:
    for key, outcome in analysis.modules.items():
        person = next((each for each in outcome.people if each.id == person_id), None)
        if person is None:
            yield ModuleScore(key, None, "no_result", outcome.reason, outcome)
        else:
            yield ModuleScore(key, person.score, person.verdict, person.reason, outcome)


def key_frames(record: RunRecord, outcomes: Iterable[ModuleOutcome]) -> list[KeyFrame]:
    """The evidence of some modules by person and time; a picture that several of them name is shown once."""
    by_moment: dict[tuple[int, int], list[tuple[ModuleOutcome, Evidence]]] = {}
    for outcome in outcomes:
        for evidence in outcome.evidence:
            by_moment.setdefault((evidence.person, evidence.frame_index), []).append((outcome, evidence))
    return [_key_frame(record, shown) for _, shown in sorted(by_moment.items())]


def _key_frame(record: RunRecord, shown: list[tuple[ModuleOutcome, Evidence]]) -> KeyFrame:
    pictures = {
        e.path: Picture(e.kind, picture_words(e.kind), _url(record, e.path), e.path)
        for _, e in sorted(shown, key=lambda pair: _place(pair[1].kind))
    }
    reasons = dict.fromkeys(reason for _, evidence in shown for reason in evidence.reasons)
    if len(reasons) > 1:
        reasons.pop(Why.BEST_OF_STRETCH, None)  # it says little beside another one
    verdicts = {
        outcome.key: FrameVerdict(outcome.key, evidence.score, outcome.thresholds.verdict(evidence.score))
        for outcome, evidence in shown
        if evidence.score is not None and outcome.thresholds
    }
    highest_of = dict.fromkeys(
        outcome.key
        for outcome, evidence in shown
        if evidence.score is not None and Why.MOST_SUSPICIOUS in evidence.reasons
    )
    first = shown[0][1]
    return KeyFrame(
        first.person,
        first.frame_index,
        first.time_s,
        tuple(verdicts.values()),
        tuple(pictures.values()),
        tuple(reasons),
        tuple(highest_of),
    )


def _place(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _time(frame: KeyFrame) -> float:
    return frame.time_s


def people_frames(frames: Sequence[KeyFrame], analysis: Analysis) -> list[PersonFrames]:
    """By person, in the order of their cards.

    Of a person the most suspicious moment leads, then those that something else sets apart, then high scores.
    """
    places = {person.id: place for place, person in enumerate(_by_suspicion(analysis))}
    found = [_person_frames(person, list(group)) for person, group in groupby(frames, key=lambda frame: frame.person)]
    return sorted(found, key=lambda each: (places.get(each.person, len(places)), each.person))


def _person_frames(person: int, frames: list[KeyFrame]) -> PersonFrames:
    ranked = sorted(frames, key=_rank)
    first = ranked[: SHOWN_FIRST if len(frames) > SHOWN_FIRST + 1 else len(frames)]
    return PersonFrames(person, tuple(first), tuple(sorted(ranked[len(first) :], key=_time)))


def _rank(frame: KeyFrame) -> tuple[bool, bool, float, float]:
    telling = [reason for reason in frame.reasons if reason != Why.BEST_OF_STRETCH]
    highest = max((each.score for each in frame.verdicts), default=0.0)
    return (Why.MOST_SUSPICIOUS not in telling, not telling, -highest, frame.time_s)


def evidence_notes(frames: Iterable[KeyFrame]) -> list[tuple[str, PictureWords]]:
    """The kinds of pictures among the key frames, each with what it is and is not."""
    kinds = {picture.kind: picture.words for frame in frames for picture in frame.pictures}
    return [(kind, kinds[kind]) for kind in sorted(kinds, key=_place) if kinds[kind].note]


def missing_pictures(frames: Iterable[KeyFrame]) -> list[Text]:
    """The kinds of pictures that no module of this run gave."""
    there = {picture.kind for frame in frames for picture in frame.pictures}
    return [picture_words(kind).title for kind in EXPECTED_PICTURES if kind not in there]


def _url(record: RunRecord, path: str) -> str:
    return reverse("evidence", args=[record.id, path])
