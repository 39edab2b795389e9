"""What is known of a file and its analysis, name by name: for the result's page, its report, and comparing two runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from detection.records.schema import Analysis, Provenance, RunRecord, Thresholds, VideoProperties
from detection.web import words
from detection.web.module_pages import module_page
from detection.web.templatetags.deepfake import (
    bit_rate,
    codec_name,
    container_name,
    duration,
    module_name,
    percent,
    stream_kind,
)
from detection.web.words import CREDENTIALS

URN = re.compile(r"'?urn:[^\s']+'?")  # a manifest's name
NO_LANGUAGE = ("language", "und")  # ISO 639-2: undetermined


@dataclass(frozen=True)
class Fact:
    """`is_code`: hashes, versions and tags, which are shown in letters of one width."""

    name: str
    value: str
    is_code: bool = False


def file_facts(record: RunRecord) -> list[Fact]:
    """The file as its container describes it; name and hash alone where it could not be opened."""
    known = [Fact(_("Name"), record.video_name), Fact("SHA-256", record.sha256, is_code=True)]
    return known if record.video is None else [*known, *_video_facts(record.video)]


def _video_facts(video: VideoProperties) -> Iterator[Fact]:
    size = f"{video.width} × {video.height}"
    if video.rotation_deg:
        size += ", " + _("turned by %(degrees)s°") % {"degrees": video.rotation_deg}
    rate = f"{video.frame_rate:.2f}".rstrip("0").rstrip(".") + " " + _("per second")
    if video.variable_frame_rate:
        rate += " (" + _("varying") + ")"
    yield Fact(_("Size"), filesizeformat(video.size_bytes))
    yield Fact(_("Duration"), duration(video.duration_s))
    yield Fact(_("Picture"), size)
    yield Fact(_("Codec"), codec_name(video.codec) + " · " + _("sound") + ": " + codec_name(video.audio_codec))
    yield Fact(_("Frame rate"), rate)
    yield Fact(_("Container"), container_name(video.container))


def analysis_facts(analysis: Analysis) -> list[Fact]:
    examined = _("%(analysed)s examined of %(decoded)s decoded")
    counts = {"analysed": analysis.frames_analysed, "decoded": analysis.frames_decoded}
    return [Fact(_("Took"), duration(analysis.seconds)), Fact(_("Frames"), examined % counts)]


def version_facts(analysis: Analysis) -> list[Fact]:
    """The program, its libraries and its networks: the weights by the beginning of their hash."""
    shared = [Fact(name, version, is_code=True) for name, version in analysis.versions.items()]
    own = [
        Fact(f"{module_name(key)}: {name}", version, is_code=True)
        for key, outcome in analysis.modules.items()
        for name, version in outcome.versions.items()
        if analysis.versions.get(name) != version
    ]
    return shared + own


def threshold_facts(analysis: Analysis) -> list[Fact]:
    """In words, for the whole and for each module that has some."""
    by_name = {_("All modules together"): analysis.thresholds}
    by_name |= {module_name(key): outcome.thresholds for key, outcome in analysis.modules.items()}
    return [Fact(name, threshold_words(limits)) for name, limits in by_name.items() if limits]


def limits(analysis: Analysis) -> list[str]:
    """What the verdict does not say: in general, and of each module."""
    of_modules = ((page.title, page.limits) for page in map(module_page, analysis.modules))
    return [*map(str, words.LIMITS), *(f"{title}: {said}" for title, said in of_modules)]


def detail_words(record: RunRecord, analysis: Analysis) -> str | None:
    """What the analysis adds to its reason; the name that the file was analysed under says nothing to a person."""
    return analysis.detail and analysis.detail.replace(PurePath(record.upload).name, record.video_name)


def threshold_words(limits: Thresholds) -> str:
    text = _("Below %(low)s: no forgery found. From %(high)s: probably forged. Between them: uncertain.")
    return text % {"low": percent(limits.real_below), "high": percent(limits.fake_from)}


def credential_facts(origin: Provenance) -> list[Fact]:
    """What the Content Credentials (C2PA) say; first of all whether there are any, and whether they are valid."""
    found = origin.credentials
    signed = (found.signed_at or _("not said")) if found.state in ("valid", "invalid") else None
    detail = found.detail or ""
    is_urn = bool(URN.fullmatch(detail))
    faults = found.faults or (("claim.missing",) if is_urn else ())  # older records have the name alone
    said = [
        (_("Signed by"), found.signer),
        (_("Signed at"), signed),
        (_("Made with"), found.producer),
        (_("Title"), found.title),
        (_("Steps claimed"), "; ".join(found.actions)),
        (_("Made from"), words.listed(_("a file without a title") if i == "?" else i for i in found.ingredients)),
        (_("Failed checks"), words.listed(words.MISSING.get(code, code) for code in faults)),
        (_("Missing manifest") if is_urn else _("Detail"), detail.strip("'") if is_urn else detail),
    ]
    state = Fact(_("Content Credentials (C2PA)"), str(CREDENTIALS[found.state].title))
    return [state, *(Fact(name, value) for name, value in said if value)]


def metadata_facts(origin: Provenance) -> list[Fact]:
    """Tags of the container and its streams: claims that anybody can write. A language that is not set is none."""
    tags = [Fact(name, value, is_code=True) for name, value in origin.tags.items()]
    streams = []
    numbers: Counter[str] = Counter()
    for stream in origin.streams:
        numbers[stream.kind] += 1  # by kind: files that hold them in another order can be compared
        said = [codec_name(stream.codec), bit_rate(stream.bit_rate_bps)]
        said += [f"{name}: {value}" for name, value in stream.tags.items() if (name, value) != NO_LANGUAGE]
        streams.append(Fact(f"{stream_kind(stream.kind)} {numbers[stream.kind]}", " · ".join(said)))
    return [*(tags or [Fact(_("File"), _("no tags"))]), *streams]
