"""Where a reader's videos and results are: what the pages say of it must hold for those who come from elsewhere too."""

from __future__ import annotations

from urllib.parse import urlsplit

from django import template
from django.conf import settings
from django.template import Context
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag(takes_context=True)
def promise(context: Context) -> str:
    """What becomes of what is brought here, in a sentence or two."""
    if _is_here(context):
        said = _("Everything happens on this machine: no video and no result is sent anywhere.")
    else:
        said = _("Everything happens on the machine that serves this site: no video and no result is sent on.")
    relights = urlsplit(settings.RELITALK_URL).hostname
    if not relights:
        return said
    return f"{said} {_('Relighting is the exception: on demand %s does it, and gets the video.') % relights}"


@register.simple_tag(takes_context=True)
def stays(context: Context) -> str:
    """The same in a few words."""
    if _is_here(context):
        return _("Everything stays on this machine.")
    return _("Everything stays on the machine that serves this site.")


def _is_here(context: Context) -> bool:
    """Whether the reader is known to sit at the machine itself; behind a passphrase nobody is."""
    return getattr(context.get("request"), "who", None) == "local"
