"""What lights, measures, states and faults of relighting are called, in words that need no glossary."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from detection.records.schema import Reason, RunState
from detection.web.words import REASONS, ReasonWords
from relitalk.errors import Fault
from relitalk.light import PRESETS
from relitalk.request import Request

Text = Promise | str

PRESET_NAMES: dict[str, Text] = {
    "front": gettext_lazy("From the front"),
    "left": gettext_lazy("From the left"),
    "right": gettext_lazy("From the right"),
    "top": gettext_lazy("From above"),
    "below": gettext_lazy("From below"),
    "rembrandt": gettext_lazy("Rembrandt"),
    "split": gettext_lazy("From the side, hard"),
    "sunset": gettext_lazy("Sunset"),
    "normalised": gettext_lazy("Even and soft"),
}

STATES: dict[RunState, Text] = {
    RunState.QUEUED: gettext_lazy("Waiting"),
    RunState.RUNNING: gettext_lazy("Under way"),
    RunState.DONE: gettext_lazy("Finished"),
    RunState.FAILED: gettext_lazy("Failed"),
    RunState.CANCELLED: gettext_lazy("Cancelled"),
}

FAULTS: dict[str, ReasonWords] = {
    Fault.NO_SERVER: ReasonWords(
        gettext_lazy("No relighting server is set up as it should be."),
        gettext_lazy(
            "RELITALK_URL must be its address and RELITALK_TOKEN its token; without RELITALK_URL this machine relights."
        ),
    ),
    Fault.SERVER_UNREACHABLE: ReasonWords(
        gettext_lazy("The relighting server does not answer."),
        gettext_lazy(
            "Start it there (manage.py relight_server) and try again, or start this site without RELITALK_URL."
        ),
    ),
    Fault.SERVER_REFUSED: ReasonWords(
        gettext_lazy("The relighting server refused the work."),
        gettext_lazy("The token may be wrong: RELITALK_TOKEN must be the same on both machines."),
    ),
    Fault.NO_CHECKOUT: ReasonWords(
        gettext_lazy("The ReliTalk checkout cannot be used."),
        gettext_lazy("RELITALK_ROOT and RELITALK_PYTHON must name it and its interpreter."),
    ),
    Fault.CHECKOUT_FAILED: ReasonWords(
        gettext_lazy("ReliTalk ended without a result."), gettext_lazy("Its last words are below.")
    ),
    Fault.NO_SUCH_PERSON: ReasonWords(
        gettext_lazy("That person is not in the video."), gettext_lazy("Choose another one, or everybody.")
    ),
    Reason.NO_FACE: ReasonWords(
        gettext_lazy("No face that could be relit was found."),
        gettext_lazy(
            "It takes a real face of at least 40 pixels, turned less than half away. Drawn faces are not relit."
        ),
    ),
    Reason.TOO_FEW_FRAMES: ReasonWords(
        gettext_lazy("There are too few frames."), gettext_lazy("A light is estimated from five frames or more.")
    ),
}


@dataclass(frozen=True)
class MeasureWords:
    """A measure of a relit clip: its name, how its figure is written, and what it says."""

    name: Text
    form: str
    note: Text


MEASURES: dict[str, MeasureWords] = {
    "reconstruction_psnr_db": MeasureWords(
        gettext_lazy("Reconstruction, PSNR"),
        "{:.1f} dB",
        gettext_lazy(
            "How like the frames a face is that is drawn anew from one map of its skin and the estimated light. Higher "
            "is closer."
        ),
    ),
    "reconstruction_ssim": MeasureWords(
        gettext_lazy("Reconstruction, SSIM"),
        "{:.2f}",
        gettext_lazy("The same as structural similarity: 1 would be the frame itself."),
    ),
    "identity_similarity": MeasureWords(
        gettext_lazy("Identity"),
        "{:.2f}",
        gettext_lazy(
            "Likeness of the face before and after, as a network for face recognition sees it; from 0.363 on it takes "
            "both for one person."
        ),
    ),
    "flicker_source": MeasureWords(
        gettext_lazy("Flicker before"),
        "{:.3f}",
        gettext_lazy("Jumps of the skin's brightness from frame to frame. Lower is steadier."),
    ),
    "flicker_relit": MeasureWords(
        gettext_lazy("Flicker after"), "{:.3f}", gettext_lazy("The same in the relit video.")
    ),
    "direction_error_deg": MeasureWords(
        gettext_lazy("Light read back"),
        "{:.1f}°",
        gettext_lazy(
            "Angle between the light asked for and the one estimated from the finished video. Not measured for soft or "
            "moving light."
        ),
    ),
}


def fault_words(fault: str | None) -> ReasonWords | None:
    """In the reader's language, why something failed; None where only the program's own message says so."""
    if fault in FAULTS:
        return FAULTS[fault]
    return REASONS[Reason(fault)] if fault in list(Reason) else None


def request_words(request: Request) -> str:
    """The light of a request, by name where it has one."""
    light = request.light
    same = [name for name, preset in PRESETS.items() if preset == light]
    words = str(PRESET_NAMES[same[0]]) if same else direction_words(light.azimuth_deg, light.elevation_deg)
    if request.sweep_period_s is not None:
        words += " · " + _("turning, %s s a round") % f"{request.sweep_period_s:g}"
    return words


def direction_words(azimuth_deg: float, elevation_deg: float) -> str:
    return _("azimuth %(azimuth)s°, elevation %(elevation)s°") % {
        "azimuth": round(azimuth_deg),
        "elevation": round(elevation_deg),  # never -0
    }
