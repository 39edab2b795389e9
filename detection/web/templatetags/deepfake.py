"""How the pages write what records hold: verdicts, scores, times, sizes and names of formats."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.jobs import retention
from detection.modules import MODULES
from detection.records.schema import CredentialState, RunState, Span, Thresholds, Verdict
from detection.web import words
from detection.web.module_pages import in_order

register = template.Library()

NO_BREAK = "\u00a0"

CODECS = {
    "h264": "H.264",
    "hevc": "HEVC (H.265)",
    "vp8": "VP8",
    "vp9": "VP9",
    "av1": "AV1",
    "mpeg4": "MPEG-4",
    "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2",
    "mjpeg": "Motion JPEG",
    "gif": "GIF",
    "prores": "ProRes",
    "aac": "AAC",
    "mp3": "MP3",
    "opus": "Opus",
    "vorbis": "Vorbis",
    "ac3": "AC-3",
    "flac": "FLAC",
}

# FFmpeg calls a container by all the names that one reader of it goes by.
CONTAINERS = {
    "mov,mp4,m4a,3gp,3g2,mj2": "MP4 / QuickTime",
    "matroska,webm": "Matroska / WebM",
    "mpeg": "MPEG-PS",
    "mpegts": "MPEG-TS",
    "mpegvideo": "MPEG",
    "asf": "ASF (WMV)",
    "flv": "Flash Video",
    "live_flv": "Flash Video",
    "ogg": "Ogg",
}


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A picture from static/icons.svg; it is always beside words, so screen readers pass over it."""
    address = f"{static('icons.svg')}#{name}"
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}"></use></svg>', extra, address)


@register.simple_tag(takes_context=True)
def nav_link(context: Context, name: str, label: str) -> SafeString:
    """A link of the header, marked when its page, or one below it, is open."""
    address = reverse(name)
    section = context.get("section") or getattr(getattr(context.get("request"), "resolver_match", None), "url_name", "")
    current = SafeString(' aria-current="page"') if section == name else ""
    return format_html('<a href="{}"{}>{}</a>', address, current, label)


@register.simple_tag
def verdict_badge(verdict: Verdict, score: float | None = None) -> SafeString:
    """Icon, word and colour of a verdict, with its score where there is one."""
    figure = format_html(' <span class="number">{}</span>', percent(score)) if score is not None else ""
    label = words.VERDICTS[verdict].label
    return format_html('<span class="verdict v-{}">{} {}{}</span>', verdict, icon(verdict), label, figure)


@register.simple_tag
def state_badge(state: RunState) -> SafeString:
    return format_html('<span class="verdict v-state">{} {}</span>', icon(state.value), words.STATES[state])


@register.inclusion_tag("parts/scale.html")
def score_scale(score: float, thresholds: Thresholds | None, verdict: Verdict) -> dict[str, Any]:
    """The score on a scale from genuine to forged that shows the thresholds."""
    return {
        "score": score,
        "x": _position(score),
        "anchor": "start" if score < 0.06 else "end" if score > 0.94 else "middle",
        "thresholds": thresholds,
        "real_x": _position(thresholds.real_below) if thresholds else None,
        "fake_x": _position(thresholds.fake_from) if thresholds else None,
        "band": _position(thresholds.fake_from - thresholds.real_below) if thresholds else None,
        "rest": _position(1 - thresholds.fake_from) if thresholds else None,
        "verdict": verdict,
    }


@register.inclusion_tag("parts/bar.html")
def score_bar(score: float, thresholds: Thresholds | None, verdict: Verdict) -> dict[str, Any]:
    """The same in one line, for a person or a module."""
    marks = [_position(t) for t in (thresholds.real_below, thresholds.fake_from)] if thresholds else []
    return {"x": _position(score), "marks": marks, "verdict": verdict}


def _position(share: float) -> str:
    """An SVG length; written with a point in every language."""
    return f"{100 * share:.2f}%"


