"""System checks (`manage.py check`, and before the server starts): what is missing, and how to mend it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from detection.inference import weights

VIDEO_ENCODER = "libx264"


@register
def media_is_writable(**kwargs: Any) -> list[CheckMessage]:
    """Everything that is uploaded and found out is kept below MEDIA_ROOT."""
    root = Path(settings.MEDIA_ROOT)
    try:
        for folder in (root, root / "uploads", root / "runs", root / "log", root / "queue"):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        hint = (
            "Give the user that runs this program the right to write there, free space on its disk, or name another "
            "folder in DEEPFAKE_MEDIA."
        )
        return [Error(f"Nothing can be written below {root}: {error}.", hint=hint, id="detection.E001")]
    return []


@register
def weights_are_intact(**kwargs: Any) -> list[CheckMessage]:
    """The networks' files are there, with the hashes of the manifest."""
    return [Error(str(problem), id="detection.E002") for problem in weights.problems()]


@register
def videos_can_be_encoded(**kwargs: Any) -> list[CheckMessage]:
    """Previews and relit videos are H.264, which every browser plays."""
    hint = (
        "Install PyAV from its wheel, which carries FFmpeg with x264: pip install --force-reinstall --only-binary av av"
    )
    try:
        import av

        av.codec.Codec(VIDEO_ENCODER, "w")
    except ImportError as error:
        return [Error(f"PyAV cannot be imported: {error}.", hint=hint, id="detection.E003")]
    except ValueError:  # av.codec.codec.UnknownCodecError
        return [Error(f"PyAV has no H.264 encoder ({VIDEO_ENCODER}).", hint=hint, id="detection.E003")]
    return []
