"""What verdicts, reasons, states and pictures are called, in words that need no glossary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from detection.records.schema import CredentialState, Reason, RunState, Verdict

Text = Promise | str


@dataclass(frozen=True)
class VerdictWords:
    """`label` for a badge, `headline` and `meaning` for the top of the result."""

    label: Text
    headline: Text
    meaning: Text


@dataclass(frozen=True)
class ReasonWords:
    """Why there is no result, and what a person can do about it."""

    title: Text
    advice: Text


@dataclass(frozen=True)
class PictureWords:
    """What a picture is, and what it does not say."""

    title: Text
    note: Text


VERDICTS: dict[Verdict, VerdictWords] = {
    "fake": VerdictWords(
        _("Probably forged"),
        _("A face in this video was probably forged."),
        _("The analysis found traces that forged faces have and genuine ones rarely show."),
    ),
    "real": VerdictWords(
        _("No forgery found"),
        _("No clear sign of a forged face was found."),
        _("That is no proof that the video is genuine: a method of forgery that leaves no known trace is not seen."),
    ),
    "uncertain": VerdictWords(
        _("Uncertain"),
        _("The analysis cannot decide."),
        _(
            "Genuine and forged videos both get such scores: take it neither as a warning nor as an all-clear. "
            "A longer or sharper version of the video may help."
        ),
    ),
    "no_result": VerdictWords(
        _("No result"),
        _("This video could not be judged."),
        _("No score is given, because there was nothing that a score could honestly be based on."),
    ),
}

REASONS: dict[Reason, ReasonWords] = {
    Reason.NO_FACE: ReasonWords(
        _("No face was found."),
        _("Use a video in which a face shows from the front or half from the side for at least a second."),
    ),
    Reason.FACE_TOO_SMALL: ReasonWords(
        _("The faces are too small or too blurred to be judged."),
        _("Use the original file instead of a copy made smaller, or a part of the video in which the face is closer."),
    ),
    Reason.TOO_FEW_FRAMES: ReasonWords(
        _("A face shows in too few frames."),
        _("Use a longer part of the video; one or two seconds with a clear face are enough."),
    ),
    Reason.UNREADABLE: ReasonWords(
        _("The file cannot be read as a video."),
        _("It may be damaged or only partly copied. Copy it again, or save it anew as MP4 and upload that."),
    ),
    Reason.NO_VIDEO_STREAM: ReasonWords(
        _("The file has no picture."),
        _("It may hold sound only. Upload a file that shows a picture when you play it."),
    ),
    Reason.TOO_LONG: ReasonWords(
        _("The video is longer than this installation allows."),
        _("Cut out the part in question, or raise the limit DEEPFAKE_MAX_DURATION_S and start the site again."),
    ),
    Reason.MODULE_UNAVAILABLE: ReasonWords(
        _("The module is not available here."),
        _("Choose another module. The page of the module says what is missing."),
    ),
}

STATES: dict[RunState, Text] = {
    RunState.QUEUED: _("Waiting"),
    RunState.RUNNING: _("Being analysed"),
    RunState.DONE: _("Finished"),
    RunState.FAILED: _("Failed"),
    RunState.CANCELLED: _("Cancelled"),
}

PICTURES: dict[str, PictureWords] = {
    "plain_frame": PictureWords(_("The frame"), _("The face as the analysis saw it.")),
    "mri": PictureWords(
        pgettext_lazy("picture", "Manipulated region"),
        _(
            "Yellow is what the network takes for manipulated, dark violet where it found nothing. Read it together "
            "with the score: a map of a genuine face has bright spots too."
        ),
    ),
    "boundary": PictureWords(
        _("Blending boundary"),
        _("Brighter means a more likely seam between two pictures; hair and glasses can look like one."),
    ),
    "attention": PictureWords(
        _("Where the model looked"),
        _(
            "Brighter where blurring that part changes Space's score more. Not a measure of forgery: it says what "
            "weighed in the decision, for a genuine face as for a forged one."
        ),
    ),
    "keyframe": PictureWords(
        _("Key frame"), _("A frame chosen because the face is large, sharp and turned to the camera.")
    ),
}

# Kinds that a reader may look for; the page says which of them a run does not have.
EXPECTED_PICTURES = ("mri", "boundary", "attention")

WHY: dict[str, Text] = {
    "first_clear": _("first clear view"),
    "largest": _("face is largest"),
    "sharpest": _("face is sharpest"),
    "most_frontal": _("face is turned to the camera most"),
    "best_of_stretch": _("best view in its part of the video"),
    "most_suspicious": _("highest score of all judged frames"),
}

CREDENTIALS: dict[CredentialState, PictureWords] = {
    "not_checked": PictureWords(
        _("Not checked"),
        _("The library that reads Content Credentials (c2pa-python) is not installed here."),
    ),
    "unsupported": PictureWords(_("None"), _("A file of this format cannot hold Content Credentials.")),
    "none": PictureWords(_("None"), _("Most videos have none. It says nothing for or against the video.")),
    "valid": PictureWords(
        _("Present, and unchanged since it was signed"),
        _(
            "The file is as its signer left it. Who the signer is was not checked against a list of trusted ones, and "
            "what the signer claims was not checked at all."
        ),
    ),
    "invalid": PictureWords(
        _("Present, but not valid"),
        _("File and credentials do not fit each other: one of them was changed after it was signed."),
    ),
    "unreadable": PictureWords(_("Present, but not readable"), _("It is damaged, or of a newer kind.")),
}

# Of checks that say that something is not there; the standard's codes of the others are shown as they are.
MISSING: dict[str, Text] = {
    "claim.missing": _("The manifest that it refers to is not in the file"),
    "ingredient.manifest.missing": _("The manifest of a file that it was made from is not in this file"),
}

LIMITS: tuple[Text, ...] = (
    _("A verdict says how much a face resembles known forgeries. It is an estimate, and no proof."),
    _("A genuine video can be called forged, most easily a heavily compressed, filtered or beautified one."),
    _("“No forgery found” does not mean genuine: methods that the program has not seen can go unnoticed."),
    _("It does not say who made a video, whether its words are true, or whether sound, text or scene were changed."),
    _("Long videos are examined in samples: a forgery of a few seconds can lie between them."),
    _(
        "Of several people the most suspicious decides: the more people a genuine video shows, the likelier it is that "
        "one of them scores high by chance."
    ),
)

FEATURES: dict[str, str | Promise] = {
    "nose tremble": _("Tremble of the nose"),
    "outline tremble": _("Tremble of the face's outline"),
    "spectrum change inside against border": _("Change of fine detail, face against border"),
    "skin flicker growth": _("Growth of skin flicker over time"),
    "skin flicker growth against surroundings": _("Growth of skin flicker, face against surroundings"),
    "skin brightness flicker": _("Flicker of the skin's brightness"),
    "skin flicker grain": _("Grain of the skin's flicker"),
    "flicker grain inside against outside": _("Grain of the flicker, inside against outside"),
    "identity drift": _("Drift of the identity"),
    "blink rate": _("Blinks"),
    "eye asymmetry": _("Difference between the eyes"),
    "mouth detail against eyes": _("Detail of the mouth against the eyes"),
    "mouth flicker": _("Flicker of the mouth"),
    "border flicker grain": _("Grain of the border's flicker"),
    "flicker variation": _("Variation of the flicker"),
    "light swing": _("Swing of the light's direction"),
    "shading misfit": _("Shading that does not fit the face's shape"),
    "light directedness": _("How directed the light is"),
    "neck against face": _("Brightness of the neck against the face"),
}


UNITS: dict[str, str | Promise] = {"grey levels": _("grey levels"), "1/min": _("a minute")}

COURSES: dict[str, str | Promise] = {
    "light azimuth": _("Light from the left or right"),
    "light elevation": _("Light from above or below"),
}


def course_words(name: str) -> str | Promise:
    """The name of a quantity that is shown over time."""
    if (other := name.removeprefix("light against person ")) != name:
        return format_lazy(_("Angle to the light on person {id}"), id=other)
    return COURSES.get(name) or name.replace("_", " ")


def unit_words(unit: str) -> str | Promise:
    """A unit as a page writes it; signs stay as they are."""
    return UNITS.get(unit, unit)


def feature_words(feature: str) -> str | Promise:
    """The name of a measured feature; one that a new module brings is called by its own name."""
    return FEATURES.get(feature) or feature.replace("_", " ")


def picture_words(kind: str) -> PictureWords:
    """The words of a kind of evidence; one that a new module brings is called by its own name."""
    return PICTURES.get(kind) or PictureWords(kind.replace("_", " ").capitalize(), "")


def listed(items: Iterable[object]) -> str:
    """Items of a list as one line, divided as the language does it."""
    return pgettext("between the items of a list", ", ").join(map(str, items))