@register.filter
def percent(score: float | None) -> str:
    """Never 0 % or 100 %: no detector is that sure."""
    if score is None:
        return "–"
    if score < 0.01:
        return f"<{NO_BREAK}{per_cent(1)}"
    return f">{NO_BREAK}{per_cent(99)}" if score > 0.99 else per_cent(100 * score)


def per_cent(number: float) -> str:
    """A whole number and its sign, which no line's end parts."""
    return f"{number:.0f}{NO_BREAK}%"


@register.filter
def timecode(seconds: float | None) -> str:
    """A moment in a video: 1:02.5."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


@register.filter
def stretch(span: Span) -> str:
    """From when to when: 0:01.2–0:03.0; a moment alone where both read the same."""
    start, end = timecode(span.start_s), timecode(span.end_s)
    return start if start == end else f"{start}–{end}"


@register.filter
def duration(seconds: float | None) -> str:
    """A length of time: 12 s, 3 min 5 s, 2 h, 2 h 4 min."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return _("%s s") % (seconds if isinstance(seconds, int) else f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return _("%s s") % rest
    hours, minutes = divmod(minutes, 60)
    if hours and not minutes:
        return _("%s h") % hours
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}


@register.filter
def moment(iso: str | None) -> SafeString | str:
    """A time of a record; the page's script shows it in the reader's time zone."""
    if not iso:
        return "–"
    time = datetime.fromisoformat(iso)
    return format_html('<time datetime="{}">{} UTC</time>', iso, time.strftime("%Y-%m-%d %H:%M"))


@register.filter
def codec_name(codec: str | None) -> str:
    return CODECS.get(codec or "", (codec or "").upper()) or _("none")


@register.filter
def container_name(container: str) -> str:
    return CONTAINERS.get(container, container.replace(",", " / ").upper())


@register.filter
def module_name(key: str) -> str:
    return str(_(MODULES[key].name)) if key in MODULES else key


@register.filter
def module_names(keys: Iterable[str]) -> str:
    """The names of some modules, in the registry's order."""
    return words.listed(module_name(key) for key in in_order(keys))


@register.filter
def listed(items: Iterable[Any]) -> str:
    return words.listed(items)


@register.filter
def feature_name(feature: str) -> Any:
    return words.feature_words(feature)


@register.filter
def unit_name(unit: str) -> Any:
    return words.unit_words(unit)


@register.filter
def course_name(name: str) -> Any:
    return words.course_words(name)


@register.filter
def reason_title(reason: Any) -> Any:
    return words.REASONS[reason].title if reason else ""


@register.filter
def reason_advice(reason: Any) -> Any:
    return words.REASONS[reason].advice if reason else ""


@register.filter
def queue_place(position: int) -> str:
    """1 is the next one."""
    if position == 1:
        return _("next in the queue")
    before = position - 1
    return ngettext("%d video is before this one", "%d videos are before this one", before) % before


@register.simple_tag
def trash_days() -> int:
    """How long what is deleted can be brought back."""
    return retention.trash_days(settings.DEEPFAKE_KEEP_DELETED_DAYS, settings.DEEPFAKE_KEEP_DAYS)


@register.simple_tag
def verdict_words(verdict: Verdict) -> words.VerdictWords:
    return words.VERDICTS[verdict]


@register.simple_tag
def credential_words(state: CredentialState) -> words.PictureWords:
    return words.CREDENTIALS[state]


@register.filter
def verdict_label(verdict: Verdict) -> Any:
    return words.VERDICTS[verdict].label


@register.filter
def stream_kind(kind: str) -> str:
    return {"video": _("Picture"), "audio": _("Sound"), "subtitle": _("Subtitles")}.get(kind, kind)


@register.filter
def bit_rate(per_second: int | None) -> str:
    """In kilobits or megabits a second, as cameras and players give it."""
    if not per_second:
        return "–"
    return f"{per_second / 1e6:.1f} Mbit/s" if per_second >= 1e6 else f"{per_second / 1e3:.0f} kbit/s"
